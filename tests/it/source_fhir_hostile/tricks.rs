//! Servers that lead away, never end, break off, are slow, gone or talk rubbish.
use super::*;

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
    // Nor read to their end where they do not tell their length; the time would not end it.
    let endless = FakeFhir::start(|_| Reply::Endless).await;
    let patient = source_at(&endless.base, |config| {
        config.timeout = Duration::from_secs(30)
    });
    let batch = [ask(&called(0), &resident(0), &ITEMS)];
    let answer = patient.read(&batch).await;
    assert!(matches!(answer, Err(SourceError::Garbage(_))), "{answer:?}");
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
