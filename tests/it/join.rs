//! Joining: consent first, one row, guardians, and joins that wait for the source.
use crate::{
    app::{Client, On, Person, Register, TestApp, confirm_path, join_body, owned},
    on_both,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tuantibu::{
    actions::{operator, retry_pending},
    source::faults::Fault,
};

async fn members(owner: &Client, register: &Register) -> Vec<Value> {
    let list = owner
        .get(&register.path("/members?limit=200"))
        .await
        .expect(200);
    list["members"].as_array().unwrap().clone()
}

on_both! {
    async fn the_preview_tells_everything_before_anything_is_typed(app: TestApp) {
        let (_, register) = owned(&app).await;
        let preview = app.client().get(&format!("/api/v1/join/{}", register.code)).await.expect(200);
        assert_eq!(preview["organisation"], "青禾实验小学");
        assert_eq!(preview["vouched"], false);
        assert_eq!(preview["contact"], "010-62345678");
        assert!(preview["street"].as_str().unwrap().starts_with("北京市海淀区"));
        assert_eq!(preview["administrator_masked"], "甲**零");
        assert_eq!(preview["items"][2], json!({ "item": "vaccination", "required": false }));
        assert_eq!(preview["refresh_times"], json!(["06:00", "09:00", "12:00", "16:00"]));
        assert!(preview["consent"]["text"].as_str().unwrap().contains("青禾实验小学"));
        assert_eq!(app.client().get("/api/v1/join/AAAAAAAAAAAAAAAAAAAAAA").await.problem(404), "not_found");
    }
}

on_both! {
    async fn joining_gives_one_row_with_the_consent_as_it_was_given(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        let joined = app.member(&register, &person).await;
        let authorization = &joined["authorization"];
        assert_eq!(authorization["consent_version"], tuantibu::actions::join_terms::CONSENT_VERSION);
        assert_eq!(authorization["sharing"], "details");
        assert!(authorization["leave_url"].as_str().unwrap().starts_with("https://register.example/leave/"));
        let rows = members(&owner, &register).await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["name"], person.name);
        assert_eq!(rows[0]["id"], authorization["id"]);
        assert_eq!(rows[0]["verdict"], "meets");
        assert_eq!(rows[0]["items"]["nucleic_acid"]["days"], 0);
        assert_eq!(rows[0]["data_time"], "2022-11-14T12:00:00+08:00");
    }
}

on_both! {
    async fn joining_twice_or_with_another_phone_is_one_row(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let mut person = Person::number(1);
        app.member(&register, &person).await;
        app.clock.advance(61);
        app.join(&register, &person).await;
        person.phones = vec!["13911112222".into()];
        app.put(&person, app.healthy()).await;
        app.join(&register, &person).await;
        let rows = members(&owner, &register).await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["phone_masked"], "139****2222");
        let shown = owner.get(&register.path("")).await.expect(200);
        assert_eq!(shown["members"], 1);
    }
}

on_both! {
    async fn two_people_with_one_name_are_two_people(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let (first, mut second) = (Person::number(1), Person::number(2));
        second.name = first.name.clone();
        app.member(&register, &first).await;
        app.member(&register, &second).await;
        assert_eq!(members(&owner, &register).await.len(), 2);
    }
}

on_both! {
    async fn no_consent_no_join_whatever_the_page_did(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        app.put(&person, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        let cases: [(&str, Value); 9] = [
            ("", Value::Null),
            ("accepted", json!(false)),
            ("version", json!("2020-01")),
            ("version", json!("")),
            ("items", Value::Null),
            ("items", json!([])),
            ("items", json!(["health_code"])),
            ("sharing", Value::Null),
            ("sharing", json!("everything")),
        ];
        for (field, value) in cases {
            let mut body = join_body(&person);
            match (field, &value) {
                ("", _) => { body.as_object_mut().unwrap().remove("consent"); }
                (field, Value::Null) => { body["consent"].as_object_mut().unwrap().remove(field); }
                (field, value) => body["consent"][field] = value.clone(),
            }
            let answer = app.client().post(&path, body).await;
            assert_eq!(answer.problem(422), "consent_required", "{field} {value}");
        }
        let mut body = join_body(&person);
        body["consent"]["items"] = json!(["health_code", "nucleic_acid", "influenza_vaccine"]);
        let answer = app.client().post(&path, body).await;
        assert_eq!(answer.fields(), ["consent.items:unknown_item"]);
        assert_eq!(app.sms_count(person.phone()), 0);
        assert!(members(&owner, &register).await.is_empty());
    }
}

on_both! {
    async fn an_item_that_was_not_consented_to_is_not_shown(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        app.put(&person, app.healthy()).await;
        app.join_with(&app.client(), &register, &person, |body| {
            body["consent"]["items"] = json!(["health_code", "nucleic_acid"]);
        }).await;
        let row = members(&owner, &register).await.remove(0);
        assert_eq!(row["items"]["vaccination"]["state"], "not_shared");
        assert_eq!(row["items"]["vaccination"]["value"], Value::Null);
    }
}

on_both! {
    async fn a_replaced_code_ends_even_half_way_through_a_join(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let (stays, half_way) = (Person::number(1), Person::number(2));
        app.member(&register, &stays).await;
        app.put(&half_way, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        let started = app.client().post(&path, join_body(&half_way)).await.expect(202);
        let replaced = owner.post(&register.path("/code"), json!({})).await.expect(201);
        assert_ne!(replaced["code"], register.code.as_str());
        let code = json!({ "code": app.code(half_way.phone()) });
        assert_eq!(app.client().post(&confirm_path(&started), code).await.problem(410), "code_replaced");
        assert_eq!(app.client().get(&path).await.problem(410), "code_replaced");
        assert_eq!(members(&owner, &register).await.len(), 1);
        let new = Register { code: replaced["code"].as_str().unwrap().into(), ..register.clone() };
        app.clock.advance(61);
        app.join(&new, &half_way).await;
        assert_eq!(members(&owner, &register).await.len(), 2);
    }
}

on_both! {
    async fn one_phone_verifies_five_people_and_no_sixth(app: TestApp) {
        let (_, register) = owned(&app).await;
        for n in 1..=6 {
            let mut person = Person::number(n);
            person.phones = vec!["13900001111".into()];
            app.put(&person, app.healthy()).await;
            let path = format!("/api/v1/join/{}", register.code);
            app.at(&format!("2022-11-{}T12:00:00+08:00", 14 + n));
            let started = app.client().post(&path, join_body(&person)).await.expect(202);
            let code = json!({ "code": app.code(person.phone()) });
            let answer = app.client().post(&confirm_path(&started), code).await;
            if n <= 5 {
                answer.expect(200);
            } else {
                assert_eq!(answer.problem(422), "phone_limit");
            }
        }
    }
}

on_both! {
    async fn a_child_is_joined_by_a_signed_in_guardian_and_by_nobody_else(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let guardian = Person::number(1);
        let child = Person::child("2012-06-01", &guardian);
        app.put(&guardian, app.healthy()).await;
        app.put(&child, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        assert_eq!(app.client().post(&path, join_body(&child)).await.problem(422), "guardian_required");
        let session = app.sign_in(&guardian).await;
        // The phone must stand in the child's own record, and be the guardian's own.
        let mut other = join_body(&child);
        other["phone"] = json!("13900002222");
        assert_eq!(session.post(&path, other).await.fields(), ["phone:not_own_phone"]);
        let joined = app.join_with(&session, &register, &child, |_| {}).await;
        let mine = session.get("/api/v1/me/authorizations").await.expect(200);
        assert_eq!(mine[0]["person"]["name"], child.name);
        assert_eq!(mine[0]["person"]["self"], false);
        assert_eq!(members(&owner, &register).await.len(), 1);
        let id = joined["authorization"]["id"].as_str().unwrap();
        session.delete(&format!("/api/v1/me/authorizations/{id}")).await.expect(200);
        assert!(members(&owner, &register).await.is_empty());
    }
}

on_both! {
    async fn fourteen_is_reckoned_by_the_registers_today(app: TestApp) {
        let (_, register) = owned(&app).await;
        let guardian = Person::number(1);
        let child = Person::child("2008-11-15", &guardian);
        app.put(&child, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        app.at("2022-11-14T23:59:00+08:00");
        assert_eq!(app.client().post(&path, join_body(&child)).await.problem(422), "guardian_required");
        app.at("2022-11-15T00:01:00+08:00");
        app.client().post(&path, join_body(&child)).await.expect(202);
    }
}

on_both! {
    async fn a_join_waits_for_a_source_that_is_down_and_goes_on_when_it_is_back(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        app.put(&person, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        app.source_is(Fault::Down);
        let client = app.client();
        let pending = client.post(&path, join_body(&person)).await.expect(202);
        assert!(pending.get("verification_id").is_none() && pending.get("token").is_none());
        assert_eq!(pending["until"], "2022-11-15T12:00:00+08:00");
        assert_eq!(app.sms_count(person.phone()), 0);
        let handle = format!("/api/v1/pending/{}", pending["pending_id"].as_str().unwrap());
        assert_eq!(client.get(&handle).await.expect(200)["state"], "waiting");
        let summary = owner.get(&register.path("/summary")).await.expect(200);
        assert_eq!((&summary["waiting"], &summary["members"]), (&json!(1), &json!(0)));
        let send = format!("{handle}/send-code");
        assert_eq!(client.post(&send, json!({})).await.problem(503), "source_unavailable");
        retry_pending::retry_pending(&app.app).await.unwrap();
        app.source_is(Fault::Ok);
        app.at("2022-11-14T22:00:00+08:00");
        retry_pending::retry_pending(&app.app).await.unwrap();
        retry_pending::send_due(&app.app).await.unwrap();
        assert_eq!(app.sms_count(person.phone()), 0, "no invitation by night");
        app.at("2022-11-15T08:00:00+08:00");
        retry_pending::send_due(&app.app).await.unwrap();
        retry_pending::send_due(&app.app).await.unwrap();
        assert_eq!(app.sms_count(person.phone()), 1, "one invitation, without a code");
        assert_eq!(client.get(&handle).await.expect(200)["state"], "matched");
        let started = client.post(&send, json!({})).await.expect(202);
        let code = json!({ "code": app.code(person.phone()) });
        let joined = client.post(&confirm_path(&started), code).await.expect(200);
        assert_eq!(joined["authorization"]["organisation"], "青禾实验小学");
        assert_eq!(client.get(&handle).await.problem(404), "not_found");
    }
}

on_both! {
    async fn a_waiting_join_that_does_not_match_is_erased_and_tells_nobody(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let victim = Person::number(1);
        app.put(&victim, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        app.source_is(Fault::Down);
        let mut body = join_body(&victim);
        body["phone"] = json!("13900009999");
        let client = app.client();
        let pending = client.post(&path, body).await.expect(202);
        app.source_is(Fault::Ok);
        retry_pending::retry_pending(&app.app).await.unwrap();
        retry_pending::send_due(&app.app).await.unwrap();
        let handle = format!("/api/v1/pending/{}", pending["pending_id"].as_str().unwrap());
        assert_eq!(client.get(&handle).await.problem(404), "not_found");
        assert_eq!(app.sms_count(victim.phone()) + app.sms_count("13900009999"), 0);
        assert_eq!(client.get("/api/v1/me/authorizations").await.problem(401), "not_signed_in");
        let summary = owner.get(&register.path("/summary")).await.expect(200);
        assert_eq!(summary["waiting"], 0);
    }
}

on_both! {
    async fn thirty_people_join_at_once_and_each_is_there_once(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let people: Vec<Person> = (1..=30).map(Person::number).collect();
        for person in &people {
            app.put(person, app.healthy()).await;
        }
        join_all(people.iter().map(|person| app.join(&register, person))).await;
        let rows = members(&owner, &register).await;
        assert_eq!(rows.len(), 30);
        let shown = owner.get(&register.path("")).await.expect(200);
        assert_eq!(shown["members"], 30);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_register_takes_nobody_more() {
    for on in [On::Sqlite, On::Postgres] {
        let app = TestApp::start_with(on, |config| config.limits.members_register = 2).await;
        let (_, register) = owned(&app).await;
        app.member(&register, &Person::number(1)).await;
        app.member(&register, &Person::number(2)).await;
        let third = Person::number(3);
        app.put(&third, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        let started = app
            .client()
            .post(&path, join_body(&third))
            .await
            .expect(202);
        let code = json!({ "code": app.code(third.phone()) });
        let answer = app.client().post(&confirm_path(&started), code).await;
        assert_eq!(answer.problem(422), "register_full");
        // Who is there already may join again.
        app.clock.advance(61);
        app.join(&register, &Person::number(1)).await;
    }
}

on_both! {
    async fn a_register_that_the_operator_froze_takes_nobody_and_is_not_previewed(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        app.put(&person, app.healthy()).await;
        let path = format!("/api/v1/join/{}", register.code);
        let started = app.client().post(&path, join_body(&person)).await.expect(202);
        operator::set_frozen(&app.app, &register.id, true).await.unwrap();
        assert_eq!(app.client().get(&path).await.problem(410), "register_frozen");
        let answer = app.client().post(&path, join_body(&Person::number(2))).await;
        assert_eq!(answer.problem(410), "register_frozen");
        let code = json!({ "code": app.code(person.phone()) });
        let answer = app.client().post(&confirm_path(&started), code).await;
        assert_eq!(answer.problem(410), "register_frozen", "half-way too");
        assert!(members(&owner, &register).await.is_empty());
    }
}
