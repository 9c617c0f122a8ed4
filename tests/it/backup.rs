//! A copy of a living database holds what it held, and who is started on an old copy knows whom to
//! erase again.
use crate::{
    app::{Client, Person, Register, TestApp, new_database, owned},
    on_both,
    passkeys::{Administrator, Passkey, show},
    rows::rows,
    support::process::program,
    world::text,
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf, process::Command};
use tuantibu::actions::{
    erase_expired::erase_expired,
    erasures::list_erasures,
    join_terms::CONSENT_VERSION,
    replay_erasures::{Replayed, replay_erasures},
};

#[expect(
    clippy::disallowed_methods,
    reason = "the operator's own tools are processes"
)]
fn postgres_tool(name: &str, arguments: &[&str]) {
    let folders = fs::read_dir("/usr/lib/postgresql").unwrap();
    let mut found: Vec<PathBuf> = folders
        .map(|folder| folder.unwrap().path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    let done = Command::new(found.pop().unwrap())
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{name}: {said}");
}

/// A copy by the way that OPERATING.md tells; the URL of a database that holds it.
async fn copy_of(app: &TestApp) -> String {
    if app.is_sqlite() {
        let path = app.folder.join("copy.db");
        app.app.store.copy_to(path.to_str().unwrap()).await.unwrap();
        return format!("sqlite:{}", path.display());
    }
    let file = app.folder.join("copy.dump");
    let (file, url) = (file.to_str().unwrap(), app.config.database.url.as_str());
    postgres_tool("pg_dump", &["--format=custom", "--file", file, url]);
    let copy = new_database().await;
    postgres_tool("pg_restore", &["--no-owner", "--dbname", &copy, file]);
    copy
}

async fn join(app: &TestApp, register: &Register, n: usize) -> Value {
    let joined = app.member(register, &Person::number(n)).await;
    app.clock.advance(61);
    joined
}

/// The names on a list.
async fn names(owner: &Client, register: &Register) -> Vec<String> {
    let list = owner.get(&register.path("/members")).await.expect(200);
    let rows = list["members"].as_array().unwrap();
    let mut names: Vec<String> = rows.iter().map(|row| text(&row["name"])).collect();
    names.sort();
    names
}

on_both! {
    async fn a_copy_of_a_living_database_holds_every_row(app: TestApp) {
        let (_, register) = owned(&app).await;
        for n in 1..=5 {
            join(&app, &register, n).await;
        }
        // Who holds keys is told by each program for itself.
        let before = rows(&app).await.without(&["key_holders"]);
        let copy = app.on_copy(copy_of(&app).await).await;
        assert_eq!(before.changed(&rows(&copy).await.without(&["key_holders"])), Vec::<String>::new());
        assert_eq!(before.count("authorizations"), 5);
    }
}

on_both! {
    async fn who_is_started_on_an_old_copy_erases_again_before_anything_is_answered(app: TestApp) {
        let mut app = app;
        let list = app.folder.join("erased");
        app = app.restarted(|config| config.backup.erasures_file = Some(list.clone())).await;
        let (owner, register) = owned(&app).await;
        let other = app.register(&owner).await;
        let mut joined = Vec::new();
        for n in [1, 2, 3, 4, 6] {
            joined.push(join(&app, &register, n).await);
        }
        join(&app, &other, 5).await;
        let own = Administrator { client: owner.clone(), person: Person::number(900), register: register.clone() };
        let mut passkey = Passkey::new();
        let added = own.add(&app, &mut passkey).await;
        list_erasures(&app.app).await.unwrap();
        let copy = copy_of(&app).await;
        app.clock.advance(60);
        assert_eq!(own.remove(&app, &added).await.status, 204);
        // One leaves, one is removed, one takes an item back, a register and a code go; one joins.
        let leave = format!("/api/v1/leave/{}", text(&joined[0]["authorization"]["leave_link"]));
        app.client().post(&leave, json!({})).await.expect(200);
        let member = text(&joined[1]["authorization"]["id"]);
        owner.delete(&register.path(&format!("/members/{member}"))).await.expect(204);
        let own = app.client().with(joined[2]["token"].as_str());
        let narrower = json!({
            "accepted": true,
            "version": CONSENT_VERSION,
            "items": ["health_code", "nucleic_acid"],
            "sharing": "details",
        });
        let path = format!("/api/v1/me/authorizations/{}", text(&joined[2]["authorization"]["id"]));
        own.patch(&path, narrower).await.expect(200);
        // Who joins again consents to less, too.
        app.join_with(&app.client(), &register, &Person::number(4), |body| {
            body["consent"]["items"] = json!(["health_code", "nucleic_acid"]);
        })
        .await;
        let token = owner.confirmation(&app, &Person::number(900), "delete_register", &other).await;
        let deletion = json!({ "organisation": "青禾实验小学", "confirmation_token": token });
        owner.send("DELETE", &other.path(""), Some(deletion)).await.expect(200);
        owner.post(&register.path("/code"), json!({})).await.expect(201);
        list_erasures(&app.app).await.unwrap();
        list_erasures(&app.app).await.unwrap();
        let lines = fs::read_to_string(&list).unwrap();
        assert_eq!(lines.lines().count(), 8, "each once: {lines}");
        for n in 1..=5 {
            assert!(!lines.contains(&Person::number(n).document));
        }

        let copy = app.on_copy(copy).await;
        let replayed = replay_erasures(&copy.app).await.unwrap();
        let known = Replayed {
            unknown: 8, ended: replayed.ended, narrowed: 2, registers: 1, codes: 1, passkeys: 1, sessions: replayed.sessions,
        };
        assert_eq!(replayed, known);
        // The erased register's member went before it, or with it.
        assert!((2..=3).contains(&replayed.ended), "{replayed:?}");
        assert!(replayed.sessions >= 5, "{replayed:?}");
        let then = copy.client().with(owner.bearer.as_deref());
        assert_eq!(then.get("/api/v1/me").await.problem(401), "not_signed_in", "a session of then");
        assert_eq!(
            copy.client().get(&format!("/api/v1/join/{}", register.code)).await.problem(410),
            "code_replaced"
        );
        assert_eq!(show(&copy.client(), &mut passkey).await.problem(422), "passkey_refused");
        copy.clock.advance(61);
        let owner = copy.sign_in(&Person::number(900)).await;
        let there = [3, 4, 6].map(|n| Person::number(n).name);
        assert_eq!(names(&owner, &register).await, { let mut all = there.to_vec(); all.sort(); all });
        assert_eq!(owner.get(&other.path("")).await.problem(404), "not_found");
        let rows = owner.get(&register.path("/members")).await.expect(200);
        for row in rows["members"].as_array().unwrap() {
            let narrowed = [3, 4].iter().any(|n| row["name"] == Person::number(*n).name.as_str());
            let state = if narrowed { "not_shared" } else { "ok" };
            assert_eq!(row["items"]["vaccination"]["state"], state);
        }
        let again = replay_erasures(&copy.app).await.unwrap();
        assert_eq!(again, Replayed::default(), "known by now");
    }
}

on_both! {
    async fn what_no_backup_can_bring_back_is_forgotten(app: TestApp) {
        let mut app = app;
        let list = app.folder.join("erased");
        app = app.restarted(|config| config.backup.erasures_file = Some(list.clone())).await;
        let (_, register) = owned(&app).await;
        let joined = join(&app, &register, 1).await;
        let leave = format!("/api/v1/leave/{}", text(&joined["authorization"]["leave_link"]));
        app.client().post(&leave, json!({})).await.expect(200);
        list_erasures(&app.app).await.unwrap();
        for (days, lines, held) in [(34, 1, 1), (2, 0, 1), (2, 0, 0)] {
            app.clock.advance(days * 86_400);
            erase_expired(&app.app).await.unwrap();
            assert_eq!(fs::read_to_string(&list).unwrap().lines().count(), lines, "{days}");
            assert_eq!(rows(&app).await.count("erasures"), held, "{days}");
        }
    }
}

#[test]
fn a_backup_goes_through_a_pipe_and_a_restore_takes_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = |name: &str| folder.path().join(name);
    let text = format!(
        "[server]\npublic_url = \"https://register.example\"\n\
         [database]\nurl = \"sqlite:{}\"\n[keys]\nfile = \"{}\"\n[source]\nurl = \"{}\"\n",
        data("db").display(),
        data("root.key").display(),
        data("source.db").display(),
    );
    fs::write(data("serve.toml"), text).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = program();
        command
            .args(arguments)
            .arg("--config")
            .arg(data("serve.toml"));
        command.output().unwrap()
    };
    let copy = run(&["backup", "-"]);
    assert!(copy.status.success());
    assert!(copy.stdout.starts_with(b"SQLite format 3\0"));
    let file = data("copy.db");
    fs::write(&file, &copy.stdout).unwrap();
    let restore = ["restore", file.to_str().unwrap()];
    let refused = run(&restore);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("exists already"));
    fs::remove_file(data("db")).unwrap();
    fs::write(&file, "not a database").unwrap();
    let refused = run(&restore);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!data("db").exists(), "nothing is left behind");
    fs::write(&file, &copy.stdout).unwrap();
    let done = run(&restore);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let said: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(said["unknown"], 0);
    assert!(data("db").exists());
    // Another key: the copy is of no use, and does not stay.
    fs::remove_file(data("db")).unwrap();
    fs::remove_file(data("root.key")).unwrap();
    let refused = run(&restore);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!data("db").exists(), "nothing is left behind");
}
