//! Records of others, in odd orders and with odd values.
use super::*;

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
