//! What stands between goes wrong: slow, cut, refused, garbage, and gone with every connection.
use crate::{
    leaks::Log,
    on_theirs,
    source_sql::values,
    support::{
        fault_proxy::{Fault, FaultProxy},
        people::*,
        their_database::*,
    },
};
use std::time::Duration;
use tuantibu::source::{Answer, HealthSource};

/// A bit more than a query may take, a connection's 2 s counted in.
const BOUND: Duration = Duration::from_secs(5);

const FAULTS: [Fault; 6] = [
    Fault::Refuse,
    Fault::Drop,
    Fault::Delay(Duration::from_secs(30)),
    Fault::CutRequest(40),
    Fault::CutAnswer(60),
    Fault::Garbage,
];

on_theirs! {
    async fn each_fault_is_an_outage_in_bounded_time_and_ends_without_a_restart(theirs: Theirs) {
        theirs.resident(&resident(1), &values(1)).await;
        let proxy = FaultProxy::before(theirs.address).await;
        let url = theirs.url(proxy.address);
        let source = theirs.source(|config| config.url = url).await.unwrap();
        let who = identity(&name(1), &resident(1), &phone(1));
        let asks = [ask(&name(1), &resident(1), &["health_code"])];
        assert!(source.matches(&who).await.unwrap());
        for fault in FAULTS {
            proxy.has(fault).await;
            let all = async {
                let matched = source.matches(&who).await;
                let read = source.read(&asks).await;
                (matched, read)
            };
            let (matched, read) = tokio::time::timeout(BOUND, all).await.unwrap();
            for error in [matched.unwrap_err().to_string(), read.unwrap_err().to_string()] {
                assert!(error.starts_with("the health source is unavailable"), "{fault:?}: {error}");
            }
            proxy.has(Fault::None).await;
            assert!(source.matches(&who).await.unwrap(), "after {fault:?}");
            let read = source.read(&asks).await.unwrap();
            assert!(matches!(read[0], Answer::Found { .. }), "after {fault:?}");
        }
        // Slow within what is allowed is no fault.
        proxy.has(Fault::Delay(Duration::from_millis(50))).await;
        assert!(source.matches(&who).await.unwrap());
    }
}

on_theirs! {
    async fn a_database_that_is_down_at_the_start_is_checked_before_it_is_first_asked(theirs: Theirs) {
        theirs.resident(&resident(1), &values(1)).await;
        let proxy = FaultProxy::before(theirs.address).await;
        let url = theirs.url(proxy.address);
        proxy.has(Fault::Refuse).await;
        let source = theirs.source(|config| config.url = url).await.unwrap();
        let who = identity(&name(1), &resident(1), &phone(1));
        assert!(source.matches(&who).await.is_err());
        theirs.run(&match theirs.engine {
            Engine::Postgres => format!("grant insert on tests to {}", theirs.reader),
            Engine::MariaDb => format!("grant insert on {}.tests to {}@'%'", theirs.name, theirs.reader),
        }).await;
        proxy.has(Fault::None).await;
        let error = source.matches(&who).await.unwrap_err().to_string();
        assert!(error.contains("may insert"), "{error}");
        theirs.run(&match theirs.engine {
            Engine::Postgres => format!("revoke insert on tests from {}", theirs.reader),
            Engine::MariaDb => format!("revoke insert on {}.tests from {}@'%'", theirs.name, theirs.reader),
        }).await;
        assert!(source.matches(&who).await.unwrap());
    }
}

on_theirs! {
    async fn a_slow_query_is_given_up_and_not_left_running_there(theirs: Theirs) {
        theirs.resident(&resident(1), &values(1)).await;
        let sleep = theirs.either("pg_sleep(20)::text", "sleep(20)");
        let slow = format!("select full_name, mobile, landline, {sleep} as slept from residents where id_no = :document_number");
        // The sleep is not among what is read, so it is put where it must run.
        let slow = slow.replace("mobile, landline", "concat(mobile, slept) as mobile, landline").replace(
            &format!(", {sleep} as slept from residents"),
            &format!(" from residents, (select {sleep} as slept) s"),
        );
        let source = theirs.source(|config| config.matching = Some(slow)).await.unwrap();
        let who = identity(&name(1), &resident(1), &phone(1));
        let begun = source.matches(&who);
        let error = tokio::time::timeout(BOUND, begun).await.unwrap();
        // MariaDB answers an interrupted sleep as if it had slept.
        if theirs.engine == Engine::Postgres {
            let error = error.unwrap_err().to_string();
            assert!(error.contains("takes too long") || error.contains("in time"), "{error}");
        }
        let asks = [ask(&name(1), &resident(1), &["health_code"])];
        assert!(source.read(&asks).await.is_ok());
    }
}

/// Everything that could be logged of a whole journey of a source, good and bad.
async fn logged(theirs: &Theirs) -> String {
    let (log, _guard) = Log::at(tracing::Level::TRACE);
    let proxy = FaultProxy::before(theirs.address).await;
    let url = theirs.url(proxy.address);
    let source = theirs.source(|config| config.url = url).await.unwrap();
    let who = identity(&name(1), &resident(1), &phone(1));
    let asks: Vec<_> = (1..=4)
        .map(|n| ask(&name(n), &resident(n), &["health_code", "nucleic_acid"]))
        .collect();
    for fault in [
        Fault::None,
        Fault::Refuse,
        Fault::CutAnswer(200),
        Fault::Garbage,
    ] {
        proxy.has(fault).await;
        let told = [
            source.matches(&who).await.map(|_| ()),
            source.read(&asks).await.map(|_| ()),
            source.changes("canary of a cursor").await.map(|_| ()),
            source.check().await.map(|_| ()),
        ];
        for error in told.into_iter().filter_map(Result::err) {
            tracing::info!(%error, ?error, ?source, "told");
        }
    }
    log.text()
}

async fn nothing_personal_is_logged(theirs: Theirs) {
    for n in 1..=4 {
        theirs.resident(&resident(n), &values(n)).await;
    }
    theirs
        .run("update residents set code = 'canary-code' where version = 2")
        .await;
    theirs
        .test(&resident(3), "canary-result", "2022-11-14 08:00:00")
        .await;
    let log = logged(&theirs).await;
    assert!(log.contains("rows cannot be read"), "{log}");
    for n in 1..=4 {
        for secret in [name(n), resident(n), phone(n)] {
            assert!(!log.contains(&secret), "{secret} is in {log}");
        }
    }
    for secret in [
        PASSWORD,
        "canary-code",
        "canary-result",
        "canary of a cursor",
        "full_name",
    ] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

#[tokio::test]
async fn no_person_value_password_or_query_is_logged_at_any_level_of_postgres() {
    nothing_personal_is_logged(Theirs::new(Engine::Postgres).await).await;
}

#[tokio::test]
async fn no_person_value_password_or_query_is_logged_at_any_level_of_mariadb() {
    nothing_personal_is_logged(Theirs::new(Engine::MariaDb).await).await;
}

/// Every mismatch costs the database the same: what is sent has the same length, whoever it is of.
async fn sent_for(theirs: &Theirs) -> Vec<usize> {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, copy},
        net::{TcpListener, TcpStream},
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, server) = (theirs.url(listener.local_addr().unwrap()), theirs.address);
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(server).await.unwrap();
            let counted = counted.clone();
            tokio::spawn(async move {
                let (mut from, mut to) = client.into_split();
                let (mut answers, mut asks) = server.split();
                let there = async {
                    let mut buffer = [0; 4096];
                    while let Ok(read @ 1..) = from.read(&mut buffer).await {
                        counted.fetch_add(read, SeqCst);
                        asks.write_all(&buffer[..read]).await.unwrap();
                    }
                };
                tokio::select! { () = there => {}, _ = copy(&mut answers, &mut to) => {} }
            });
        }
    });
    let source = theirs
        .source(|config| (config.url, config.connections) = (url, 1))
        .await
        .unwrap();
    let still = async || {
        let mut seen = usize::MAX;
        while seen != sent.load(SeqCst) {
            seen = sent.load(SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        seen
    };
    let mut all = Vec::new();
    let who = [
        (name(1), resident(1), phone(1)),
        (name(2), resident(1), phone(1)),
        (name(1), resident(1), phone(2)),
        (name(2), resident(1), phone(2)),
        (name(9), resident(9), phone(9)),
        (name(1), resident(9), phone(1)),
    ];
    // The first is prepared.
    source
        .matches(&identity(&name(1), &resident(1), &phone(1)))
        .await
        .unwrap();
    for (name, number, phone) in who {
        let before = still().await;
        source
            .matches(&identity(&name, &number, &phone))
            .await
            .unwrap();
        all.push(still().await - before);
    }
    all
}

on_theirs! {
    async fn every_mismatch_asks_the_database_for_the_same(theirs: Theirs) {
        theirs.resident(&resident(1), &values(1)).await;
        theirs.resident(&resident(2), &values(2)).await;
        let sent = sent_for(&theirs).await;
        assert!(sent[0] > 0 && sent.iter().all(|one| *one == sent[0]), "{sent:?}");
    }
}
