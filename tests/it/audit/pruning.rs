//! What time erases of the log, and that the rest verifies all the same.
use super::{Intruder, bad, chain_audit, log_of, look, verified};
use crate::{
    app::{Person, TestApp},
    on_both,
};
use tuantibu::actions::{chores::chores, prune_audit::prune_audit};

const DAY: i64 = 86_400;

on_both! {
    async fn addresses_go_after_200_days_and_the_chain_verifies(app: TestApp) {
        log_of(&app).await;
        let intruder = Intruder::into(&app).await;
        let addresses = "select count(*) from audit_events where address is not null";
        let without = "select count(*) from audit_events where address is null \
            and action in ('signed_in', 'created_register', 'joined', 'searched')";
        assert_eq!(intruder.number(without).await, 0, "people's doings carry an address");
        let all = intruder.number(addresses).await;
        assert!(all >= 6);
        app.clock.advance(200 * DAY - 60);
        prune_audit(&app.app).await.unwrap();
        assert_eq!(intruder.number(addresses).await, all, "not a minute early");
        app.clock.advance(120);
        chores(&app.app, true).await.unwrap();
        assert_eq!(intruder.number(addresses).await, 0);
        chain_audit(&app.app).await.unwrap();
        let found = verified(&app).await;
        assert_eq!((found.first_bad, found.pruned), (None, 0));
    }
}

on_both! {
    async fn entries_go_after_three_years_from_the_beginning_and_the_rest_verifies(app: TestApp) {
        let (_, register) = log_of(&app).await;
        let intruder = Intruder::into(&app).await;
        let first = intruder.number("select max(position) from audit_chain").await;
        app.clock.advance(150 * DAY);
        let owner = app.sign_in(&Person::number(900)).await;
        look(&owner, &register).await;
        chain_audit(&app.app).await.unwrap();
        let second = intruder.number("select max(position) from audit_chain").await;
        app.clock.advance(app.config.audit.keep_days * DAY - 100 * DAY);
        prune_audit(&app.app).await.unwrap();
        chain_audit(&app.app).await.unwrap();
        assert_eq!(intruder.number("select min(position) from audit_chain").await, first + 1);
        assert_eq!(intruder.number("select count(*) from audit_events where number <= 6").await, 0);
        let found = verified(&app).await;
        assert_eq!((found.first_bad, found.pruned), (None, first));
        let told = "select count(*) from audit_events where action = 'pruned_audit'";
        assert_eq!(intruder.number(told).await, 1, "the log tells of it");

        intruder.save().await;
        let next = format!("#{}", first + 1);
        for (change, entry, why) in [
            ("update audit_checkpoint set position = position + 1", format!("#{}", first + 1),
             "is a checkpoint that was changed"),
            ("update audit_checkpoint set numbers = '{}'", format!("#{first}"),
             "is a checkpoint that was changed"),
            ("delete from audit_checkpoint", "#1".to_owned(), "is gone from the chain"),
            ("delete from audit_chain where position = (select min(position) from audit_chain)",
             next, "is gone from the chain"),
        ] {
            intruder.run(change).await;
            assert_eq!(bad(&verified(&app).await), (entry.as_str(), why), "{change}");
            intruder.restore().await;
        }
        // Everything but the newest is over: that one stays, and the chain goes on from it.
        app.clock.advance(app.config.audit.keep_days * DAY + 300 * DAY);
        prune_audit(&app.app).await.unwrap();
        chain_audit(&app.app).await.unwrap();
        let found = verified(&app).await;
        assert_eq!((found.first_bad, found.pruned, found.events), (None, second, 2));
    }
}
