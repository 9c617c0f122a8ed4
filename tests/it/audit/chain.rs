//! The chain itself: many writers, two servers, numbers that nobody used, a database of version 1.
use super::{Intruder, chain_audit, log_of, look, verified};
use crate::{
    app::{On, TestApp, owned},
    on_both,
};
use std::{collections::BTreeSet, time::Duration};
use tuantibu::store::audit;

/// Every entry once, no place twice or missing.
async fn is_whole(intruder: &Intruder) {
    let events = intruder.number("select count(*) from audit_events").await;
    let places = intruder.number("select count(*) from audit_chain").await;
    let last = intruder
        .number("select max(position) from audit_chain")
        .await;
    let both = intruder
        .number(
            "select count(*) from audit_chain c join audit_events e \
             on e.server = c.server and e.number = c.number",
        )
        .await;
    assert_eq!([places, last, both], [events; 3]);
}

on_both! {
    async fn many_writers_on_two_servers_make_one_chain(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let other = app.another().await;
        let there = other.client().with(owner.bearer.as_deref());
        let writers = (0..64).map(|n| {
            let (client, register) = (if n % 2 == 0 { &owner } else { &there }.clone(), register.clone());
            tokio::spawn(async move { look(&client, &register).await })
        });
        let writers: Vec<_> = writers.collect();
        let chaining = [&app, &other].map(|one| {
            let app = one.app.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    chain_audit(&app).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
        });
        for task in writers.into_iter().chain(chaining) {
            task.await.unwrap();
        }
        let intruder = Intruder::into(&app).await;
        app.clock.advance(6);
        chain_audit(&app.app).await.unwrap();
        is_whole(&intruder).await;
        assert_eq!(intruder.number("select count(*) from audit_events where action = 'searched'").await, 64);
        let servers = intruder.number("select count(distinct server) from audit_chain").await;
        assert_eq!(servers, 2);
        assert_eq!(verified(&app).await.first_bad, None);
    }
}

on_both! {
    async fn servers_chain_by_turns(app: TestApp) {
        let (owner, register) = log_of(&app).await;
        let other = app.another().await;
        let there = other.client().with(owner.bearer.as_deref());
        look(&there, &register).await;
        assert_eq!(chain_audit(&other.app).await.unwrap(), 0, "the first one has the lease");
        assert_eq!(chain_audit(&app.app).await.unwrap(), 1, "and chains what the other wrote");
        look(&owner, &register).await;
        app.clock.advance(6);
        assert_eq!(chain_audit(&other.app).await.unwrap(), 1, "a lease that is over is taken");
        look(&there, &register).await;
        assert_eq!(chain_audit(&app.app).await.unwrap(), 0);
        assert_eq!(chain_audit(&other.app).await.unwrap(), 1);
        is_whole(&Intruder::into(&app).await).await;
        assert_eq!(verified(&app).await.first_bad, None);
    }
}

/// What writers on PostgreSQL share is no lock: one that stands still holds up nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_stands_still_holds_up_neither_writers_nor_the_chain() {
    let app = TestApp::start(On::Postgres).await;
    let (owner, register) = log_of(&app).await;
    let mut still = app.app.store.write().await.unwrap();
    let number = app.app.audit_numbers.take();
    let row = audit::EventRow {
        server: app.app.server.bytes().to_vec(),
        number: number.number(),
        action: "test".into(),
        ..audit::EventRow::default()
    };
    audit::insert(&mut still, &row).await.unwrap();
    let others = async {
        for _ in 0..64 {
            look(&owner, &register).await;
        }
        chain_audit(&app.app).await.unwrap()
    };
    let chained = tokio::time::timeout(Duration::from_secs(20), others).await;
    assert_eq!(
        chained.expect("they waited"),
        0,
        "what comes after it waits for it alone"
    );
    drop(number);
    drop(still);
    assert_eq!(
        chain_audit(&app.app).await.unwrap(),
        65,
        "its number is filled"
    );
    assert_eq!(verified(&app).await.first_bad, None);
}

on_both! {
    async fn a_number_whose_transaction_was_undone_is_filled(app: TestApp) {
        let (owner, register) = log_of(&app).await;
        drop(app.app.audit_numbers.take());
        look(&owner, &register).await;
        assert_eq!(chain_audit(&app.app).await.unwrap(), 2);
        let found = verified(&app).await;
        assert_eq!((found.first_bad, found.lost), (None, 0));
        let intruder = Intruder::into(&app).await;
        assert_eq!(intruder.number("select count(*) from audit_events where action = 'void'").await, 1);
    }
}

on_both! {
    async fn a_server_that_is_killed_takes_numbers_with_it_and_the_log_is_honest(app: TestApp) {
        let (owner, register) = log_of(&app).await;
        let killed = app.another().await;
        let there = killed.client().with(owner.bearer.as_deref());
        look(&there, &register).await;
        // Taken by a transaction that never ends.
        std::mem::forget(killed.app.audit_numbers.take());
        look(&there, &register).await;
        assert_eq!(chain_audit(&app.app).await.unwrap(), 1, "the second may still be committed");
        assert_eq!(verified(&app).await.waiting, 1);
        app.clock.advance(600);
        assert_eq!(chain_audit(&app.app).await.unwrap(), 1);
        let found = verified(&app).await;
        assert_eq!((found.first_bad, found.lost, found.waiting), (None, 1, 0));
        // Of the first number nobody is told by whom it comes: it is found by the search.
        let third = app.another().await;
        std::mem::forget(third.app.audit_numbers.take());
        look(&third.client().with(owner.bearer.as_deref()), &register).await;
        app.clock.advance(3601);
        let again = app.sign_in(&crate::app::Person::number(900)).await;
        look(&again, &register).await;
        assert!(chain_audit(&app.app).await.unwrap() >= 2);
        is_whole(&Intruder::into(&app).await).await;
        assert_eq!(verified(&app).await.first_bad, None);
    }
}

on_both! {
    async fn the_entries_of_version_1_get_chained(app: TestApp) {
        let (owner, register) = owned(&app).await;
        look(&owner, &register).await;
        let intruder = Intruder::into(&app).await;
        // As version 1 left them: MACs over fewer columns, and a gap that nobody explains.
        let mut tx = app.app.store.read().await.unwrap();
        let rows = audit::after(&mut tx, app.app.server.bytes(), 0, 100).await.unwrap();
        drop(tx);
        for row in &rows {
            let mac = app.app.keys.audit_mac(&[
                &row.server,
                &row.number.to_be_bytes(),
                &row.at.to_be_bytes(),
                row.actor.as_deref().unwrap_or_default(),
                row.action.as_bytes(),
                row.register_id.as_deref().unwrap_or_default(),
                row.subject.as_deref().unwrap_or_default(),
                row.detail.as_deref().unwrap_or_default().as_bytes(),
            ]);
            let digits: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
            let literal = if app.is_sqlite() { format!("x'{digits}'") } else { format!("'\\x{digits}'") };
            intruder.run(&format!("update audit_events set mac = {literal} where number = {}", row.number)).await;
        }
        let numbers: BTreeSet<i64> = rows.iter().map(|row| row.number).collect();
        assert!(numbers.len() >= 3);
        intruder.run("delete from audit_events where number = 2").await;
        intruder.run(
            "drop index audit_addresses; alter table audit_events drop column settled; \
             alter table audit_events drop column addressed; alter table audit_events drop column address; \
             alter table audit_events drop column mac_key; alter table key_holders drop column adopts; \
             drop table audit_chain; drop table audit_servers; drop table audit_checkpoint; \
             delete from _sqlx_migrations where version in (2, 7)",
        ).await;
        let app = app.restarted(|_| {}).await;
        app.clock.advance(601);
        assert_eq!(chain_audit(&app.app).await.unwrap(), numbers.len() as u64 - 1);
        let found = verified(&app).await;
        assert_eq!((found.first_bad, found.lost), (None, 1));
        intruder.run("update audit_events set action = 'left' where number = 3").await;
        assert!(verified(&app).await.first_bad.is_some());
    }
}
