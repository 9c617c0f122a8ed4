//! Another key for the audit log: what was written before verifies by the key of then, and who had
//! that key can neither change it nor add to it.
use super::{PAST_REST, states, tend};
use crate::{
    app::{Client, On, Person, Register, TestApp, owned},
    on_both,
};
use serde_json::json;
use tuantibu::{
    actions::{
        chain_audit::chain_audit,
        prune_audit::prune_audit,
        rotate_keys::{RotateError, rotate_keys},
        verify_audit::{Verified, verify_audit},
    },
    crypto::Purpose,
    store::{audit, audit_chain},
};

const DAY: i64 = 86_400;

async fn look(owner: &Client, register: &Register) {
    let body = json!({ "name": "甲" });
    let path = register.path("/members/search");
    owner.post(&path, body).await.expect(200);
}

async fn verified(app: &TestApp) -> Verified {
    chain_audit(&app.app).await.unwrap();
    verify_audit(&app.app, &[]).await.unwrap()
}

async fn why(app: &TestApp) -> &'static str {
    let found = verify_audit(&app.app, &[]).await.unwrap();
    found.first_bad.expect("it verifies").why
}

/// Which keys entries and links name, with how many of each.
async fn named(app: &TestApp) -> (Vec<i64>, Vec<i64>) {
    let mut tx = app.app.store.read().await.unwrap();
    let rows = audit_chain::walk(&mut tx, 0, 10_000).await.unwrap();
    let mut entries: Vec<i64> = rows.iter().filter_map(|row| row.mac_key).collect();
    let mut links: Vec<i64> = rows.iter().filter_map(|row| row.link_key).collect();
    assert_eq!((entries.len(), links.len()), (rows.len(), rows.len()));
    entries.dedup();
    links.dedup();
    (entries, links)
}

async fn rotated(app: &TestApp) -> i64 {
    let ids = rotate_keys(&app.app, &[Purpose::Audit]).await.unwrap();
    tend(app).await;
    i64::from(ids[0])
}

on_both! {
    async fn the_log_of_before_verifies_and_its_key_goes_with_its_last_entry(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let first = app.app.keys.audit_key();
        look(&owner, &register).await;
        assert_eq!(verified(&app).await.first_bad, None);
        let second = rotated(&app).await;
        assert_eq!(states(&app, "audit").await, ["old", "active"]);
        look(&owner, &register).await;
        let found = verified(&app).await;
        assert_eq!((found.first_bad, found.waiting), (None, 0));
        assert_eq!(named(&app).await, (vec![first, second], vec![first, second]));
        // A year later once more, although the first is kept still.
        app.clock.advance(365 * DAY);
        let third = rotated(&app).await;
        assert_eq!(states(&app, "audit").await, ["old", "old", "active"]);
        let owner = app.sign_in(&Person::number(900)).await;
        look(&owner, &register).await;
        assert_eq!(verified(&app).await.first_bad, None);
        // Whoever starts now verifies all of it.
        let again = app.another().await;
        assert_eq!(verified(&again).await.first_bad, None);
        again.app.holder.let_go().await.unwrap();
        // The time of what the first key made is over; nothing goes before it is pruned.
        app.clock.advance((app.config.audit.keep_days - 365) * DAY + 120);
        tend(&app).await;
        assert_eq!(states(&app, "audit").await, ["old", "old", "active"]);
        prune_audit(&app.app).await.unwrap();
        app.clock.advance(120);
        tend(&app).await;
        assert_eq!(states(&app, "audit").await, ["unneeded", "old", "active"]);
        app.clock.advance(PAST_REST);
        tend(&app).await;
        assert_eq!(states(&app, "audit").await, ["destroyed", "old", "active"]);
        let found = verified(&app).await;
        assert_eq!(found.first_bad, None);
        assert!(found.pruned > 0);
        assert_eq!(named(&app).await.0, [second, third]);
        assert!(!matches!(
            rotate_keys(&app.app, &[Purpose::Audit]).await,
            Err(RotateError::UnderWay(_))
        ));
    }
}

on_both! {
    async fn servers_of_which_one_has_not_gone_over_yet_write_one_chain(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let other = app.another().await;
        let there = other.client().with(owner.bearer.as_deref());
        let first = app.app.keys.audit_key();
        let second = i64::from(rotate_keys(&app.app, &[Purpose::Audit]).await.unwrap()[0]);
        tend(&app).await;
        tend(&other).await;
        assert_eq!((app.app.keys.audit_key(), other.app.keys.audit_key()), (first, second));
        look(&there, &register).await;
        chain_audit(&other.app).await.unwrap();
        // The first has the new key pending still, and links by it all the same.
        look(&owner, &register).await;
        app.clock.advance(6);
        chain_audit(&app.app).await.unwrap();
        look(&there, &register).await;
        assert_eq!(verified(&app).await.first_bad, None);
        let (entries, links) = named(&app).await;
        assert_eq!(links.last(), Some(&second));
        assert!(entries.windows(2).any(|two| two == [second, first]), "{entries:?}");
        assert!(links.is_sorted(), "{links:?}");
        tend(&app).await;
        assert_eq!(verified(&other).await.first_bad, None);
    }
}

/// Writes rows of the log anew, as somebody would who can write the database and had a key.
struct Forger<'a> {
    app: &'a TestApp,
    key: i64,
}

impl Forger<'_> {
    fn entry(&self, row: &mut audit::EventRow) {
        let absent = [
            row.actor.is_none(),
            row.register_id.is_none(),
            row.subject.is_none(),
            row.detail.is_none(),
        ];
        let absent = absent.map(u8::from);
        let mac = self.app.app.keys.audit_mac_by(
            Some(self.key),
            &[
                &row.server,
                &row.number.to_be_bytes(),
                &row.at.to_be_bytes(),
                row.actor.as_deref().unwrap_or_default(),
                row.action.as_bytes(),
                row.register_id.as_deref().unwrap_or_default(),
                row.subject.as_deref().unwrap_or_default(),
                row.detail.as_deref().unwrap_or_default().as_bytes(),
                &row.settled.unwrap().to_be_bytes(),
                &row.addressed.unwrap().to_be_bytes(),
                &absent,
            ],
        );
        (row.mac, row.mac_key) = (mac.unwrap().to_vec(), Some(self.key));
    }

    /// Links every place whose link is by the key, over what stands in the log now.
    async fn link(&self) {
        let mut tx = self.app.app.store.read().await.unwrap();
        let rows = audit_chain::walk(&mut tx, 0, 10_000).await.unwrap();
        drop(tx);
        let mut before = Vec::new();
        for row in rows {
            let (position, key) = (row.position, row.link_key);
            let event = row.event().unwrap();
            if key != Some(self.key) {
                break;
            }
            let keys = &self.app.app.keys;
            let parts: &[&[u8]] = &[
                b"link",
                &before,
                &position.to_be_bytes(),
                &event.server,
                &event.number.to_be_bytes(),
                &event.mac,
            ];
            let anew = keys.audit_mac_by(Some(self.key), parts).unwrap().to_vec();
            before = anew;
            self.put(
                "update audit_chain set mac_key = $2, link = $3 where position = $1",
                position,
                &before,
            )
            .await;
        }
    }

    async fn put(&self, text: &str, number: i64, bytes: &[u8]) {
        let url = &self.app.config.database.url;
        if let Some(path) = url.strip_prefix("sqlite:") {
            let database = rusqlite::Connection::open(path).unwrap();
            let changed = database
                .execute(
                    &text.replace('$', "?"),
                    rusqlite::params![number, self.key, bytes],
                )
                .unwrap();
            assert_eq!(changed, 1);
        } else {
            let pool = sqlx::PgPool::connect(url).await.unwrap();
            let text = sqlx::query(sqlx::AssertSqlSafe(text.to_owned()));
            let text = text.bind(number).bind(self.key).bind(bytes.to_vec());
            text.execute(&pool).await.unwrap();
        }
    }
}

on_both! {
    async fn who_had_the_old_key_can_change_nothing_of_before(app: TestApp) {
        let (owner, register) = owned(&app).await;
        look(&owner, &register).await;
        assert_eq!(verified(&app).await.first_bad, None);
        let forger = Forger { app: &app, key: app.app.keys.audit_key() };
        rotated(&app).await;
        look(&owner, &register).await;
        assert_eq!(verified(&app).await.first_bad, None);
        let mut tx = app.app.store.read().await.unwrap();
        let rows = audit::after(&mut tx, app.app.server.bytes(), 0, 1).await.unwrap();
        drop(tx);
        let mut row = rows.into_iter().next().unwrap();
        row.at += 1;
        forger.entry(&mut row);
        forger.put(
            "update audit_events set at = at + 1, mac_key = $2, mac = $3 where number = $1",
            row.number,
            &row.mac,
        ).await;
        assert_eq!(why(&app).await, "is not linked to the entry before", "the entry itself is right");
        // All links that the old key made, made anew: the first of the new key shows it.
        forger.link().await;
        assert_eq!(why(&app).await, "is not linked to the entry before");
    }
}

on_both! {
    async fn who_had_the_old_key_can_add_nothing_a_day_later(app: TestApp) {
        let (owner, register) = owned(&app).await;
        look(&owner, &register).await;
        let forger = Forger { app: &app, key: app.app.keys.audit_key() };
        rotated(&app).await;
        look(&owner, &register).await;
        chain_audit(&app.app).await.unwrap();
        app.clock.advance(DAY + 60);
        let owner = app.sign_in(&Person::number(900)).await;
        look(&owner, &register).await;
        assert_eq!(verified(&app).await.first_bad, None);
        let mut row = audit::EventRow {
            server: vec![7; 16],
            number: 1,
            at: app.app.now() - 2 * DAY * 1000,
            action: "revealed_phone".into(),
            settled: Some(1),
            addressed: Some(0),
            ..audit::EventRow::default()
        };
        forger.entry(&mut row);
        let mut tx = app.app.store.write().await.unwrap();
        audit::insert(&mut tx, &row).await.unwrap();
        audit_chain::announce(&mut tx, &row.server, app.app.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(why(&app).await, "is by a key that was put aside", "before it is chained");
        chain_audit(&app.app).await.unwrap();
        assert_eq!(why(&app).await, "is by a key that was put aside", "and after");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_link_is_by_an_older_key_than_the_one_before() {
    let app = TestApp::start(On::Sqlite).await;
    let (owner, register) = owned(&app).await;
    look(&owner, &register).await;
    let forger = Forger {
        app: &app,
        key: app.app.keys.audit_key(),
    };
    rotated(&app).await;
    look(&owner, &register).await;
    assert_eq!(verified(&app).await.first_bad, None);
    let text = "select max(position) from audit_chain";
    let last: i64 = app.sqlite().query_row(text, [], |row| row.get(0)).unwrap();
    let text = "update audit_chain set mac_key = $2, link = $3 where position = $1";
    forger.put(text, last, &[7; 32]).await;
    assert_eq!(why(&app).await, "is linked by a key that was put aside");
}
