//! The connector of the Health Source API: what it reads, and what it believes of a server that is
//! slow, broken, confused or hostile.
use crate::{
    app::START,
    support::{
        Store,
        fault_proxy::{Fault, FaultProxy},
        health_source::{Simulator, connector},
        people::*,
        rules,
    },
};
use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tuantibu::{
    clock::ManualClock,
    source::{
        Answer, HealthSource, SourceError,
        http::HttpSource,
        record::{HealthRecord, read_line},
    },
    web::health_source::Faults,
};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(START.parse().unwrap()))
}

fn wire(n: u32, sampled_at: &str) -> Value {
    json!({
        "name": name(n),
        "document_type": "resident_id",
        "document_number": resident(n),
        "phones": [phone(n)],
        "items": {
            "health_code": { "value": "green" },
            "nucleic_acid": { "result": "negative", "sampled_at": sampled_at },
        },
    })
}

fn record(n: u32) -> HealthRecord {
    let line = wire(n, "2022-11-14T07:00:00+08:00").to_string();
    HealthRecord::check(&read_line(&line).unwrap(), &rules()).unwrap()
}

/// A server that knows the first so many people, and a connector to it.
async fn filled(people: u32, faults: Faults) -> (Simulator, HttpSource) {
    let clock = clock();
    let simulator = Simulator::start(&clock, faults).await;
    for n in 0..people {
        simulator.server.source.put(record(n)).await.unwrap();
    }
    let source = simulator.source(&clock);
    (simulator, source)
}

#[tokio::test]
async fn a_person_is_matched_and_read_as_by_the_embedded_source() {
    let (simulator, source) = filled(3, Faults::default()).await;
    for (name, number, phone) in [
        (name(0), resident(0), phone(0)),
        (name(1), resident(0), phone(0)),
        (name(0), resident(0), phone(1)),
        (name(0), resident(1), phone(0)),
        (name(0), resident(9), phone(0)),
    ] {
        let who = identity(&name, &number, &phone);
        let embedded = simulator.server.source.matches(&who).await.unwrap();
        assert_eq!(source.matches(&who).await.unwrap(), embedded, "{name}");
    }
    let batch = [
        ask(&name(2), &resident(2), &["nucleic_acid", "vaccination"]),
        ask(&name(0), &resident(9), &["nucleic_acid"]),
        ask(&name(1), &resident(0), &["nucleic_acid"]),
        ask(&name(1), &resident(1), &[]),
    ];
    let answers = source.read(&batch).await.unwrap();
    assert_eq!(answers, simulator.server.source.read(&batch).await.unwrap());
    assert!(matches!(&answers[0], Answer::Found { items, .. } if items.len() == 2));
}

#[tokio::test]
async fn more_than_a_thousand_are_read_in_several_questions() {
    let (_simulator, source) = filled(3, Faults::default()).await;
    let batch: Vec<_> = (0..2500)
        .map(|n| ask(&name(n), &resident(n), &["health_code"]))
        .collect();
    let answers = source.read(&batch).await.unwrap();
    assert_eq!(answers.len(), 2500);
    let found = |one: &&Answer| matches!(one, Answer::Found { .. });
    assert_eq!(answers.iter().filter(found).count(), 3);
}

#[tokio::test]
async fn answers_twice_and_in_another_order_are_the_same_answers() {
    let faults = Faults {
        duplicates: true,
        out_of_order: true,
        ..Faults::default()
    };
    let (simulator, source) = filled(3, faults).await;
    let batch: Vec<_> = (0..5)
        .map(|n| ask(&name(n), &resident(n), &["health_code", "nucleic_acid"]))
        .collect();
    let answers = source.read(&batch).await.unwrap();
    assert_eq!(answers, simulator.server.source.read(&batch).await.unwrap());
}

#[tokio::test]
async fn who_is_missing_from_an_answer_is_read_later_and_never_unmatched() {
    let faults = Faults {
        missing_rate: 0.5,
        ..Faults::default()
    };
    let (_simulator, source) = filled(40, faults).await;
    let batch: Vec<_> = (0..40)
        .map(|n| ask(&name(n), &resident(n), &["health_code"]))
        .collect();
    let answers = source.read(&batch).await.unwrap();
    let failed = answers.iter().filter(|one| **one == Answer::Failed).count();
    assert!(0 < failed && failed < 40, "{failed} of 40");
    assert!(!answers.contains(&Answer::NotMatched));
}

#[tokio::test]
async fn an_error_half_an_answer_and_a_clock_that_is_wrong_write_nobody_off() {
    for faults in [
        Faults {
            error_rate: 1.0,
            ..Faults::default()
        },
        Faults {
            half_rate: 1.0,
            ..Faults::default()
        },
        Faults {
            missing_rate: 1.0,
            ..Faults::default()
        },
        Faults {
            clock_skew_seconds: 301,
            ..Faults::default()
        },
        Faults {
            clock_skew_seconds: -301,
            ..Faults::default()
        },
    ] {
        let (_simulator, source) = filled(1, faults.clone()).await;
        let batch = [ask(&name(0), &resident(0), &["health_code"])];
        assert!(source.read(&batch).await.is_err(), "{faults:?}");
        if faults.missing_rate == 0.0 {
            let who = identity(&name(0), &resident(0), &phone(0));
            assert!(source.matches(&who).await.is_err(), "{faults:?}");
        }
    }
    let slow = Faults {
        clock_skew_seconds: 299,
        latency_ms: 50,
        ..Faults::default()
    };
    let (_simulator, source) = filled(1, slow).await;
    let who = identity(&name(0), &resident(0), &phone(0));
    assert!(source.matches(&who).await.unwrap());
}

#[tokio::test]
async fn changes_are_told_page_by_page_and_a_removal_reads_everybody_anew() {
    let (simulator, source) = filled(2, Faults::default()).await;
    let cursor = source.cursor().await.unwrap().unwrap();
    let none = source.changes(&cursor).await.unwrap().unwrap();
    let hash = |n: u32| simulator.store.keys.document_hash(&document(&resident(n)));
    assert!(!none.touch(&hash(0)));
    simulator.server.source.put(record(1)).await.unwrap();
    simulator.server.source.put(record(2)).await.unwrap();
    let some = source.changes(&cursor).await.unwrap().unwrap();
    let touched: Vec<bool> = (0..4).map(|n| some.touch(&hash(n))).collect();
    assert_eq!(touched, [false, true, true, false]);

    // One import is one change of many, which ends no page.
    let lines: Vec<String> = (10..6010)
        .map(|n| wire(n, "2022-11-14T07:00:00+08:00").to_string())
        .collect();
    let options = tuantibu::source::import::Options {
        format: tuantibu::source::import::Format::Ndjson,
        strict: false,
        rules: rules(),
    };
    let import = tuantibu::source::import::import(
        &simulator.server.source,
        std::io::Cursor::new(lines.join("\n")),
        &options,
        |_| {},
    );
    assert_eq!(import.await.unwrap().failed, 0);
    let many = source.changes(&cursor).await.unwrap().unwrap();
    let touched = (0..7000).filter(|n| many.touch(&hash(*n))).count();
    assert_eq!(touched, 6002);

    let first = document(&resident(0));
    assert!(simulator.server.source.remove(&first).await.unwrap());
    assert!(source.changes(&cursor).await.unwrap().is_none());
}

/// A server that gives one answer to every reading.
async fn saying(answers: Value) -> (Store, HttpSource) {
    let body = json!({ "answers": answers });
    let app = Router::new()
        .route("/v1/read", post(async move || Json(body.clone())))
        .route(
            "/v1/match",
            post(async || Json(json!({ "outcome": "later" }))),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let store = Store::new().await;
    let source = connector(&format!("http://{address}/v1"), &store.keys, &clock());
    (store, source)
}

fn answer(n: u32, outcome: &str, record: Value) -> Value {
    json!({
        "document_type": "resident_id",
        "document_number": resident(n),
        "outcome": outcome,
        "record": record,
    })
}

#[tokio::test]
async fn a_record_of_somebody_else_is_nobodys() {
    let noon = "2022-11-14T12:00:00+08:00";
    let mut renamed = wire(0, noon);
    renamed["name"] = json!("某某某");
    let mut strange = wire(0, noon);
    strange["items"]["nucleic_acid"]["result"] = json!("fine");
    let mut more = wire(0, noon);
    more["address"] = json!("somewhere");
    let known = answer(1, "found", wire(1, noon));
    for (first, expected) in [
        (answer(0, "found", wire(1, noon)), Answer::Failed),
        (answer(0, "found", renamed), Answer::NotMatched),
        (answer(0, "found", strange), Answer::Failed),
        (answer(0, "found", more), Answer::Failed),
        (answer(0, "found", Value::Null), Answer::Failed),
        (answer(0, "found", json!([])), Answer::Failed),
        (answer(0, "try_later", Value::Null), Answer::Failed),
        (answer(0, "no_record", wire(0, noon)), Answer::NotMatched),
    ] {
        let (_store, source) = saying(json!([first, known.clone()])).await;
        let batch = [0, 1].map(|n| ask(&name(n), &resident(n), &["nucleic_acid"]));
        let answers = source.read(&batch).await.unwrap();
        assert_eq!(answers[0], expected, "{first}");
        assert!(
            matches!(answers[1], Answer::Found { .. }),
            "the other is read"
        );
    }
}

#[tokio::test]
async fn of_two_records_the_newest_test_counts_and_two_outcomes_count_nothing() {
    let (early, late) = ("2022-11-13T07:00:00+08:00", "2022-11-14T07:00:00+08:00");
    let found = |at| answer(0, "found", wire(0, at));
    let read = async |answers: Value| {
        let (_store, source) = saying(answers).await;
        let batch = [
            ask(&name(0), &resident(0), &["nucleic_acid"]),
            ask(&name(1), &resident(1), &[]),
        ];
        source.read(&batch).await.unwrap().swap_remove(0)
    };
    let other = answer(1, "no_record", Value::Null);
    let newest = read(json!([found(late), other])).await;
    assert_eq!(
        read(json!([found(early), found(late), other])).await,
        newest
    );
    assert_eq!(
        read(json!([found(late), found(early), other])).await,
        newest
    );
    let torn = json!([found(late), answer(0, "no_record", Value::Null), other]);
    assert_eq!(read(torn).await, Answer::Failed);
}

#[tokio::test]
async fn an_answer_about_who_was_not_asked_for_and_an_unknown_outcome_are_no_answers() {
    let noon = "2022-11-14T12:00:00+08:00";
    let batch = [ask(&name(0), &resident(0), &["nucleic_acid"])];
    for answers in [
        json!([
            answer(0, "found", wire(0, noon)),
            answer(5, "found", wire(5, noon))
        ]),
        json!([answer(0, "perhaps", Value::Null)]),
        json!({}),
        json!([17]),
    ] {
        let (_store, source) = saying(answers.clone()).await;
        let outcome = source.read(&batch).await;
        assert!(matches!(outcome, Err(SourceError::Garbage(_))), "{answers}");
    }
    let (_store, source) = saying(json!([])).await;
    let who = identity(&name(0), &resident(0), &phone(0));
    let outcome = source.matches(&who).await;
    assert!(matches!(outcome, Err(SourceError::Garbage(_))));
}

#[tokio::test]
async fn whatever_breaks_on_the_way_is_an_outage_and_it_recovers_by_itself() {
    let (simulator, _) = filled(1, Faults::default()).await;
    let proxy = FaultProxy::before(simulator.address).await;
    let url = format!("http://{}/v1", proxy.address);
    let source = connector(&url, &simulator.store.keys, &clock());
    let batch = [ask(&name(0), &resident(0), &["health_code"])];
    let who = identity(&name(0), &resident(0), &phone(0));
    for fault in [
        Fault::Refuse,
        Fault::Garbage,
        Fault::CutRequest(40),
        Fault::CutAnswer(40),
        Fault::CutAnswer(200),
        Fault::Drop,
    ] {
        proxy.has(fault).await;
        let limit = Duration::from_secs(20);
        let read = tokio::time::timeout(limit, source.read(&batch))
            .await
            .unwrap();
        assert!(read.is_err(), "{fault:?}");
        proxy.has(Fault::None).await;
        assert!(source.matches(&who).await.unwrap(), "after {fault:?}");
    }
    proxy.has(Fault::Delay(Duration::from_millis(200))).await;
    assert!(source.read(&batch).await.is_ok());
}
