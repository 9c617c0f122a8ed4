//! What is refused at the start, and in which words: rights to write, columns that are not there,
//! queries and codes that cannot be right.
use crate::{
    on_theirs,
    source_sql::values,
    support::{people::*, their_database::*},
};
use tuantibu::source::HealthSource;

#[track_caller]
fn says(words: &str, all: &[&str]) {
    for one in all {
        assert!(words.contains(one), "{one} is not in: {words}");
    }
    assert!(!words.contains(PASSWORD), "{words}");
}

on_theirs! {
    async fn a_user_who_may_write_anything_is_refused_by_the_right(theirs: Theirs) {
        let (reader, name) = (theirs.reader.clone(), theirs.name.clone());
        assert!(theirs.source(|_| {}).await.is_ok());
        let cases: &[(String, String, &str, &str)] = &match theirs.engine {
            Engine::Postgres => [
                ("grant insert on tests to {r}", "revoke insert on tests from {r}", "may insert public.tests", "revoke insert on public.tests"),
                ("grant update on tests to {r}", "revoke update on tests from {r}", "may update public.tests", "revoke update on"),
                ("grant delete on residents to {r}", "revoke delete on residents from {r}", "may delete public.residents", "revoke delete on"),
                ("grant truncate on residents to public", "revoke truncate on residents from public", "may truncate public.residents", "from public"),
                ("grant update (code) on residents to {r}", "revoke update (code) on residents from {r}", "may update columns of public.residents", "revoke update"),
                ("create role {r}_w; grant insert on tests to {r}_w; grant {r}_w to {r}", "drop owned by {r}_w; drop role {r}_w", "may insert public.tests", "the role that it has it by"),
                ("grant pg_write_all_data to {r}", "revoke pg_write_all_data from {r}", "is a member of pg_write_all_data", "revoke pg_write_all_data"),
                ("alter role {r} superuser", "alter role {r} nosuperuser", "is a superuser", "nosuperuser"),
                ("alter role {r} createdb", "alter role {r} nocreatedb", "may create databases", "nocreatedb"),
                ("alter role {r} createrole", "alter role {r} nocreaterole", "may create roles", "nocreaterole"),
                ("grant create on schema public to {r}", "revoke create on schema public from {r}", "may create in the schema public", "revoke create on schema public"),
                ("grant create on database {n} to {r}", "revoke create on database {n} from {r}", "may create schemas", "revoke create on database"),
                ("create sequence s; grant usage on sequence s to {r}", "drop sequence s", "may change the sequence public.s", "revoke usage, update"),
                ("alter table tests owner to {r}", "alter table tests owner to postgres", "owns public.tests", "owner to"),
            ].to_vec(),
            Engine::MariaDb => [
                ("grant insert on {n}.tests to {r}@'%'", "revoke insert on {n}.tests from {r}@'%'", "may insert on", "revoke insert on"),
                ("grant update (code) on {n}.residents to {r}@'%'", "revoke update (code) on {n}.residents from {r}@'%'", "may update (`code`)", "revoke update"),
                ("grant create temporary tables on {n}.* to {r}@'%'", "revoke create temporary tables on {n}.* from {r}@'%'", "may create temporary tables on", "revoke create"),
                ("grant file on *.* to {r}@'%'", "revoke file on *.* from {r}@'%'", "may file on *.*", "revoke file on"),
                ("grant all on {n}.* to {r}@'%'", "revoke all on {n}.* from {r}@'%'; grant select on {n}.* to {r}@'%'", "may all privileges on", "revoke all privileges"),
                ("grant select on {n}.* to {r}@'%' with grant option", "revoke grant option on {n}.* from {r}@'%'", "may grant option on", "revoke grant option"),
                ("create role {r}_w; grant insert on {n}.tests to {r}_w; grant {r}_w to {r}@'%'", "drop role {r}_w", "has the role", "revoke"),
            ].to_vec(),
        }.iter().map(|(give, take, right, away)| {
            let fill = |text: &str| text.replace("{r}", &reader).replace("{n}", &name);
            (fill(give), fill(take), *right, *away)
        }).collect::<Vec<_>>()[..];
        for (give, take, right, away) in cases {
            theirs.run(give).await;
            let words = theirs.source(|_| {}).await.unwrap_err();
            says(&words, &["source.sql.url", right, "take it away", away]);
            theirs.run(take).await;
            assert!(theirs.source(|_| {}).await.is_ok(), "after {take}");
        }
    }
}

on_theirs! {
    async fn a_session_only_reads_even_where_a_right_came_after_the_start(theirs: Theirs) {
        theirs.resident(&resident(1), &values(1)).await;
        theirs.run("create table log (id_no varchar(30))").await;
        // A function that their query calls, and that begins to write once the program runs.
        let function = |does: &str| match theirs.engine {
            Engine::Postgres => format!(
                "create or replace function noted(x varchar) returns varchar language sql as '{does} select x'"
            ),
            Engine::MariaDb => format!(
                "create or replace function noted(x varchar(30)) returns varchar(30) begin {does} return x; end"
            ),
        };
        theirs.one(&function("")).await;
        let source = theirs.source(|config| {
            config.batch = config.batch.replace("full_name", "noted(full_name) as full_name");
        });
        if theirs.engine == Engine::MariaDb {
            // Running functions is a right to write there, so that no such query is ever accepted.
            says(&source.await.map(|_| ()).unwrap_err(), &["source.sql.batch: the database says", "execute"]);
            return;
        }
        let source = source.await.unwrap();
        let asks = [ask(&name(1), &resident(1), &["health_code"])];
        source.read(&asks).await.unwrap();
        theirs.run(&format!("grant insert on log to {}", theirs.reader)).await;
        theirs.one(&function("insert into log values (x);")).await;
        let error = source.read(&asks).await.unwrap_err().to_string();
        assert!(error.contains("25006"), "{error}");
    }
}

on_theirs! {
    async fn a_column_that_is_missing_is_named_with_its_key_and_those_that_are_there(theirs: Theirs) {
        let refused = async |change: fn(&mut tuantibu::config::Sql)| {
            theirs.source(change).await.map(|_| ()).unwrap_err()
        };
        says(
            &refused(|c| c.columns.name = "xing_ming".into()).await,
            &["source.sql.batch", "xing_ming", "source.sql.columns.name", "full_name, mobile, landline"],
        );
        says(
            &refused(|c| c.columns.phones.push("phone3".into())).await,
            &["source.sql.batch", "phone3", "source.sql.columns.phones"],
        );
        says(
            &refused(|c| c.items.get_mut("nucleic_acid").unwrap().sampled_at = Some("taken".into())).await,
            &["source.sql.batch", "taken", "source.sql.items.nucleic_acid.sampled_at"],
        );
        says(
            &refused(|c| c.items.get_mut("nucleic_acid").unwrap().result = None).await,
            &["items_nucleic_acid_result", "source.sql.items.nucleic_acid.result"],
        );
        says(
            &refused(|c| c.matching = Some("select full_name from residents where id_no = :document_number".into())).await,
            &["source.sql.match", "mobile", "source.sql.columns.phones"],
        );
        says(
            &refused(|c| c.changes = Some("select version from residents where :since <> ''".into())).await,
            &["source.sql.changes", "id_no"],
        );
        says(
            &refused(|c| c.batch = c.batch.replace("residents", "citizens")).await,
            &["source.sql.batch: the database says", "citizens"],
        );
        says(
            &refused(|c| c.batch = c.batch.replace("select", "delete")).await,
            &["source.sql.batch: the database says"],
        );
        says(
            &refused(|c| c.batch = "select 1".into()).await,
            &["source.sql.batch: does not use :document_numbers"],
        );
        says(&refused(|c| c.batch = String::new()).await, &["source.sql.batch: is not set"]);
        says(&refused(|c| c.cursor = None).await, &["source.sql.cursor"]);
        says(
            &refused(|c| {
                let values = &mut c.items.get_mut("nucleic_acid").unwrap().values;
                values.insert("1".into(), "negativ".into());
            }).await,
            &["source.sql.items.nucleic_acid.values", "1 = negativ"],
        );
        says(
            &refused(|c| c.items.get_mut("nucleic_acid").unwrap().doses = Some("x".into())).await,
            &["source.sql.items.nucleic_acid.doses", "does not belong"],
        );
        says(
            &refused(|c| { c.items.insert("blood_group".into(), Default::default()); }).await,
            &["source.sql.items.blood_group", "catalogue"],
        );
        says(
            &refused(|c| c.document_types = [("library_card".into(), "1".into())].into()).await,
            &["source.sql.document_types"],
        );
    }
}

on_theirs! {
    async fn an_address_that_is_wrong_is_named_by_its_key_and_never_shown(theirs: Theirs) {
        let refused = async |url: String| {
            theirs.source(|config| config.url = url).await.map(|_| ()).unwrap_err()
        };
        let own = theirs.url(theirs.address);
        says(&refused(own.replace("://", "sql://")).await, &["source.sql.url", "postgres://"]);
        says(&refused(own.replace("127.0.0.1", "[")).await, &["source.sql.url"]);
        if theirs.engine == Engine::MariaDb {
            says(&refused(own.replace(PASSWORD, "wrong")).await, &["source.sql.url", "refused"]);
        }
        // From a file, which nobody else may read.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, format!("{own}\n")).unwrap();
        let mode = |mode| {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let from_file = async |with_url: bool| {
            theirs.source(|config| {
                config.url_file = Some(path.clone());
                if !with_url {
                    config.url.clear();
                }
            }).await.map(|_| ())
        };
        mode(0o644);
        says(&from_file(false).await.unwrap_err(), &["source.sql.url_file", "0644", "chmod 0400"]);
        mode(0o400);
        says(&from_file(true).await.unwrap_err(), &["source.sql.url_file", "one of both"]);
        from_file(false).await.unwrap();
    }
}

on_theirs! {
    async fn a_check_tells_what_it_saw_and_names_nobody(theirs: Theirs) {
        let source = theirs.source(|_| {}).await.unwrap();
        let seen = source.check().await.unwrap().join("; ");
        says(&seen, &["may only read", "right columns", "sample person found: no"]);
        says(&seen, &[theirs.either("connected to PostgreSQL", "MariaDB"), "its clock is", "ahead"]);
        theirs.resident(&resident(1), &values(1)).await;
        let seen = source.check().await.unwrap().join("; ");
        says(&seen, &["sample person found: yes"]);
        assert!(!seen.contains("not to be read"), "{seen}");
        theirs.run("update residents set code = 'purple'").await;
        let seen = source.check().await.unwrap().join("; ");
        says(&seen, &["yes, but not to be read: items.health_code.value"]);
        for personal in [name(1), resident(1), phone(1), "purple".to_owned()] {
            assert!(!seen.contains(&personal), "{seen}");
        }
        let source = theirs.source(|config| config.sample = None).await.unwrap();
        says(&source.check().await.unwrap().join("; "), &["source.sql.sample is not set"]);
    }
}

#[tokio::test]
async fn another_machine_is_asked_for_a_verified_certificate() {
    // A database that offers no TLS, as another machine: its own address stands in for it.
    let theirs = Theirs::new(Engine::Postgres).await;
    for (tls, works) in [
        (tuantibu::config::SqlTls::Unverified, false),
        (tuantibu::config::SqlTls::None, true),
        (tuantibu::config::SqlTls::Verified, true),
    ] {
        let source = theirs.source(|config| config.tls = tls).await.unwrap();
        let who = identity(&name(1), &resident(1), &phone(1));
        assert_eq!(source.matches(&who).await.is_ok(), works, "{tls:?}");
    }
}
