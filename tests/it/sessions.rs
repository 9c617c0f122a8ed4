//! Sessions on a shared computer: each end of one, by the clock and by hand, for pages and programs.
use crate::{
    administrators::{form, page, person},
    app::{Client, On, Person, TestApp},
    on_both,
    world::{lift, text},
};
use serde_json::json;
use std::process::{Command, Output};

/// Whether a page knows who looks, as it would for the cookie's own browser.
async fn on_pages(client: &Client) -> bool {
    page(client, "/me").await.0.status == 200
}

async fn for_programs(client: &Client) -> bool {
    client.get("/api/v1/me").await.status == 200
}

on_both! {
    async fn an_idle_session_ends_after_thirty_minutes_for_pages_and_programs(app: TestApp) {
        for kind in [0, 1] {
            let client = person(&app, 1).await;
            let is_in = async || match kind {
                0 => on_pages(&client).await,
                _ => for_programs(&client).await,
            };
            for _ in 0..3 {
                app.clock.advance(30 * 60 - 1);
                assert!(is_in().await, "used every half hour");
            }
            app.clock.advance(30 * 60);
            assert!(!is_in().await);
            assert!(!on_pages(&client).await && !for_programs(&client).await);
            let (answer, _) = page(&client, "/me/sessions").await;
            assert_eq!(answer.headers["location"], "/sign-in?next=%2Fme%2Fsessions");
        }
    }
}

on_both! {
    async fn a_session_ends_after_eight_hours_however_it_is_used(app: TestApp) {
        for kind in [0, 1] {
            let client = person(&app, 1).await;
            let is_in = async || match kind {
                0 => on_pages(&client).await,
                _ => for_programs(&client).await,
            };
            for _ in 0..31 {
                app.clock.advance(15 * 60);
                assert!(is_in().await);
            }
            app.clock.advance(15 * 60 - 1);
            assert!(is_in().await, "7:59:59");
            app.clock.advance(1);
            assert!(!is_in().await, "8:00:00");
        }
    }
}

on_both! {
    async fn a_sixth_session_ends_the_one_that_was_longest_unused(app: TestApp) {
        let app = app.restarted(lift).await;
        let mut clients = Vec::new();
        for _ in 0..5 {
            clients.push(person(&app, 1).await);
            app.clock.advance(60);
        }
        let other = person(&app, 2).await;
        app.clock.advance(60);
        // The first is used once more, so that the second is the oldest.
        assert!(on_pages(&clients[0]).await);
        let sixth = person(&app, 1).await;
        assert!(!for_programs(&clients[1]).await && !on_pages(&clients[1]).await);
        for client in [&clients[0], &clients[2], &clients[3], &clients[4], &sixth, &other] {
            assert!(for_programs(client).await && on_pages(client).await);
        }
        let listed = sixth.get("/api/v1/me/sessions").await.expect(200);
        assert_eq!(listed.as_array().unwrap().len(), 5);
    }
}

on_both! {
    async fn ones_sessions_are_listed_and_ended_one_by_one(app: TestApp) {
        let old = person(&app, 1).await;
        app.clock.advance(120);
        let me = person(&app, 1).await;
        let other = person(&app, 2).await;
        let listed = me.get("/api/v1/me/sessions").await.expect(200);
        let listed = listed.as_array().unwrap();
        assert_eq!(listed.len(), 2);
        assert_eq!((&listed[0]["current"], &listed[1]["current"]), (&json!(true), &json!(false)));
        assert_eq!(listed[1]["created_at"], "2022-11-14T12:00:00+08:00");
        assert_eq!(listed[1]["expires_at"], "2022-11-14T20:00:00+08:00");
        let (_, shown) = page(&me, "/me/sessions").await;
        for session in listed {
            assert!(shown.contains(&format!("/me/sessions/{}", text(&session["id"]))));
        }
        // Another's is not there.
        let path = format!("/me/sessions/{}", text(&listed[1]["id"]));
        assert_eq!(other.delete(&format!("/api/v1{path}")).await.problem(404), "not_found");
        assert_eq!(form(&other, &path, "").await.status, 404);
        assert!(for_programs(&old).await);
        assert_eq!(form(&me, &path, "").await.headers["location"], "/me/sessions");
        assert!(!for_programs(&old).await && for_programs(&me).await);
        let own = format!("/me/sessions/{}", text(&listed[0]["id"]));
        assert_eq!(form(&me, &own, "").await.headers["location"], "/");
        assert!(!for_programs(&me).await && for_programs(&other).await);
    }
}

on_both! {
    async fn everything_is_signed_out_at_once(app: TestApp) {
        let app = app.restarted(lift).await;
        let other = person(&app, 2).await;
        let all = [person(&app, 1).await, person(&app, 1).await, person(&app, 1).await];
        // On the pages: the others, then one's own.
        let (_, shown) = page(&all[0], "/me/sessions").await;
        assert!(shown.contains("/me/sessions/others"));
        let done = form(&all[0], "/me/sessions/others", "").await;
        assert_eq!(done.status, 303);
        assert!(for_programs(&all[0]).await && !for_programs(&all[1]).await && !on_pages(&all[2]).await);
        let (_, shown) = page(&all[0], "/me/sessions?ended=others").await;
        assert!(!shown.contains("/me/sessions/others"), "there are none");
        let out = form(&all[0], "/sign-out", "").await;
        assert_eq!(out.headers["clear-site-data"], "\"cache\", \"cookies\", \"storage\"");
        let cleared = out.headers.get_all("set-cookie").iter();
        assert!(cleared.into_iter().any(|line| {
            let line = line.to_str().unwrap();
            line.starts_with("__Host-tb_session=;") && line.contains("Max-Age=0")
        }));
        assert!(!for_programs(&all[0]).await);
        // For programs: all of them, this one too.
        let all = [person(&app, 1).await, person(&app, 1).await];
        all[0].delete("/api/v1/me/sessions").await.expect(204);
        for client in &all {
            assert!(!for_programs(client).await && !on_pages(client).await);
        }
        assert_eq!(form(&all[0], "/me/sessions/others", "").await.headers["location"], "/sign-in?next=%2Fme%2Fsessions");
        assert!(for_programs(&other).await, "nobody else's");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program under test is a process"
)]
fn end_sessions(config: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tuantibu"))
        .args(["sessions", "end", "--config", config])
        .args(arguments)
        .output()
        .unwrap()
}

async fn the_operator_ends_sessions(on: On) {
    let app = TestApp::start(on).await;
    let config = app.folder.join("tuantibu.toml");
    let text = format!(
        "[database]\nurl = \"{}\"\n[keys]\nfile = \"{}\"\n[source]\nurl = \"{}\"\n",
        app.config.database.url,
        app.config.keys.file.display(),
        app.config.source.url
    );
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let [first, second] = [person(&app, 1).await, person(&app, 2).await];
    let again = app.sign_in(&Person::number(1)).await;
    let id = first.get("/api/v1/me").await.expect(200)["person"]["id"].clone();
    let says = |output: Output| {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{error}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(end_sessions(config, &[]).status.code(), Some(2), "whose?");
    assert_eq!(end_sessions(config, &["x"]).status.code(), Some(2));
    assert!(for_programs(&first).await);
    assert_eq!(
        says(end_sessions(config, &[id.as_str().unwrap()])),
        "ended 2\n"
    );
    assert!(!for_programs(&first).await && !on_pages(&again).await);
    assert!(for_programs(&second).await);
    assert_eq!(says(end_sessions(config, &["--all"])), "ended 1\n");
    assert!(!for_programs(&second).await && !on_pages(&second).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_ends_sessions_on_sqlite() {
    the_operator_ends_sessions(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_ends_sessions_on_postgres() {
    the_operator_ends_sessions(On::Postgres).await;
}
