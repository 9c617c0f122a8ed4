//! Each kind of change by somebody who can write the database, but has no key.
use super::{Intruder, bad, chain_audit, command, log_of, look, verified};
use crate::{
    app::{On, TestApp},
    on_both,
};

/// The entry that is tampered with.
const VICTIM: i64 = 4;

on_both! {
    async fn a_changed_column_of_an_entry_is_named(app: TestApp) {
        log_of(&app).await;
        let all = verified(&app).await;
        assert_eq!((all.first_bad, all.waiting, all.lost), (None, 0, 0));
        let intruder = Intruder::into(&app).await;
        intruder.save().await;
        let entry = format!("{}/{VICTIM}", app.app.server);
        for (change, why) in [
            ("at = at + 1", "was changed"),
            ("actor = substr(mac, 1, 16)", "was changed"),
            ("actor = null", "was changed"),
            ("action = 'left'", "was changed"),
            ("register_id = substr(mac, 1, 16)", "was changed"),
            ("subject = substr(mac, 1, 16)", "was changed"),
            ("detail = '{}'", "was changed"),
            ("detail = ''", "was changed"),
            ("mac = (select o.mac from audit_events o where o.number = 5)", "was changed"),
            ("settled = settled - 1", "was changed"),
            ("settled = null, addressed = null", "was changed"),
            ("addressed = 1 - addressed", "was changed"),
            ("address = (select o.address from audit_events o where o.number = 5)", "has an address that was changed"),
            ("address = null", "has lost its address before the time"),
            ("number = 1000", "was removed"),
            ("server = substr(mac, 1, 16)", "was removed"),
        ] {
            let text = format!("update audit_events set {change} where number = {VICTIM}");
            assert_eq!(intruder.run(&text).await, 1, "{change}");
            assert_eq!(bad(&verified(&app).await), (entry.as_str(), why), "{change}");
            intruder.restore().await;
        }
        assert_eq!(verified(&app).await.first_bad, None);
    }
}

on_both! {
    async fn a_changed_place_of_the_chain_is_named(app: TestApp) {
        log_of(&app).await;
        let intruder = Intruder::into(&app).await;
        intruder.save().await;
        let entry = |n: i64| format!("{}/{n}", app.app.server);
        let swap = "update audit_chain set position = 1000 where position = 4; \
                    update audit_chain set position = 4 where position = 5; \
                    update audit_chain set position = 5 where position = 1000";
        let swap_numbers = "update audit_events set number = 1000 where number = 4; \
                    update audit_events set number = 4 where number = 5; \
                    update audit_events set number = 5 where number = 1000";
        for (change, at, why) in [
            ("delete from audit_events where number = 4", entry(4), "was removed"),
            ("delete from audit_chain where number = 4", "#4".to_owned(), "is gone from the chain"),
            ("delete from audit_events where number = 4; delete from audit_chain where number = 4",
             "#4".to_owned(), "is gone from the chain"),
            (swap, entry(5), "is not linked to the entry before"),
            (swap_numbers, entry(4), "was changed"),
            ("update audit_chain set link = (select o.link from audit_chain o where o.position = 5) \
              where position = 4", entry(4), "is not linked to the entry before"),
            ("update audit_chain set position = position + 100", "#1".to_owned(), "is gone from the chain"),
        ] {
            intruder.run(change).await;
            let found = verified(&app).await;
            let named = bad(&found);
            // Where a number jumps, either entry is the first that is out of place.
            assert_eq!(named.0, at, "{change}: {named:?}");
            if change != swap {
                assert_eq!(named.1, why, "{change}");
            }
            intruder.restore().await;
        }
        assert_eq!(verified(&app).await.first_bad, None);
    }
}

on_both! {
    async fn an_entry_that_is_removed_before_it_was_chained_is_missed_by_its_number(app: TestApp) {
        let (owner, register) = log_of(&app).await;
        look(&owner, &register).await;
        let intruder = Intruder::into(&app).await;
        let newest = intruder.number("select max(number) from audit_events").await;
        intruder.run(&format!("delete from audit_events where number = {newest}")).await;
        assert_eq!(verified(&app).await.first_bad, None, "the last of all is not missed yet");
        look(&owner, &register).await;
        let entry = format!("{}/{newest}", app.app.server);
        assert_eq!(bad(&verified(&app).await), (entry.as_str(), "was removed"));
        // It is missed, too, once the chain has gone on without it.
        app.clock.advance(601);
        assert_eq!(chain_audit(&app.app).await.unwrap(), 1);
        assert_eq!(bad(&verified(&app).await), (entry.as_str(), "was removed"));
    }
}

on_both! {
    async fn an_entry_that_was_kept_from_the_chain_is_named(app: TestApp) {
        let (owner, register) = log_of(&app).await;
        look(&owner, &register).await;
        let intruder = Intruder::into(&app).await;
        intruder.save().await;
        let newest = intruder.number("select max(number) from audit_events").await;
        intruder.run(&format!("delete from audit_events where number = {newest}")).await;
        look(&owner, &register).await;
        app.clock.advance(601);
        chain_audit(&app.app).await.unwrap();
        intruder.run(&format!(
            "insert into audit_events select * from saved_audit_events where number = {newest}"
        )).await;
        let entry = format!("{}/{newest}", app.app.server);
        assert_eq!(bad(&verified(&app).await), (entry.as_str(), "was left out of the chain"));
    }
}

async fn a_tail_is_missed(on: On) {
    let app = TestApp::start_with(on, |config| {
        let folder = config.keys.file.parent().unwrap();
        config.audit.anchor_file = Some(folder.join("anchor.log"));
    })
    .await;
    let (owner, register) = log_of(&app).await;
    let file = app.folder.join("anchor.log");
    let file = file.to_str().unwrap();
    let intruder = Intruder::into(&app).await;
    let first = intruder
        .number("select max(position) from audit_chain")
        .await;
    look(&owner, &register).await;
    app.clock.advance(3600);
    chain_audit(&app.app).await.unwrap();
    let lines = std::fs::read_to_string(file).unwrap();
    assert_eq!(
        lines.lines().count(),
        2,
        "at the start and after an hour: {lines}"
    );
    let output = command(&app, &["verify", "--anchor", file]);
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && words.contains("published heads 2"),
        "{words}"
    );
    intruder.save().await;

    // The tail, with everything that tells of it.
    intruder
        .run(
            "delete from audit_events where number > 3; delete from audit_chain where position > 3",
        )
        .await;
    assert!(
        command(&app, &["verify"]).status.success(),
        "nothing in the database tells"
    );
    let output = command(&app, &["verify", "--anchor", file]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        words.contains("entry #4 was published and is gone"),
        "{words}"
    );
    intruder.restore().await;

    // The newest alone.
    intruder
        .run(
            "delete from audit_events where number = (select max(number) from audit_events); \
             delete from audit_chain where position = (select max(position) from audit_chain)",
        )
        .await;
    let found = verified(&app).await;
    let next = format!("#{}", first + 1);
    assert_eq!(bad(&found), (next.as_str(), "was published and is gone"));
    intruder.restore().await;

    // A chain that was made anew without the key.
    intruder
        .run(
            "update audit_chain set link = (select e.mac from audit_events e \
        where e.server = audit_chain.server and e.number = audit_chain.number)",
        )
        .await;
    let output = command(&app, &["verify"]);
    let words = String::from_utf8_lossy(&output.stderr);
    let entry = format!("entry {}/1 is not linked", app.app.server);
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains(&entry), "{words}");
    intruder.restore().await;

    // An entry taken out, and the rest chained anew by the program itself, which has the key.
    intruder
        .run("delete from audit_events where number = 2; delete from audit_chain")
        .await;
    app.clock.advance(601);
    chain_audit(&app.app).await.unwrap();
    let found = verified(&app).await;
    let named = format!("#{first}");
    assert_eq!(bad(&found), (named.as_str(), "is not what was published"));
    intruder.restore().await;
    assert_eq!(verified(&app).await.first_bad, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_is_cut_or_made_anew_is_missed_by_what_was_published_sqlite() {
    a_tail_is_missed(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_is_cut_or_made_anew_is_missed_by_what_was_published_postgres() {
    a_tail_is_missed(On::Postgres).await;
}
