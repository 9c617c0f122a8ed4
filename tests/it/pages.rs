//! Pages beside the browser's tests: what their script asks for, and the demo's address for phones.
use crate::{
    app::{Client, On, Person, TestApp, owned},
    code_image::decoded,
    on_both,
};
use axum::{body::Body, http::Request};
use serde_json::json;

/// A page as a browser that is signed in asks for it.
async fn page(client: &Client, path: &str) -> (u16, String) {
    let token = client.bearer.clone().unwrap_or_default();
    let request = Request::get(path).header("cookie", format!("__Host-tb_session={token}"));
    let answer = client.raw(request.body(Body::empty()).unwrap()).await;
    (answer.status, String::from_utf8(answer.bytes).unwrap())
}

on_both! {
    async fn the_counts_that_a_page_asks_for_show_nobody_and_are_no_view(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        let joined = app.member(&register, &person).await;
        let member = app.client().with(joined["token"].as_str());
        app.clock.advance(1);
        let counts = format!("/registers/{}/counts?verdict=meets", register.id);
        let (status, shown) = page(&owner, &counts).await;
        assert_eq!(status, 200);
        assert!(shown.contains("data-live=\"summary\"") && shown.contains("aria-current"));
        assert!(!shown.contains(&person.name) && !shown.contains("110*"));
        let log = member.get("/api/v1/me/access-log").await.expect(200);
        assert_eq!(log, json!([]), "nobody looked at the list");

        let list = format!("/registers/{}", register.id);
        let (_, shown) = page(&owner, &list).await;
        assert!(shown.contains(&person.name) && shown.contains("/counts\""));
        let log = member.get("/api/v1/me/access-log").await.expect(200);
        assert_eq!(log.as_array().unwrap().len(), 1);

        let another = Person::number(2);
        app.put(&another, json!({})).await;
        let other = app.sign_in(&another).await;
        assert_eq!(page(&other, &counts).await.0, 404);
        assert_eq!(page(&app.client(), &counts).await.0, 303, "to signing in");
    }
}

on_both! {
    async fn a_page_that_is_left_open_keeps_no_session(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let counts = format!("/registers/{}/counts", register.id);
        for _ in 0..29 {
            app.clock.advance(60);
            assert_eq!(page(&owner, &counts).await.0, 200);
        }
        app.clock.advance(60);
        assert_eq!(page(&owner, &counts).await.0, 303, "30 minutes without a finger");
        assert_eq!(owner.get("/api/v1/me").await.problem(401), "not_signed_in");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_phones_its_address_where_they_can_open_it() {
    for (url, opens) in [
        ("http://192.168.1.5:8080", true),
        ("http://127.0.0.1:8080", false),
    ] {
        let app = TestApp::start_with(On::Sqlite, |config| config.server.public_url = url.into());
        let app = app.await;
        let client = app.client();
        let (_, home) = page(&client, "/").await;
        assert_eq!(home.contains("/demo/address.png"), opens, "{url}");
        let image = Request::get("/demo/address.png")
            .body(Body::empty())
            .unwrap();
        let image = client.raw(image).await;
        assert_eq!(image.status, if opens { 200 } else { 404 }, "{url}");
        if opens {
            let path = app.folder.join("address.png");
            std::fs::write(&path, &image.bytes).unwrap();
            let address = format!("{url}/");
            assert_eq!(decoded(&path), [address.clone(), address]);
        }
    }
}

#[test]
fn no_page_has_a_script_a_handler_or_a_style_of_its_own() {
    fn all(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all(&path, found);
            } else {
                let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
                found.push((path.display().to_string(), text));
            }
        }
    }
    let mut templates = Vec::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    all(&root.join("templates"), &mut templates);
    assert!(templates.len() > 50);
    let scripts = ["script.js", "passkey.js"];
    for (name, mut text) in templates {
        for script in scripts {
            let own = format!("<script src=\"{{{{ p.asset(\"{script}\") }}}}\" defer></script>");
            text = text.replace(&own, "");
        }
        for word in [
            "<script",
            "<style",
            " style=",
            " onclick=",
            " onload=",
            " onerror=",
            "javascript:",
        ] {
            assert!(!text.contains(word), "{name}: {word}");
        }
    }
    let script = scripts
        .map(|name| std::fs::read_to_string(root.join("assets").join(name)).unwrap())
        .concat();
    for word in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ] {
        assert!(!script.contains(word), "{word}");
    }
}
