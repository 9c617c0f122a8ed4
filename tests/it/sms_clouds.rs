//! Both clouds: what is sent, and that their own packages sign and send the same.
use crate::{
    app::{On, Person, TestApp, confirm_path},
    services,
    support::{
        file,
        gateways::{CLOUD_SECRET, Gateway, SIGNATURE, taken},
        receiver::{Received, Reply},
    },
};
use axum::{body::Body, http::Request};
use serde_json::{Map, Value, json};
use std::process::{Command, Stdio};
use tuantibu::{
    actions::sms_outcomes,
    config::{Purpose, SmsKind},
    sms::{acs3, tc3},
};

/// Asks a cloud's own package.
#[expect(
    clippy::disallowed_methods,
    reason = "the package is a program of Python's"
)]
fn vendor(what: &str, cloud: &str, asked: &Value) -> String {
    use std::io::Write;
    let mut python = Command::new(services::python())
        .arg(file("vendors/clouds.py"))
        .args([what, cloud])
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    input.write_all(asked.to_string().as_bytes()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{cloud}'s package failed");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn query(received: &Received) -> Map<String, Value> {
    let query = received.uri.query().unwrap_or_default().as_bytes();
    url::form_urlencoded::parse(query)
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect()
}

/// The names in `SignedHeaders=`, and the values that came.
fn signed(received: &Received) -> Vec<(String, String)> {
    let authorization = received.header("authorization");
    let names = authorization.split("SignedHeaders=").nth(1).unwrap();
    let names = names.split(',').next().unwrap().split(';');
    names
        .map(|name| (name.to_owned(), received.header(name).to_owned()))
        .collect()
}

/// A code that went out to somebody by a cloud: the request, the gateway and the code.
async fn send(kind: SmsKind, language: Option<&str>) -> (Gateway, Received) {
    let gateway = Gateway::start(kind).await;
    let app = TestApp::start_with(On::Sqlite, |config| config.sms = gateway.settings()).await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    let client = app.client();
    let mut request = Request::post("/api/v1/sign-in").header("content-type", "application/json");
    if let Some(language) = language {
        request = request.header("accept-language", language);
    }
    let body = Body::from(person.identity().to_string());
    let started = client.raw(request.body(body).unwrap()).await.expect(202);
    let code = json!({ "code": gateway.codes().await.last().unwrap() });
    client.post(&confirm_path(&started), code).await.expect(200);
    let request = gateway.receiver().received().remove(0);
    (gateway, request)
}

fn asked(gateway: &Gateway, request: &Received) -> Value {
    let headers: Map<String, Value> = signed(request)
        .into_iter()
        .map(|(name, value)| (name, json!(value)))
        .collect();
    json!({
        "account": "not-an-id",
        "secret": CLOUD_SECRET,
        "endpoint": gateway.proxy.address.to_string(),
        "method": request.method.as_str(),
        "path": request.uri.path(),
        "query": query(request),
        "headers": headers,
        "body": String::from_utf8(request.bytes.clone()).unwrap(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aliyuns_own_package_signs_and_sends_the_same() {
    let (gateway, ours) = send(SmsKind::Aliyun, None).await;
    assert_eq!((ours.method.as_str(), ours.uri.path()), ("POST", "/"));
    let text = Value::Object(query(&ours));
    let number = Person::number(1).phone().to_owned();
    assert_eq!(text["PhoneNumbers"], number);
    assert_eq!(text["SignName"], SIGNATURE);
    assert_eq!(text["TemplateCode"], "SMS_1000");
    assert_eq!(ours.header("x-acs-date"), "2022-11-14T04:00:00Z");
    let asked_of_ours = asked(&gateway, &ours);
    assert_eq!(
        ours.header("authorization"),
        vendor("sign", "aliyun", &asked_of_ours),
        "the package signs our request as we do"
    );
    let mut order = asked_of_ours;
    order["text"] = text.clone();
    assert_eq!(vendor("send", "aliyun", &order), "OK");
    let theirs = gateway.receiver().received().remove(1);
    assert_eq!((&theirs.method, theirs.uri.path()), (&ours.method, "/"));
    assert_eq!(Value::Object(query(&theirs)), text);
    assert_eq!(theirs.bytes, ours.bytes);
    for name in [
        "x-acs-action",
        "x-acs-version",
        "x-acs-content-sha256",
        "host",
        "accept",
    ] {
        assert_eq!(theirs.header(name), ours.header(name), "{name}");
    }
    for name in ["x-acs-date", "x-acs-signature-nonce"] {
        assert_eq!(theirs.header(name).len(), ours.header(name).len(), "{name}");
    }
    // And we sign what the package sent as it did.
    let headers = signed(&theirs);
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let pairs = query(&theirs);
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str().unwrap()))
        .collect();
    let request = acs3::Request {
        method: "POST",
        path: "/",
        query: &pairs,
        headers: &headers,
        body_hash: &acs3::hash(&theirs.bytes),
    };
    assert_eq!(
        theirs.header("authorization"),
        acs3::authorization("not-an-id", CLOUD_SECRET.as_bytes(), &request)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tencents_own_package_signs_and_sends_the_same() {
    let (gateway, ours) = send(SmsKind::Tencent, None).await;
    assert_eq!((ours.method.as_str(), ours.uri.path()), ("POST", "/"));
    let number = format!("+86{}", Person::number(1).phone());
    assert_eq!(ours.body["PhoneNumberSet"], json!([number]));
    assert_eq!(ours.body["SmsSdkAppId"], "1400000000");
    assert_eq!(ours.body["TemplateId"], "1000");
    assert_eq!(ours.header("x-tc-timestamp"), "1668398400");
    let mut order = asked(&gateway, &ours);
    order["headers"]["x-tc-timestamp"] = json!("1668398400");
    assert_eq!(
        ours.header("authorization"),
        vendor("sign", "tencent", &order),
        "the package signs our request as we do"
    );
    order["text"] = ours.body.clone();
    assert_eq!(vendor("send", "tencent", &order), "Ok");
    let theirs = gateway.receiver().received().remove(1);
    assert_eq!((&theirs.method, theirs.uri.path()), (&ours.method, "/"));
    assert_eq!(theirs.body, ours.body);
    for name in [
        "x-tc-action",
        "x-tc-version",
        "x-tc-region",
        "host",
        "content-type",
    ] {
        assert_eq!(theirs.header(name), ours.header(name), "{name}");
    }
    // And we sign what the package sent as it did.
    let signer = tc3::Signer {
        key_id: "not-an-id",
        secret: CLOUD_SECRET.as_bytes(),
        service: "sms",
    };
    let at = theirs.header("x-tc-timestamp").parse().unwrap();
    let at = jiff::Timestamp::from_second(at).unwrap();
    let from = (theirs.header("content-type"), theirs.header("host"));
    assert_eq!(
        theirs.header("authorization"),
        tc3::authorization(&signer, from, at, &theirs.bytes)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_the_template_of_its_language() {
    let (_, request) = send(SmsKind::Aliyun, Some("en")).await;
    assert_eq!(query(&request)["TemplateCode"], "SMS_2000");
    let (_, request) = send(SmsKind::Tencent, Some("en")).await;
    assert_eq!(request.body["TemplateId"], "2000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_cloud_says_is_told_by_its_code_and_never_by_its_words() {
    let aliyun = |code: &str| Reply::Json(200, json!({"Code": code, "Message": "13800000000"}));
    let sent = |code: &str| {
        let status = json!([{"Code": code, "Message": "13800000000"}]);
        Reply::Json(
            200,
            json!({"Response": {"SendStatusSet": status, "RequestId": "R"}}),
        )
    };
    let error = |code: &str| {
        let error = json!({"Code": code, "Message": "13800000000"});
        Reply::Json(200, json!({"Response": {"Error": error, "RequestId": "R"}}))
    };
    for (kind, reply, state, reason) in [
        (
            SmsKind::Aliyun,
            aliyun("isv.MOBILE_NUMBER_ILLEGAL"),
            "failed",
            "isv.MOBILE_NUMBER_ILLEGAL",
        ),
        (
            SmsKind::Aliyun,
            aliyun("isv.AMOUNT_NOT_ENOUGH"),
            "failed",
            "isv.AMOUNT_NOT_ENOUGH",
        ),
        (
            SmsKind::Aliyun,
            aliyun("isp.SYSTEM_ERROR"),
            "unknown",
            "isp.SYSTEM_ERROR",
        ),
        (
            SmsKind::Aliyun,
            aliyun("13800000000"),
            "failed",
            "an unreadable code",
        ),
        (
            SmsKind::Aliyun,
            Reply::Status(200),
            "unknown",
            "status 200 and an unreadable answer",
        ),
        (
            SmsKind::Aliyun,
            Reply::Status(403),
            "failed",
            "status 403 and an unreadable answer",
        ),
        (
            SmsKind::Aliyun,
            Reply::Endless,
            "unknown",
            "status 200 and an unreadable answer",
        ),
        (
            SmsKind::Tencent,
            sent("LimitExceeded.PhoneNumberDailyLimit"),
            "failed",
            "LimitExceeded.PhoneNumberDailyLimit",
        ),
        (
            SmsKind::Tencent,
            error("AuthFailure.SignatureFailure"),
            "failed",
            "AuthFailure.SignatureFailure",
        ),
        (
            SmsKind::Tencent,
            error("InternalError.Timeout"),
            "unknown",
            "InternalError.Timeout",
        ),
        (
            SmsKind::Tencent,
            Reply::Json(200, json!({"Response": {}})),
            "unknown",
            "status 200 and an unreadable answer",
        ),
    ] {
        let gateway = Gateway::start(kind).await;
        gateway.receiver().answers(reply);
        let app = TestApp::start_with(On::Sqlite, |config| config.sms = gateway.settings()).await;
        let person = Person::number(1);
        app.put(&person, json!({})).await;
        let answer = app
            .client()
            .post("/api/v1/sign-in", person.identity())
            .await;
        assert_eq!(answer.problem(503), "sms_not_sent", "{reason}");
        let counts = sms_outcomes::counts(&app.app, 1).await.unwrap();
        assert_eq!(counts.len(), 1);
        assert_eq!(
            (counts[0].state, counts[0].reason.as_deref()),
            (state, Some(reason))
        );
        gateway.receiver().answers(taken(kind));
        app.client()
            .post("/api/v1/sign-in", person.identity())
            .await
            .expect(202);
    }
}

#[tokio::test]
async fn settings_that_a_cloud_would_refuse_stop_the_start() {
    let gateway = Gateway::start(SmsKind::Aliyun).await;
    let fine = gateway.settings();
    let start = async |change: &dyn Fn(&mut tuantibu::config::Sms)| {
        let mut settings = fine.clone();
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let mut config = tuantibu::config::Config::default();
        config.database.url = format!("sqlite:{}", folder.path().join("x.db").display());
        config.keys.file = folder.path().join("root.key");
        config.source.url = folder.path().join("source.db").display().to_string();
        config.sms = settings;
        let started = tuantibu::app::App::start(config, tuantibu::app::Parts::default()).await;
        started
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert_eq!(start(&|_| ()).await, "");
    let words = start(&|sms| {
        sms.templates
            .get_mut("zh-CN")
            .unwrap()
            .insert(Purpose::Join, "1002".into());
    });
    assert_eq!(
        words.await,
        "sms.templates: zh-CN.join: not a template's id"
    );
    let words = start(&|sms| {
        for purposes in sms.templates.values_mut() {
            purposes.remove(&Purpose::Leave);
        }
    });
    assert_eq!(words.await, "sms.templates: none for leave in any language");
    let words = start(&|sms| sms.sender = "【团体簿】".into()).await;
    assert!(words.starts_with("sms.sender: "), "{words}");
    let words = start(&|sms| sms.account.clear()).await;
    assert!(words.starts_with("sms.account: "), "{words}");
    let words = start(&|sms| sms.url = "http://dysmsapi.aliyuncs.com".into()).await;
    assert!(words.starts_with("sms.url: must be https"), "{words}");
    let words = start(&|sms| {
        sms.fallback = Some(Box::new(tuantibu::config::Sms {
            kind: SmsKind::Tencent,
            account: "not-an-id".into(),
            ..Default::default()
        }));
    });
    assert_eq!(
        words.await,
        "sms.fallback.application: the SdkAppId, digits"
    );
}
