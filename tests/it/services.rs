//! The servers and programs that `make test` starts or installs for the tests.
//!
//! Without them a test fails and says so; it never skips.

use std::env;
use std::path::Path;

/// An empty PostgreSQL cluster's `postgres` database, as its superuser.
pub(crate) fn postgres_url() -> String {
    variable("TUANTIBU_TEST_POSTGRES")
}

/// The base of a FHIR R4 server that holds tests/fixtures/fhir.
pub(crate) fn fhir_url() -> String {
    variable("TUANTIBU_TEST_FHIR")
}

/// A Python that has tests/requirements.txt.
pub(crate) fn python() -> String {
    variable("TUANTIBU_TEST_PYTHON")
}

/// Node, which runs the SMS centre of tests/smpp.
pub(crate) fn node() -> String {
    variable("TUANTIBU_TEST_NODE")
}

/// zbarimg, which reads codes from pictures.
pub(crate) fn zbarimg() -> String {
    variable("TUANTIBU_TEST_ZBARIMG")
}

/// The library that moves the clock of a program it is preloaded into.
pub(crate) fn faketime_library() -> String {
    variable("TUANTIBU_TEST_FAKETIME_LIB")
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: run `make test`, or one test by \
             `tests/tools/with_services.py cargo test NAME`"
        )
    })
}

#[test]
fn the_programs_are_there() {
    for path in [python(), node(), zbarimg(), faketime_library()] {
        assert!(Path::new(&path).is_file(), "{path} is no file");
    }
}

#[tokio::test]
async fn postgres_answers() {
    let pool = sqlx::PgPool::connect(&postgres_url()).await.unwrap();
    let connections: String = sqlx::query_scalar("select current_setting('max_connections')")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(connections, "400");
}

#[tokio::test]
async fn the_fhir_server_holds_the_fixtures() {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (kind, total) in [("Patient", 40), ("Immunization", 2140), ("Observation", 70)] {
        let url = format!("{}/{kind}?_summary=count", fhir_url());
        let answer = client.get(&url).send().await.unwrap();
        let bundle: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(bundle["total"], total, "{kind}");
    }
}
