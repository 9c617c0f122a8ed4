//! Another key for receipts: those of before verify, and say by which key.
use super::{states, tend};
use crate::{
    app::{Client, Person, Register, TestApp, owned},
    on_both,
    world::text,
};
use serde_json::json;
use tuantibu::{
    actions::{
        receipts::{ReceiptError, public_keys, verify, verify_here},
        rotate_keys::rotate_keys,
    },
    crypto::Purpose,
};

async fn left(app: &TestApp, register: &Register, n: usize) -> String {
    let joined = app.member(register, &Person::number(n)).await;
    let path = format!(
        "/api/v1/leave/{}",
        text(&joined["authorization"]["leave_link"])
    );
    let client: Client = app.client();
    let receipt = client.post(&path, json!({})).await.expect(200);
    text(&receipt["signed"])
}

on_both! {
    async fn a_receipt_of_before_verifies_by_the_key_of_then(app: TestApp) {
        let (_, register) = owned(&app).await;
        let before = left(&app, &register, 1).await;
        let (first, old) = app.app.keys.receipt_public_keys().remove(0);
        app.clock.advance(60);
        for _ in 0..2 {
            rotate_keys(&app.app, &[Purpose::Receipt]).await.unwrap();
            tend(&app).await;
        }
        assert_eq!(states(&app, "receipt").await, ["old", "old", "active"]);
        let after = left(&app, &register, 2).await;
        let keys = public_keys(&app.app).await.unwrap();
        assert_eq!(keys.len(), 3);
        assert_eq!(keys.iter().map(|key| key.state).collect::<Vec<_>>(), ["active", "old", "old"]);
        assert!(keys[0].put_aside_at.is_none() && keys[1].put_aside_at.is_some());
        for (line, key) in [(&before, first), (&after, keys[0].key)] {
            let (verified, by) = verify_here(&app.app, line).await.unwrap();
            assert_eq!((verified.key, by.unwrap().key), (key, key));
            let public = keys.iter().find(|one| one.key == key).unwrap();
            let public = hex::decode(&public.public).unwrap();
            assert!(verify(None, line, Some(&public)).is_ok(), "by the listed key alone");
        }
        assert_eq!(verify(None, &after, Some(&old)), Err(ReceiptError::Wrong));
        // Whoever starts later knows the old ones too.
        let again = app.another().await;
        assert!(verify_here(&again.app, &before).await.is_ok());
    }
}

on_both! {
    async fn a_receipt_that_an_old_key_signed_later_is_refused(app: TestApp) {
        let (_, register) = owned(&app).await;
        let other = app.another().await;
        rotate_keys(&app.app, &[Purpose::Receipt]).await.unwrap();
        tend(&app).await;
        tend(&other).await;
        // Seconds later one server still signs by the old key.
        let line = left(&app, &register, 1).await;
        let (verified, by) = verify_here(&other.app, &line).await.unwrap();
        assert_eq!(by.unwrap().state, "old");
        app.clock.advance(25 * 3600);
        let line = left(&app, &register, 2).await;
        assert!(matches!(
            verify_here(&other.app, &line).await,
            Err(ReceiptError::OtherTime { key, .. }) if key == verified.key
        ));
    }
}
