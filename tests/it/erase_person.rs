//! Who asks the operator is erased by their document, and nobody else is.
use crate::{
    app::{Person, TestApp, owned, resident_id},
    on_both,
    privacy::holds_document,
    world::text,
};
use tuantibu::{
    actions::erase_person::erase_person,
    error::Error,
    model::document::{Document, DocumentType},
};

fn document(app: &TestApp, person: &Person) -> Document {
    Document::parse(DocumentType::ResidentId, &person.document, app.today()).unwrap()
}

on_both! {
    async fn who_asks_the_operator_is_gone_from_every_register_and_the_others_stay(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let other = app.register(&owner).await;
        let (person, child) = (Person::number(1), Person::child("2015-05-05", &Person::number(1)));
        let joined = app.member(&register, &person).await;
        app.clock.advance(61);
        app.join(&other, &person).await;
        app.put(&child, app.healthy()).await;
        let guardian = app.client().with(joined["token"].as_str());
        app.clock.advance(61);
        app.join_with(&guardian, &register, &child, |_| {}).await;
        app.member(&register, &Person::number(2)).await;
        assert!(holds_document(&app, &person).await && holds_document(&app, &child).await);
        let done = erase_person(&app.app, &document(&app, &person)).await.unwrap();
        assert_eq!((done.authorizations, done.consented_for_others), (2, 1));
        assert!(done.profile && done.sessions >= 1 && done.owns.is_empty(), "{done:?}");
        assert!(!holds_document(&app, &person).await && !holds_document(&app, &child).await);
        assert_eq!(guardian.get("/api/v1/me").await.problem(401), "not_signed_in");
        for (register, names) in [(&register, vec![Person::number(2).name]), (&other, vec![])] {
            let list = owner.get(&register.path("/members")).await.expect(200);
            let rows = list["members"].as_array().unwrap();
            let there: Vec<String> = rows.iter().map(|row| text(&row["name"])).collect();
            assert_eq!(there, names);
        }
        let again = erase_person(&app.app, &document(&app, &person)).await;
        assert!(matches!(again, Err(Error::NotFound)));
    }
}

on_both! {
    async fn who_owns_a_register_is_not_erased_before_it_is_somebody_elses(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(900);
        let done = erase_person(&app.app, &document(&app, &person)).await.unwrap();
        assert_eq!(done.owns, [register.id.as_str()]);
        assert!(holds_document(&app, &person).await);
        owner.get(&register.path("")).await.expect(200);
    }
}

#[test]
fn the_command_reads_the_number_from_a_pipe_and_repeats_it_nowhere() {
    use std::{io::Write, process::Stdio};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let config = at("t.toml");
    let text = format!(
        "[database]\nurl = \"sqlite:{}\"\n[keys]\nfile = \"{}\"\n[source]\nurl = \"{}\"\n",
        at("db"),
        at("root.key"),
        at("source.db"),
    );
    std::fs::write(&config, text).unwrap();
    let unknown = resident_id("19800101", 3);
    for (typed, status, words) in [
        (unknown.as_str(), 1, "nobody with this document"),
        ("11010019800101003", 2, "length"),
        ("", 2, "empty"),
    ] {
        let mut child = crate::support::process::program()
            .args(["person", "erase", "--config", &config])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{typed}").unwrap();
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        assert_eq!(done.status.code(), Some(status), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(typed.is_empty() || !said.contains(typed), "{said}");
    }
}
