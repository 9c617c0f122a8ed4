//! Sessions, limits and lists are the same at either server.
use super::pair::{LIFTED, Pair, list};
use crate::{
    app::{Person, confirm_path},
    world::text,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_one_server_works_at_the_other_and_ends_at_both_at_once() {
    let pair = Pair::start("").await;
    let at_a = pair.sign_in(&pair.a, &Person::number(1)).await;
    let at_b = pair.b.caller().with(at_a.bearer.as_deref());
    let me = at_b.get("/api/v1/me").await.expect(200);
    assert_eq!(me, at_a.get("/api/v1/me").await.expect(200));
    // A code that one sent is typed at the other.
    let begun = at_a
        .with(None)
        .post("/api/v1/sign-in", Person::number(2).identity())
        .await
        .expect(202);
    let second = pair
        .confirm(&at_b.with(None), &begun, &Person::number(2))
        .await;
    let second = at_a.with(second["token"].as_str());
    second.get("/api/v1/me").await.expect(200);
    // Both have answered this session by now; each sign-out holds at the other's next request.
    at_a.delete("/api/v1/session").await.expect(204);
    assert_eq!(at_b.get("/api/v1/me").await.problem(401), "not_signed_in");
    let other = pair.b.caller().with(second.bearer.as_deref());
    other.delete("/api/v1/session").await.expect(204);
    assert_eq!(second.get("/api/v1/me").await.problem(401), "not_signed_in");
    assert_eq!(pair.number("select count(*) from sessions").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_codes_and_messages_are_counted_across_both_servers() {
    let pair = Pair::start("").await;
    let both = [pair.a.caller(), pair.b.caller()];
    // Mismatches.
    let mut wrong = Person::number(1).identity();
    wrong["name"] = json!("甲二");
    for (n, left) in [4, 3, 2, 1, 0].into_iter().enumerate() {
        let answer = both[n % 2].post("/api/v1/sign-in", wrong.clone()).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.body["tries_left"], left);
    }
    for caller in &both {
        let right = Person::number(1).identity();
        let answer = caller.post("/api/v1/sign-in", right).await;
        assert_eq!(answer.problem(429), "too_many_attempts");
    }
    // Wrong codes.
    let person = Person::number(2);
    let begun = both[0].post("/api/v1/sign-in", person.identity()).await;
    let begun = begun.expect(202);
    let code = pair.sms.code(person.phone());
    let wrong = json!({ "code": if code == "000000" { "000001" } else { "000000" } });
    for (n, left) in [4, 3, 2, 1, 0].into_iter().enumerate() {
        let answer = both[n % 2].post(&confirm_path(&begun), wrong.clone()).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.body["tries_left"], left);
    }
    for caller in &both {
        let right = json!({ "code": code });
        let answer = caller.post(&confirm_path(&begun), right).await;
        assert_eq!(answer.problem(410), "verification_ended");
    }
    // Messages: a phone whose code is unused gets no other from either, and five a day from both.
    let person = Person::number(3);
    for n in 0..5 {
        let caller = &both[n % 2];
        let begun = caller.post("/api/v1/sign-in", person.identity()).await;
        let begun = begun.expect(202);
        for caller in &both {
            let early = caller.post("/api/v1/sign-in", person.identity()).await;
            assert_eq!(early.problem(429), "resend_too_early");
        }
        pair.confirm(caller, &begun, &person).await;
    }
    for caller in &both {
        let sixth = caller.post("/api/v1/sign-in", person.identity()).await;
        assert_eq!(sixth.problem(429), "too_many_attempts");
    }
    let to = format!("+86{}", person.phone());
    let sent = pair.sms.received();
    assert_eq!(sent.iter().filter(|sms| sms.body["phone"] == to).count(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_changes_the_next_request_at_the_other_sees() {
    let pair = Pair::start(LIFTED).await;
    let at_a = pair.sign_in(&pair.a, &Person::number(900)).await;
    let at_b = pair.b.caller().with(at_a.bearer.as_deref());
    let register = pair.register(&at_a).await;
    let mut joined = Vec::new();
    for n in 1..=3 {
        let before = list(&at_b, &register).await;
        assert_eq!(list(&at_b, &register).await, before, "as B keeps it");
        joined.push(pair.join(&pair.a, &register, &Person::number(n)).await);
        assert_eq!(list(&at_b, &register).await.len(), n);
    }
    let own = |n: usize| text(&joined[n]["authorization"]["id"]);
    // A leave through A, signed in.
    assert_eq!(list(&at_b, &register).await.len(), 3);
    let me = pair.a.caller().with(joined[0]["token"].as_str());
    let path = format!("/api/v1/me/authorizations/{}", own(0));
    me.delete(&path).await.expect(200);
    assert_eq!(list(&at_b, &register).await.len(), 2);
    // A leave by its link.
    let link = text(&joined[1]["authorization"]["leave_link"]);
    let leave = format!("/api/v1/leave/{link}");
    pair.a.caller().post(&leave, json!({})).await.expect(200);
    assert_eq!(list(&at_b, &register).await.len(), 1);
    // Another requirement.
    let row = list(&at_b, &register).await.remove(0);
    assert_eq!(row["verdict"], "meets");
    let change = json!({ "requirements": [{ "item": "nucleic_acid", "max_days": 1 }] });
    let changed = at_a.send("PATCH", &register.path(""), Some(change)).await;
    changed.unwrap().expect(200);
    let row = list(&at_b, &register).await.remove(0);
    assert_eq!(row["verdict"], "fails");
    // A removal.
    let member = register.path(&format!("/members/{}", own(2)));
    at_a.delete(&member).await.expect(204);
    assert!(list(&at_b, &register).await.is_empty());
    let summary = at_b.get(&register.path("/summary")).await.expect(200);
    assert_eq!(summary["members"], 0);
    // And a code that A replaced is over at B.
    let replaced = at_a.post(&register.path("/code"), json!({})).await;
    replaced.expect(201);
    let preview = format!("/api/v1/join/{}", register.code);
    let preview = at_b.with(None).get(&preview).await;
    assert_eq!(preview.problem(410), "code_replaced");
}
