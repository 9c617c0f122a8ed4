//! Cookies, each to its letter: over https, over the demo's http, and in `serve`, which knows no other.
use super::{Got, Site, request};
use crate::app::{On, Person, TestApp, owned};
use std::sync::Arc;
use tuantibu::{
    app::{App, Parts},
    config::SmsKind,
    source::faults::Fault,
};

/// The cookies that an answer sets, each with the value of a secret left out.
fn set(got: &Got) -> Vec<String> {
    let lines = got.headers.get_all("set-cookie").iter();
    let lines = lines.map(|line| {
        let line = line.to_str().unwrap();
        let (pair, attributes) = line.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let value = if value.is_empty() || name == "tb_lang" {
            value
        } else {
            "…"
        };
        format!("{name}={value}; {attributes}")
    });
    lines.collect()
}

/// A browser that keeps what it is told.
struct Browser {
    site: Site,
    jar: Vec<(String, String)>,
    /// Every line that set a cookie to something.
    seen: Vec<String>,
}

impl Browser {
    fn new(site: Site) -> Self {
        let (jar, seen) = (Vec::new(), Vec::new());
        Self { site, jar, seen }
    }

    async fn ask(&mut self, method: &str, path: &str, form: &[(&str, &str)]) -> Got {
        let jar: Vec<String> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let asked = request(method, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("cookie", jar.join("; "));
        let body = serde_urlencoded::to_string(form).unwrap();
        let got = self.site.ask(asked, body).await;
        for line in got.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let pair = line.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.jar.retain(|(own, _)| own != name);
            if !value.is_empty() {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
        self.seen.extend(set(&got));
        got
    }
}

fn identity(person: &Person) -> Vec<(&str, &str)> {
    vec![
        ("name", &person.name),
        ("document_type", "resident_id"),
        ("document_number", &person.document),
        ("phone", person.phone()),
    ]
}

/// What the journeys of a browser set, in the names of https.
const EVERY: &[&str] = &[
    "__Host-tb_flow=…; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600",
    "__Host-tb_verification=…; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800",
    "__Host-tb_session=…; Path=/; Secure; HttpOnly; SameSite=Lax",
    "__Host-tb_joined=…; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800",
    "__Host-tb_pending=…; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=86400",
    "tb_lang=en; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000",
];
const FORGOTTEN: &[&str] = &[
    "__Host-tb_session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
    "__Host-tb_flow=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
    "__Host-tb_pending=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
    "__Host-tb_verification=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
    "__Host-tb_joined=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
];

/// The same as a demo over http sets it: browsers take neither the prefix nor `Secure` there.
fn over_http(line: &str) -> String {
    line.replace("__Host-", "").replace("; Secure", "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browsers_journeys_set_these_cookies_and_no_other() {
    for (url, is_https) in [
        ("https://register.example", true),
        ("http://127.0.0.1:8080", false),
    ] {
        let app = TestApp::start_with(On::Sqlite, |config| config.server.public_url = url.into());
        let app = app.await;
        let (_, register) = owned(&app).await;
        let (member, waits) = (Person::number(1), Person::number(2));
        app.put(&member, app.healthy()).await;
        let mut browser = Browser::new(Site::of(&app));
        browser.ask("GET", "/?lang=en", &[]).await;
        let mut consent = vec![
            ("step", "send"),
            ("sharing", "details"),
            ("accepted", "yes"),
            ("version", tuantibu::actions::join_terms::CONSENT_VERSION),
            ("items", "health_code"),
            ("items", "nucleic_acid"),
        ];
        let join = format!("/j/{}", register.code);
        let mut form = identity(&member);
        form.extend(&consent);
        let got = browser.ask("POST", &join, &form).await;
        assert_eq!(got.status, 303, "{}", got.text());
        let code = app.code(member.phone());
        let got = browser.ask("POST", "/verify", &[("code", &code)]).await;
        assert_eq!(got.status, 303, "{}", got.text());
        app.source_is(Fault::Down);
        let mut form = identity(&waits);
        form.append(&mut consent);
        let mut other = Browser::new(Site::of(&app));
        let got = other.ask("POST", &join, &form).await;
        assert_eq!(got.status, 303, "{}", got.text());
        let name = |line: &str| {
            if is_https {
                line.to_owned()
            } else {
                over_http(line)
            }
        };
        let mut seen: Vec<String> = browser.seen.drain(..).chain(other.seen).collect();
        seen.retain(|line| !line.ends_with("Max-Age=0"));
        seen.sort();
        seen.dedup();
        let mut wanted: Vec<String> = EVERY.iter().map(|line| name(line)).collect();
        wanted.sort();
        assert_eq!(seen, wanted, "{url}");
        // Signing out forgets everything but the language.
        let got = browser.ask("POST", "/sign-out", &[]).await;
        assert_eq!((got.status, got.header("location")), (303, Some("/")));
        assert_eq!(
            got.header("clear-site-data"),
            Some("\"cache\", \"cookies\", \"storage\"")
        );
        let forgotten: Vec<String> = FORGOTTEN.iter().map(|line| name(line)).collect();
        assert_eq!(set(&got), forgotten, "{url}");
        assert_eq!(browser.ask("GET", "/me", &[]).await.status, 303);
    }
}

/// The program as `serve` runs it, on a demo's database.
async fn serving(app: &TestApp, url: &str) -> Site {
    let mut config = app.config.clone();
    config.server.public_url = url.into();
    config.sms.kind = SmsKind::None;
    let parts = Parts {
        clock: app.clock.clone(),
        ..Parts::default()
    };
    let app: Arc<App> = App::start(config, parts).await.unwrap();
    Site::new(app)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_knows_host_bound_cookies_alone_whatever_its_address() {
    let app = TestApp::start(On::Sqlite).await;
    let (owner, _) = owned(&app).await;
    let token = owner.bearer.clone().unwrap();
    for url in ["https://register.example", "http://register.example"] {
        let site = serving(&app, url).await;
        let me = |name: &str| request("GET", "/me").header("cookie", format!("{name}={token}"));
        assert_eq!(site.ask(me("__Host-tb_session"), "").await.status, 200);
        for name in ["tb_session", "__host-tb_session", "__Secure-tb_session"] {
            assert_eq!(site.ask(me(name), "").await.status, 303, "{name}");
        }
        let got = site.ask(request("GET", "/?lang=en"), "").await;
        assert_eq!(set(&got), [EVERY[5]]);
        let out = request("POST", "/sign-out").header("sec-fetch-site", "same-origin");
        assert_eq!(set(&site.ask(out, "").await), FORGOTTEN);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_in_is_led_to_no_other_site() {
    let app = TestApp::start(On::Sqlite).await;
    for (n, (next, wanted)) in [
        ("/me/sessions?ended=one", "/me/sessions?ended=one"),
        ("//evil.example", "/me"),
        ("///evil.example", "/me"),
        ("https://evil.example/", "/me"),
        ("/\\evil.example", "/me"),
        ("\\\\evil.example", "/me"),
        ("/\t/evil.example", "/me"),
        ("/me\r\nlocation: //evil.example", "/me"),
        ("javascript:alert(1)", "/me"),
    ]
    .into_iter()
    .enumerate()
    {
        let person = Person::number(n + 1);
        app.put(&person, serde_json::json!({})).await;
        let mut browser = Browser::new(Site::of(&app));
        let mut form = identity(&person);
        form.push(("next", next));
        let got = browser.ask("POST", "/sign-in", &form).await;
        assert_eq!(got.header("location"), Some("/verify"), "{next:?}");
        let code = app.code(person.phone());
        let got = browser.ask("POST", "/verify", &[("code", &code)]).await;
        assert_eq!(got.header("location"), Some(wanted), "{next:?}");
        // Who is signed in already is led on at once.
        let query = serde_urlencoded::to_string([("next", next)]).unwrap();
        let got = browser.ask("GET", &format!("/sign-in?{query}"), &[]).await;
        assert_eq!(got.header("location"), Some(wanted), "{next:?}");
    }
}
