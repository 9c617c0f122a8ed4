//! Every gateway behind every fault: what the member sees, what is recorded, that no text goes out
//! twice, and that all is well again without a restart. The table of docs/CONNECTORS.md is this one.
use crate::{
    app::{On, Person, TestApp, confirm_path},
    support::{fault_proxy::Fault, file, gateways::Gateway},
};
use serde_json::json;
use std::time::Duration;
use tuantibu::config::SmsKind;

/// Each fault, and its words in the table.
const FAULTS: [(Fault, &str); 9] = [
    (
        Fault::Delay(Duration::from_millis(200)),
        "answers 0.2 s late",
    ),
    (
        Fault::Delay(Duration::from_secs(3)),
        "answers after the time is over",
    ),
    (Fault::Refuse, "nobody listens"),
    (Fault::Drop, "takes connections, nothing passes"),
    (Fault::CutRequest(20), "cut 20 bytes into what is asked"),
    (Fault::CutRequest(80), "cut 80 bytes into what is asked"),
    (Fault::CutAnswer(10), "cut 10 bytes into the answer"),
    (Fault::CutAnswer(30), "cut 30 bytes into the answer"),
    (Fault::Garbage, "garbage comes back"),
];

/// What became of the one text that is not `sent`: its state and why.
async fn ends(app: &TestApp) -> Vec<(&'static str, String)> {
    let counts = app.sms_outcomes().await;
    let others = counts.into_iter().filter(|count| count.state != "sent");
    others
        .map(|count| (count.state, count.reason.unwrap_or_default()))
        .collect()
}

/// One line of the table.
async fn line(kind: SmsKind, name: &str, fault: Fault, words: &str) -> String {
    let gateway = Gateway::start(kind).await;
    let app = TestApp::start_with(On::Sqlite, |config| {
        config.sms = gateway.settings();
        // A try more would be refused: what fails must cost none.
        config.limits.sms_phone = 1;
    })
    .await;
    let person = Person::number(1);
    app.put(&person, json!({})).await;
    let client = app.client();
    gateway.proxy.has(fault).await;
    let answer = client.post("/api/v1/sign-in", person.identity()).await;
    let failed = answer.status != 202;
    let saw = if failed {
        assert_eq!(answer.problem(503), "sms_not_sent", "{name}, {words}");
        "短信未发出"
    } else {
        "the code came"
    };
    let ends = ends(&app).await;
    let recorded = match &ends[..] {
        [] => "sent".to_owned(),
        [(state, reason)] => format!("{state}: {reason}"),
        more => panic!("{name}, {words}: {more:?}"),
    };
    assert_eq!(failed, recorded != "sent", "{name}, {words}");
    let came = gateway.codes().await.len();
    assert!(came <= 1, "{name}, {words}: the text came {came} times");
    if recorded.starts_with("failed") {
        assert_eq!(
            came, 0,
            "{name}, {words}: it came, so it is not certain that it did not"
        );
    }
    let recovery = if failed {
        gateway.proxy.has(Fault::None).await;
        // The clock stands: the next try is allowed at once, and is not refused by the day's limit.
        let started = client
            .post("/api/v1/sign-in", person.identity())
            .await
            .expect(202);
        let codes = gateway.codes().await;
        assert_eq!(codes.len(), came + 1, "{name}, {words}");
        let code = json!({ "code": codes.last().unwrap() });
        client.post(&confirm_path(&started), code).await.expect(200);
        "the next try"
    } else {
        "–"
    };
    format!("| {name} | {words} | {saw} | {recorded} | {recovery} |")
}

async fn lines(kind: SmsKind, name: &str) {
    let page = std::fs::read_to_string(file("../docs/CONNECTORS.md")).unwrap_or_default();
    let mut missing = Vec::new();
    for (fault, words) in FAULTS {
        let line = line(kind, name, fault, words).await;
        if !page.lines().any(|there| there == line) {
            missing.push(line);
        }
    }
    let missing = missing.join("\n");
    assert!(missing.is_empty(), "docs/CONNECTORS.md lacks\n{missing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smpp_behind_every_fault_is_as_the_table_says() {
    lines(SmsKind::Smpp, "SMPP").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aliyun_behind_every_fault_is_as_the_table_says() {
    lines(SmsKind::Aliyun, "Aliyun").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tencent_behind_every_fault_is_as_the_table_says() {
    lines(SmsKind::Tencent, "Tencent").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_behind_every_fault_is_as_the_table_says() {
    lines(SmsKind::Webhook, "webhook").await;
}
