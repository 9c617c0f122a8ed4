//! The schema and every statement hold on both engines.
use crate::{
    administrators::{Seat, form},
    app::{Client, Person, Register, TestApp, confirm_path, join_body},
    on_both,
    passkeys::{self, Administrator, Passkey},
};
use serde_json::json;
use tuantibu::{
    actions::{
        chain_audit::chain_audit, chores::chores, count_audit::count_audit, operator,
        overwrite_erased::overwrite_erased, prune_audit::prune_audit,
        refresh_health::refresh_health, retry_pending, rewrap_keys::rewrap_keys,
        rotate_keys::rotate_keys, tend_keys::tend_keys, verify_audit::verify_audit,
    },
    crypto::Purpose,
    model::id::Id,
    source::faults::Fault,
    store::{
        audit, authorizations, erasures, passkeys as passkey_rows, persons, refresh, registers,
        sealed, sms, snapshots, verifications,
    },
};

on_both! {
    async fn every_statement_prepares(app: TestApp) {
        let prepared = app.app.store.prepare_all().await.unwrap();
        assert!(prepared > 100, "{prepared} statements");
    }
}

on_both! {
    async fn every_statement_runs(app: TestApp) {
        let person = Person::number(900);
        app.put(&person, json!({})).await;
        let owner = app.sign_in(&person).await;
        let register = app.register(&owner).await;
        administrators_come_and_go(&app).await;
        passkeys_come_and_go(&app).await;
        members_come_and_go(&app, &owner, &register).await;
        a_join_waits(&app, &register).await;
        the_operator_looks(&app, &register).await;
        the_source_fails(&app).await;
        the_owner_changes_and_deletes(&app, &owner, &person, &register).await;
        time_passes(&app).await;
        the_log_is_kept(&app).await;
        the_rest(&app).await;
        let left = app.app.store.not_yet_run();
        assert!(left.is_empty(), "did not run: {left:?}");
    }
}

async fn administrators_come_and_go(app: &TestApp) {
    let owner = &crate::administrators::person(app, 905).await;
    let register = &app.register(owner).await;
    let seat = Seat::whose(owner, register, 905);
    let other = seat.administrator(app, 901, json!(["后勤"])).await;
    let again = seat.invite(app, json!(null)).await;
    let path = format!("/api/v1/invitations/{again}");
    other.get(&path).await.expect(200);
    other.post(&path, json!({})).await.expect(200);
    let listed = owner
        .get(&register.path("/administrators"))
        .await
        .expect(200);
    let id = listed["administrators"][1]["id"].as_str().unwrap();
    let of = Seat::whose(&other, register, 901);
    let link = seat.hand_over(app).await;
    let path = format!("/api/v1/invitations/{link}");
    other.post(&path, json!({})).await.expect(200);
    let link = of.hand_over(app).await;
    let path = format!("/api/v1/invitations/{link}");
    owner.post(&path, json!({})).await.expect(200);
    let own = register.path(&format!("/administrators/{id}"));
    owner.delete(&own).await.expect(204);
    let withdrawn = seat.invite(app, json!(null)).await;
    assert_eq!(withdrawn.len(), 22);
    let listed = owner
        .get(&register.path("/administrators"))
        .await
        .expect(200);
    let id = listed["invitations"][0]["id"].as_str().unwrap();
    let own = register.path(&format!("/invitations/{id}"));
    owner.delete(&own).await.expect(204);
}

async fn passkeys_come_and_go(app: &TestApp) {
    let own = Administrator::new(app, 907).await;
    let mut passkey = Passkey::new();
    let id = own.add(app, &mut passkey).await;
    passkeys::sign_in(&app.client(), &mut passkey).await;
    assert_eq!(own.remove(app, &id).await.status, 204);
}

async fn members_come_and_go(app: &TestApp, owner: &Client, register: &Register) {
    let first = app.member(register, &Person::number(1)).await;
    let second = app.member(register, &Person::number(2)).await;
    app.member(register, &Person::number(3)).await;
    let id =
        |joined: &serde_json::Value| joined["authorization"]["id"].as_str().unwrap().to_owned();
    owner.get(&register.path("/members")).await.expect(200);
    owner
        .post(&register.path("/members/search"), json!({ "name": "甲" }))
        .await
        .expect(200);
    owner.get(&register.path("/summary")).await.expect(200);
    owner
        .post(
            &register.path(&format!("/members/{}/phone", id(&first))),
            json!({}),
        )
        .await
        .expect(200);
    owner
        .delete(&register.path(&format!("/members/{}", id(&second))))
        .await
        .expect(204);
    let me = app.client().with(first["token"].as_str());
    let consent = join_body(&Person::number(1))["consent"].clone();
    let mine = format!("/api/v1/me/authorizations/{}", id(&first));
    me.patch(&mine, consent).await.expect(200);
    for path in [
        "/api/v1/me",
        "/api/v1/me/data",
        "/api/v1/me/sessions",
        "/api/v1/me/access-log",
    ] {
        me.get(path).await.expect(200);
    }
    let other = app
        .register_with(owner, |terms| terms["organisation"] = json!("春晖展览"))
        .await;
    app.clock.advance(61);
    app.join(&other, &Person::number(1)).await;
    me.delete(&mine).await.expect(200);
    let link = format!(
        "/api/v1/leave/{}",
        first["authorization"]["leave_link"].as_str().unwrap()
    );
    assert_eq!(me.get(&link).await.status, 404);
    me.delete("/api/v1/session").await.expect(204);
    let mut leaving = Person::number(3).identity();
    leaving["purpose"] = json!("leave");
    app.clock.advance(61);
    let started = app
        .client()
        .post("/api/v1/sign-in", leaving.clone())
        .await
        .expect(202);
    app.clock.advance(61);
    let resend = confirm_path(&started).replace("/confirm", "/resend");
    app.client().post(&resend, json!({})).await.expect(202);
    app.sms_fails(true);
    app.clock.advance(61);
    assert_eq!(
        app.client().post("/api/v1/sign-in", leaving).await.status,
        503
    );
    app.sms_fails(false);
    let mut wrong = Person::number(3).identity();
    wrong["name"] = json!("丙");
    assert_eq!(
        app.client().post("/api/v1/sign-in", wrong).await.status,
        422
    );
}

async fn a_join_waits(app: &TestApp, register: &Register) {
    app.source_is(Fault::Down);
    let path = format!("/api/v1/join/{}", register.code);
    let client = app.client();
    let mut handles = Vec::new();
    for n in [4, 5, 6] {
        app.put(&Person::number(n), app.healthy()).await;
        let pending = client
            .post(&path, join_body(&Person::number(n)))
            .await
            .expect(202);
        handles.push(format!(
            "/api/v1/pending/{}",
            pending["pending_id"].as_str().unwrap()
        ));
    }
    client.get(&handles[0]).await.expect(200);
    client.delete(&handles[1]).await.expect(204);
    app.client()
        .post("/api/v1/sign-in", Person::number(3).identity())
        .await
        .expect(202);
    app.source_is(Fault::Ok);
    retry_pending::retry_pending(&app.app).await.unwrap();
    retry_pending::send_due(&app.app).await.unwrap();
    // The items cannot be read on joining: that is marked, and who joins is in all the same.
    let started = client
        .post(&format!("{}/send-code", handles[0]), json!({}))
        .await
        .expect(202);
    assert_eq!(
        client
            .post(&format!("{}/send-code", handles[0]), json!({}))
            .await
            .status,
        429
    );
    app.source_is(Fault::Down);
    client
        .confirm(app, &started, Person::number(4).phone())
        .await;
    app.source_is(Fault::Ok);
    assert_eq!(
        client
            .get("/api/v1/join/AAAAAAAAAAAAAAAAAAAAAA")
            .await
            .status,
        404
    );
    let report = format!("{path}/report");
    client
        .post(&report, json!({ "reason": "不认识这个单位" }))
        .await
        .expect(202);
}

async fn the_operator_looks(app: &TestApp, register: &Register) {
    operator::list(&app.app, true).await.unwrap();
    operator::show(&app.app, &register.id).await.unwrap();
    for on in [true, false] {
        operator::set_frozen(&app.app, &register.id, on)
            .await
            .unwrap();
        operator::set_vouched(&app.app, &register.code, on)
            .await
            .unwrap();
    }
    assert_eq!(verify_audit(&app.app, &[]).await.unwrap().first_bad, None);
}

async fn the_source_fails(app: &TestApp) {
    let mut moved = Person::number(3);
    moved.phones = vec!["13900009999".to_owned()];
    app.put(&moved, json!({})).await;
    refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
    app.source_is(Fault::Down);
    refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
    app.source_is(Fault::Ok);
    app.remove_from_source(&Person::number(3)).await;
    refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
    tuantibu::actions::refresh_health::last_run(&app.app)
        .await
        .unwrap();
    tuantibu::actions::refresh_health::is_due(&app.app)
        .await
        .unwrap();
}

async fn the_owner_changes_and_deletes(
    app: &TestApp,
    owner: &Client,
    person: &Person,
    register: &Register,
) {
    owner
        .patch(&register.path(""), json!({ "requirements": [] }))
        .await
        .expect(200);
    owner
        .post(&register.path("/code"), json!({}))
        .await
        .expect(201);
    owner.get("/api/v1/registers").await.expect(200);
    let sessions = owner.get("/api/v1/me/sessions").await.expect(200);
    assert_eq!(sessions.as_array().unwrap().len(), 1);
    app.clock.advance(61);
    let token = owner
        .confirmation(app, person, "delete_register", register)
        .await;
    let body = json!({ "organisation": "青禾实验小学", "confirmation_token": token });
    owner
        .send("DELETE", &register.path(""), Some(body))
        .await
        .expect(200);
    owner.delete("/api/v1/me/sessions").await.expect(204);
    operator::end_sessions(&app.app, None).await.unwrap();
}

async fn time_passes(app: &TestApp) {
    app.clock.advance(200 * 86_400);
    chores(&app.app, true).await.unwrap();
    assert!(!overwrite_erased(&app.app).await.unwrap());
    app.clock.advance(86_400);
    assert!(overwrite_erased(&app.app).await.unwrap());
}

async fn the_log_is_kept(app: &TestApp) {
    chain_audit(&app.app).await.unwrap();
    drop(app.app.audit_numbers.take());
    std::mem::forget(app.app.audit_numbers.take());
    operator::end_sessions(&app.app, None).await.unwrap();
    app.clock.advance(601);
    assert_eq!(chain_audit(&app.app).await.unwrap(), 2);
    assert_eq!(verify_audit(&app.app, &[]).await.unwrap().lost, 1);
    assert!(!count_audit(&app.app, 1).await.unwrap().is_empty());
    app.clock
        .advance((app.app.config.audit.keep_days + 1) * 86_400);
    prune_audit(&app.app).await.unwrap();
    assert!(verify_audit(&app.app, &[]).await.unwrap().pruned > 0);
}

/// What no journey needs yet, and what only a race brings about.
async fn the_rest(app: &TestApp) {
    // A page's own button.
    app.put(&Person::number(7), json!({})).await;
    let page = app.sign_in(&Person::number(7)).await;
    assert_eq!(form(&page, "/me/sessions/others", "").await.status, 303);
    let mut tx = app.app.store.write().await.unwrap();
    let id = Id([7; 16]);
    assert!(snapshots::get(&mut tx, id.bytes()).await.unwrap().is_none());
    assert!(persons::by_id(&mut tx, id.bytes()).await.unwrap().is_none());
    assert!(refresh::held(&mut tx, id.bytes()).await.unwrap().is_none());
    assert!(registers::get(&mut tx, id.bytes()).await.unwrap().is_none());
    let limited = ["一年级组".to_owned()];
    authorizations::count_in_departments(
        &mut tx,
        id.bytes(),
        &serde_json::to_string(&limited).unwrap(),
    )
    .await
    .unwrap();
    assert!(!audit::is_there(&mut tx, id.bytes(), 1).await.unwrap());
    refresh::extend(&mut tx, 0, id.bytes(), 1).await.unwrap();
    erasures::since(&mut tx, 0).await.unwrap();
    registers::delete_roles(&mut tx, id.bytes()).await.unwrap();
    verifications::delete_of_phone(&mut tx, id.bytes())
        .await
        .unwrap();
    // By the id of one that a restored copy brings back.
    assert!(!passkey_rows::forget(&mut tx, id.bytes()).await.unwrap());
    for column in sealed::COLUMNS {
        let put = sealed::put(&mut tx, column, id.bytes(), b"", b"").await;
        assert!(!put.unwrap());
    }
    assert!(
        persons::hashes(&mut tx, &[255; 16], 1)
            .await
            .unwrap()
            .is_empty()
    );
    let row = persons::HashesRow {
        id: Vec::new(),
        profile: Vec::new(),
        document_hash: Vec::new(),
        phone_hash: Vec::new(),
    };
    assert!(!persons::rehash(&mut tx, &row).await.unwrap());
    let nobody = ("smpp", "nobody");
    assert!(
        !sms::record_receipt(&mut tx, nobody, 4, None, 1)
            .await
            .unwrap()
    );
    assert!(!sms::counts(&mut tx, 0).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    rotate_keys(&app.app, &Purpose::ALL).await.unwrap();
    for _ in 0..2 {
        tend_keys(&app.app).await.unwrap();
        app.clock.advance(4000);
    }
    let mut tx = app.app.store.read().await.unwrap();
    assert!(
        !tuantibu::store::audit_chain::names_key(&mut tx, 0, 1)
            .await
            .unwrap()
    );
    drop(tx);
    let new = app.folder.join("new.key");
    rewrap_keys(&app.app, &new).await.unwrap();
    app.app.holder.let_go().await.unwrap();
}
