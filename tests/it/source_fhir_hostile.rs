//! The FHIR source against servers that are hostile, broken or merely odd.
use crate::support::{
    catalogue,
    fake_fhir::{Asked, FakeFhir, Reply, Sentinel, bundle},
    people::*,
    shanghai,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tuantibu::{
    model::{
        health::{ItemRecord, TestResult},
        phone::Regions,
    },
    source::{
        Answer, HealthSource, SourceError,
        fhir::{FhirConfig, FhirSource, RESIDENT_ID_SYSTEM},
    },
};

const ITEMS: [&str; 2] = ["nucleic_acid", "vaccination"];

fn source_at(base: &str, change: impl FnOnce(&mut FhirConfig)) -> FhirSource {
    let mut config = FhirConfig::new(base, shanghai(), Regions::default()).unwrap();
    config.timeout = Duration::from_millis(500);
    change(&mut config);
    let now = "2022-11-14T23:58:00+08:00".parse().unwrap();
    FhirSource::new(config, catalogue(), Arc::new(move || now)).unwrap()
}

fn source(server: &FakeFhir) -> FhirSource {
    source_at(&server.base, |_| {})
}

fn patient(n: u32) -> Value {
    json!({
        "resourceType": "Patient", "id": format!("p{n}"),
        "identifier": [{"system": RESIDENT_ID_SYSTEM, "value": resident(n)}],
        "name": [{"family": "王", "given": [format!("小{}", name(n))]}],
        "telecom": [{"system": "phone", "value": phone(n)}],
    })
}

fn called(n: u32) -> String {
    format!("王小{}", name(n))
}

fn observation(n: u32, result: &str, at: &str) -> Value {
    let code = if result == "positive" {
        "260373001"
    } else {
        "260415000"
    };
    json!({
        "resourceType": "Observation", "id": format!("o{n}{at}"), "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "94500-6"}]},
        "subject": {"reference": format!("Patient/p{n}")}, "effectiveDateTime": at,
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
    })
}

/// A server of one patient and, for each type, a reply.
async fn of_one(reply: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> FakeFhir {
    FakeFhir::start(move |asked| {
        if let Some(reply) = reply(asked) {
            return reply;
        }
        match &*asked.path {
            "/Patient" => Reply::Json(bundle(&[patient(0)], None)),
            _ => Reply::Json(bundle(&[], None)),
        }
    })
    .await
}

/// A server of one patient with these observations.
async fn of_tests(tests: Vec<Value>) -> FakeFhir {
    of_one(move |asked| (asked.path == "/Observation").then(|| Reply::Json(bundle(&tests, None))))
        .await
}

async fn read(server: &FakeFhir) -> Result<Answer, SourceError> {
    let batch = [ask(&called(0), &resident(0), &ITEMS)];
    let answers = source(server).read(&batch).await;
    answers.map(|mut answers| answers.remove(0))
}

async fn newest(server: &FakeFhir) -> Option<ItemRecord> {
    match read(server).await {
        Ok(Answer::Found { mut items, .. }) => items.remove("nucleic_acid").unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn result(tests: Vec<Value>) -> Option<TestResult> {
    match newest(&of_tests(tests).await).await {
        Some(ItemRecord::Test { result, .. }) => Some(result),
        None => None,
        other => panic!("{other:?}"),
    }
}

fn is_garbage(answer: &Result<Answer, SourceError>) -> bool {
    matches!(answer, Err(SourceError::Garbage(_)))
}

#[tokio::test]
async fn a_next_link_to_elsewhere_is_refused_without_a_connection() {
    let sentinel = Sentinel::start().await;
    let away = [
        format!("{}/fhir/Observation?page=2", sentinel.url),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://127.0.0.1:1/fhir/Observation".to_owned(),
        "/admin".to_owned(),
        "../admin".to_owned(),
        "file:///etc/passwd".to_owned(),
    ];
    for link in away {
        let server = of_one({
            let link = link.clone();
            move |asked| {
                (asked.path == "/Observation").then(|| {
                    Reply::Json(bundle(
                        &[observation(0, "negative", "2022-11-14T07:00:00+08:00")],
                        Some(&link),
                    ))
                })
            }
        })
        .await;
        assert!(is_garbage(&read(&server).await), "{link}");
        assert!(
            server
                .requests()
                .iter()
                .all(|url| url.starts_with("/fhir/"))
        );
    }
    assert_eq!(sentinel.heard(), 0);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let sentinel = Sentinel::start().await;
    for to in [sentinel.url.clone(), "/fhir/Patient?again".to_owned()] {
        let server = FakeFhir::start(move |_| Reply::Redirect(to.clone())).await;
        assert!(is_garbage(&read(&server).await));
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(sentinel.heard(), 0);
}

#[tokio::test]
async fn pages_without_end_or_in_a_circle_end() {
    let endless = of_one(|asked| {
        let page: u32 = asked
            .query
            .get("page")
            .map_or(0, |page| page.parse().unwrap());
        let next = format!("{}{}?page={}", asked.base, asked.path, page + 1);
        (asked.path == "/Observation").then(|| Reply::Json(bundle(&[], Some(&next))))
    })
    .await;
    assert!(is_garbage(&read(&endless).await));
    assert_eq!(endless.requests().len(), 2 + 100);

    let circle = of_one(|asked| {
        let next = format!("{}/Observation?page=2", asked.base);
        (asked.path == "/Observation").then(|| Reply::Json(bundle(&[], Some(&next))))
    })
    .await;
    assert!(is_garbage(&read(&circle).await));
    assert!(circle.requests().len() < 6);
}

#[tokio::test]
async fn pages_larger_than_allowed_are_not_read() {
    let server =
        FakeFhir::start(|_| Reply::Raw(200, "application/fhir+json", vec![b' '; 6 * 1024 * 1024]))
            .await;
    assert!(is_garbage(&read(&server).await));
}

#[tokio::test]
async fn strangers_records_are_dropped() {
    let own = observation(0, "negative", "2022-11-12T07:00:00+08:00");
    let mut others = Vec::new();
    for reference in [
        json!({"reference": "Patient/p1"}),
        json!({"reference": "http://elsewhere.example/fhir/Patient/p0"}),
        json!({"reference": "urn:uuid:0"}),
        json!({"reference": "Group/p0"}),
        json!({"display": "somebody"}),
        json!("Patient/p0"),
        Value::Null,
    ] {
        let mut other = observation(0, "positive", "2022-11-14T07:00:00+08:00");
        other["subject"] = reference;
        others.push(other);
    }
    // A stranger's record is dropped unread, whatever stands in it.
    let mut odd = observation(1, "positive", "2022-11-14T07:00:00+08:00");
    odd["valueCodeableConcept"] = json!(7);
    others.push(odd);
    others.push(own);
    assert_eq!(result(others).await, Some(TestResult::Negative));
}

#[tokio::test]
async fn a_record_by_our_own_absolute_address_or_the_patients_urn_counts() {
    let server = of_one(|asked| {
        let mut entry = bundle(&[patient(0)], None);
        entry["entry"][0]["fullUrl"] = json!("urn:uuid:5c9c");
        if asked.path == "/Patient" {
            return Some(Reply::Json(entry));
        }
        let mut absolute = observation(0, "negative", "2022-11-12T07:00:00+08:00");
        absolute["subject"]["reference"] = json!(format!("{}/Patient/p0", asked.base));
        let mut urn = observation(0, "positive", "2022-11-13T07:00:00+08:00");
        urn["subject"]["reference"] = json!("urn:uuid:5c9c");
        (asked.path == "/Observation").then(|| Reply::Json(bundle(&[absolute, urn], None)))
    })
    .await;
    let found = newest(&server).await;
    assert!(matches!(
        found,
        Some(ItemRecord::Test {
            result: TestResult::Positive,
            ..
        })
    ));
}

#[tokio::test]
async fn a_server_that_ignores_parameters_gives_away_nobody() {
    let server = FakeFhir::start(|asked| {
        let page: usize = asked
            .query
            .get("page")
            .map_or(0, |page| page.parse().unwrap());
        let all: Vec<Value> = match &*asked.path {
            "/Patient" => (0..45).map(patient).collect(),
            "/Observation" => (0..45)
                .map(|n| {
                    let result = if n == 7 { "negative" } else { "positive" };
                    observation(n, result, "2022-11-14T07:00:00+08:00")
                })
                .collect(),
            _ => Vec::new(),
        };
        let some = all.chunks(20).nth(page).unwrap_or(&[]).to_vec();
        let next = format!("{}{}?page={}", asked.base, asked.path, page + 1);
        let more = all.len() > (page + 1) * 20;
        Reply::Json(bundle(&some, more.then_some(&*next)))
    })
    .await;
    let source = source(&server);
    let matches = async |name: &str, number: &str, phone: &str| {
        source
            .matches(&identity(name, number, phone))
            .await
            .unwrap()
    };
    assert!(matches(&called(44), &resident(44), &phone(44)).await);
    assert!(!matches(&called(44), &resident(44), &phone(43)).await);
    assert!(!matches(&called(43), &resident(44), &phone(44)).await);
    assert!(!matches(&called(44), &resident(99), &phone(44)).await);
    let batch = [7, 8].map(|n| ask(&called(n), &resident(n), &ITEMS));
    let answers = source.read(&batch).await.unwrap();
    for (answer, expected) in answers
        .iter()
        .zip([TestResult::Negative, TestResult::Positive])
    {
        let Answer::Found { items, .. } = answer else {
            panic!("{answer:?}");
        };
        assert!(matches!(&items["nucleic_acid"],
            Some(ItemRecord::Test { result, .. }) if *result == expected));
    }
}

#[tokio::test]
async fn values_that_cannot_be_read_and_days_ahead_are_unknown_and_never_negative() {
    let when = "2022-11-14T07:00:00+08:00";
    let mut text = observation(0, "negative", when);
    text["valueCodeableConcept"] = json!({"text": "negative"});
    let mut code = observation(0, "negative", when);
    code["valueCodeableConcept"]["coding"][0]["code"] = json!("260415000 ");
    for (odd, expected) in [
        (
            observation(0, "negative", "2022-11-15T00:00:00+08:00"),
            TestResult::Unknown,
        ),
        (
            observation(0, "negative", "2099-01-01"),
            TestResult::Unknown,
        ),
        (
            observation(0, "positive", "2099-01-01"),
            TestResult::Positive,
        ),
        (observation(0, "negative", "someday"), TestResult::Unknown),
        (text, TestResult::Unknown),
        (code, TestResult::Unknown),
    ] {
        assert_eq!(result(vec![odd.clone()]).await, Some(expected), "{odd}");
    }
    // A field of a wrong type in one's own record: the old values stay, rather than half of it.
    let mut odd = observation(0, "negative", when);
    odd["effectiveDateTime"] = json!(20221114);
    assert!(is_garbage(&read(&of_tests(vec![odd]).await).await));
    let mut own = patient(0);
    own["name"] = json!("王小明");
    let server = of_one(move |asked| {
        (asked.path == "/Patient").then(|| Reply::Json(bundle(&[own.clone()], None)))
    })
    .await;
    assert!(is_garbage(&read(&server).await));
}

#[tokio::test]
async fn the_newest_test_counts_on_whichever_page_it_stands() {
    let pages = [
        [
            ("negative", "2022-11-12T07:00:00+08:00"),
            ("negative", "2022-11-10T07:00:00+08:00"),
        ],
        [
            ("positive", "2022-11-14T01:00:00Z"),
            ("negative", "2022-11-13T07:00:00+08:00"),
        ],
        [
            ("negative", "2022-11-14T07:00:00+08:00"),
            ("positive", "2022-11-01T07:00:00+08:00"),
        ],
    ];
    for turn in 0..3 {
        let server = of_one(move |asked| {
            let page: usize = asked
                .query
                .get("page")
                .map_or(0, |page| page.parse().unwrap());
            let some = pages[(page + turn) % 3].map(|(result, at)| observation(0, result, at));
            let next = format!("{}/Observation?page={}", asked.base, page + 1);
            (asked.path == "/Observation")
                .then(|| Reply::Json(bundle(&some, (page < 2).then_some(&*next))))
        })
        .await;
        let found = newest(&server).await;
        assert!(
            matches!(
                found,
                Some(ItemRecord::Test {
                    result: TestResult::Positive,
                    ..
                })
            ),
            "{turn}"
        );
    }
}

#[tokio::test]
async fn servers_out_of_order_are_unavailable_and_rubbish_is_rubbish() {
    for status in [500, 502, 503, 429, 401, 403] {
        let server = FakeFhir::start(move |_| Reply::Raw(status, "text/html", b"no".into())).await;
        let answer = read(&server).await;
        assert!(
            matches!(answer, Err(SourceError::Unavailable(_))),
            "{status} {answer:?}"
        );
    }
    // A missing page is a wrong address, not a missing person.
    for status in [400, 404, 410, 422, 204] {
        let server = FakeFhir::start(move |_| Reply::Raw(status, "text/html", Vec::new())).await;
        assert!(is_garbage(&read(&server).await), "{status}");
    }
    let outcome = json!({"resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "invalid"}]});
    let with_error = bundle(&[patient(0), outcome.clone()], None);
    for body in [
        "<html>Please log in</html>".to_owned(),
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "[".repeat(10_000),
        patient(0).to_string(),
        outcome.to_string(),
        with_error.to_string(),
        json!({"resourceType": "Bundle", "entry": {}}).to_string(),
    ] {
        let server = FakeFhir::start({
            let body = body.clone();
            move |_| Reply::Raw(200, "text/html", body.clone().into())
        })
        .await;
        assert!(is_garbage(&read(&server).await), "{body:.60}");
    }
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let cut = of_one(|asked| {
        (asked.path == "/Observation")
            .then_some(Reply::Half(r#"{"resourceType":"Bundle","entry":["#))
    })
    .await;
    assert!(matches!(read(&cut).await, Err(SourceError::Unavailable(_))));
    let fewer = of_one(|asked| {
        let mut page = bundle(
            &[observation(0, "negative", "2022-11-14T07:00:00+08:00")],
            None,
        );
        page["total"] = json!(2);
        (asked.path == "/Observation").then(|| Reply::Json(page.clone()))
    })
    .await;
    assert!(is_garbage(&read(&fewer).await));
}

#[tokio::test]
async fn a_server_that_is_slow_or_gone_is_unavailable_soon() {
    let server = FakeFhir::start(|_| Reply::Late(Duration::from_secs(20))).await;
    assert!(matches!(
        read(&server).await,
        Err(SourceError::Unavailable(_))
    ));
    // Not one timeout after the other: after some the batch is given up.
    let batch: Vec<_> = (0..200)
        .map(|n| ask(&called(n), &resident(n), &ITEMS))
        .collect();
    let slow = source(&server);
    assert!(slow.read(&batch).await.is_err());
    assert!(server.requests().len() < 30, "{}", server.requests().len());

    let sentinel = Sentinel::start().await;
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/fhir", listener.local_addr().unwrap())
    };
    let gone = source_at(&closed, |_| {});
    assert!(matches!(
        gone.read(&batch).await,
        Err(SourceError::Unavailable(_))
    ));
    let who = identity(&called(0), &resident(0), &phone(0));
    assert!(gone.matches(&who).await.is_err());
    // Something that listens and never answers.
    let silent = source_at(&format!("{}/fhir", sentinel.url), |_| {});
    assert!(matches!(
        silent.matches(&who).await,
        Err(SourceError::Unavailable(_))
    ));
}

#[tokio::test]
async fn one_persons_failure_leaves_the_others_and_gives_nothing_personal_away() {
    let server = FakeFhir::start(|asked| {
        let wanted = asked
            .query
            .get("identifier")
            .map(String::as_str)
            .unwrap_or("");
        match &*asked.path {
            "/Patient" if wanted.ends_with(&resident(3)) => {
                Reply::Raw(500, "text/html", resident(3).into())
            }
            "/Patient" if wanted.ends_with(&resident(5)) => {
                Reply::Raw(200, "text/html", resident(5).into())
            }
            "/Patient" => {
                let all: Vec<_> = (0..10)
                    .filter(|n| wanted.ends_with(&resident(*n)))
                    .map(patient)
                    .collect();
                Reply::Json(bundle(&all, None))
            }
            _ => Reply::Json(bundle(&[], None)),
        }
    })
    .await;
    let source = source(&server);
    let batch: Vec<_> = (0..12)
        .map(|n| ask(&called(n), &resident(n), &ITEMS))
        .collect();
    let answers = source.read(&batch).await.unwrap();
    for (n, answer) in answers.iter().enumerate() {
        match n {
            3 | 5 => assert_eq!(*answer, Answer::Failed, "{n}"),
            10.. => assert_eq!(*answer, Answer::NotMatched, "{n}"),
            _ => assert!(matches!(answer, Answer::Found { .. }), "{n}"),
        }
    }
    for n in [3, 5] {
        let error = source.read(&batch[n..=n]).await.unwrap_err();
        let text = format!("{error} {error:?} {source:?}");
        assert!(
            !text.contains(&resident(n as u32)) && !text.contains("/Patient"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn former_names_phones_and_identifiers_do_not_match() {
    let server = of_one(|asked| {
        let mut own = patient(0);
        own["name"] = json!([
            {"use": "official", "text": "王小明"},
            {"use": "maiden", "text": "李小明"},
            {"use": "old", "text": "张小明"},
            {"use": "usual", "text": "小明"},
            {"use": "official", "text": "刘小明", "period": {"end": "2020-01-01"}},
            {"text": "陈小明", "period": {"start": "2020", "end": "2022-11-14"}},
        ]);
        own["telecom"] = json!([
            {"system": "phone", "use": "old", "value": phone(1)},
            {"system": "phone", "value": phone(2), "period": {"end": "2021"}},
            {"system": "fax", "value": phone(3)},
            {"system": "email", "value": "a@b.example"},
            {"system": "sms", "value": phone(4), "rank": 2},
            {"system": "phone", "value": format!("+86 {}", phone(5)), "rank": 1},
        ]);
        (asked.path == "/Patient").then(|| Reply::Json(bundle(&[own.clone()], None)))
    })
    .await;
    let source = source(&server);
    let matches = async |name: &str, phone: &str| {
        let who = identity(name, &resident(0), phone);
        source.matches(&who).await.unwrap()
    };
    assert!(matches("王小明", &phone(4)).await);
    assert!(matches("陈小明", &phone(4)).await);
    for name in ["李小明", "张小明", "小明", "刘小明"] {
        assert!(!matches(name, &phone(4)).await, "{name}");
    }
    for n in [1, 2, 3] {
        assert!(!matches("王小明", &phone(n)).await, "{n}");
    }

    for identifier in [
        json!({"system": "urn:other", "value": resident(0)}),
        json!({"value": resident(0)}),
        json!({"system": RESIDENT_ID_SYSTEM, "use": "old", "value": resident(0)}),
        json!({"system": RESIDENT_ID_SYSTEM, "value": resident(0), "period": {"end": "2020"}}),
        json!({"system": RESIDENT_ID_SYSTEM, "value": resident(0), "period": 7}),
        json!({"system": RESIDENT_ID_SYSTEM, "value": resident(1)}),
    ] {
        let server = of_one(move |asked| {
            let mut own = patient(0);
            own["identifier"] = json!([identifier]);
            (asked.path == "/Patient").then(|| Reply::Json(bundle(&[own], None)))
        })
        .await;
        assert_eq!(read(&server).await.unwrap(), Answer::NotMatched);
    }
}

#[tokio::test]
async fn records_of_one_person_are_merged_if_each_re_checks() {
    let server = of_one(|asked| {
        let mut second = patient(0);
        second["id"] = json!("p1");
        let mut renamed = patient(0);
        renamed["id"] = json!("p2");
        renamed["name"] = json!([{"text": "别人"}]);
        let mut unused = patient(0);
        unused["id"] = json!("p3");
        unused["active"] = json!(false);
        match &*asked.path {
            "/Patient" => Some(Reply::Json(bundle(
                &[patient(0), second, renamed, unused],
                None,
            ))),
            "/Observation" => {
                let of = asked.query["patient"]
                    .trim_start_matches("Patient/p")
                    .parse()
                    .unwrap();
                let day = 10 + of;
                let result = if of == 1 { "positive" } else { "negative" };
                let at = format!("2022-11-{day}T07:00:00+08:00");
                Some(Reply::Json(bundle(&[observation(of, result, &at)], None)))
            }
            _ => None,
        }
    })
    .await;
    let found = newest(&server).await;
    assert!(matches!(
        found,
        Some(ItemRecord::Test {
            result: TestResult::Positive,
            ..
        })
    ));
}

#[tokio::test]
async fn only_what_is_asked_for_is_asked_of_the_server() {
    let server = of_one(|_| None).await;
    let batch = [ask(&called(0), &resident(0), &["health_code"])];
    let answers = source(&server).read(&batch).await.unwrap();
    assert!(matches!(&answers[0], Answer::Found { items, .. } if items["health_code"].is_none()));
    assert_eq!(server.requests().len(), 1);
    assert_eq!(source(&server).read(&[]).await.unwrap(), []);
}
