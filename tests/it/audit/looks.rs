//! Who looked: every way to see members leaves an entry, and the member reads it in plain words.
use super::{Intruder, command};
use crate::{
    app::{Client, Person, Register, TestApp, owned},
    on_both,
};
use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tuantibu::{
    clock::{Clock, SystemClock},
    model::id::Id,
    store::registers,
};

const ROW: [&str; 4] = ["name", "document_masked", "phone_masked", "verdict"];
const ITEMS: [&str; 3] = ["health_code", "nucleic_acid", "vaccination"];

async fn log(member: &Client) -> Vec<Value> {
    let log = member.get("/api/v1/me/access-log").await.expect(200);
    log.as_array().unwrap().clone()
}

fn fields(entry: &Value) -> Vec<&str> {
    entry["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field.as_str().unwrap())
        .collect()
}

async fn page(client: &Client, method: &str, path: &str, form: &str) -> u16 {
    let token = client.bearer.clone().unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", format!("__Host-tb_session={token}"))
        .header("origin", "https://register.example")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    client
        .raw(request.body(Body::from(form.to_owned())).unwrap())
        .await
        .status
}

/// A way to see members: what it is, and what it must leave.
async fn each_way(
    app: &TestApp,
    owner: &Client,
    register: &Register,
    id: &str,
) -> Vec<(&'static str, bool)> {
    let mut left = Vec::new();
    let board = format!("/registers/{}", register.id);
    let member = format!("{board}/members/{id}");
    for way in 0..8 {
        // Views in ten minutes are one.
        app.clock.advance(601);
        let action = match way {
            0 => {
                owner.get(&register.path("/members")).await.expect(200);
                "viewed"
            }
            1 => {
                owner
                    .get(&register.path(&format!("/members/{id}")))
                    .await
                    .expect(200);
                "viewed"
            }
            2 => {
                super::look(owner, register).await;
                "searched"
            }
            3 => {
                owner
                    .post(&register.path(&format!("/members/{id}/phone")), json!({}))
                    .await
                    .expect(200);
                "revealed_phone"
            }
            4 => {
                let token = owner
                    .confirmation(app, &Person::number(900), "export", register)
                    .await;
                let body =
                    json!({ "format": "csv", "purpose": "开学检查", "confirmation_token": token });
                assert_eq!(
                    owner.post(&register.path("/exports"), body).await.status,
                    200
                );
                "exported"
            }
            5 => {
                assert_eq!(page(owner, "GET", &board, "").await, 200);
                "viewed"
            }
            6 => {
                assert_eq!(page(owner, "POST", &board, "name=%E7%94%B2").await, 200);
                "searched"
            }
            _ => {
                assert_eq!(page(owner, "GET", &member, "").await, 200);
                "viewed"
            }
        };
        left.push((action, way == 4));
    }
    left
}

on_both! {
    async fn each_way_to_see_members_is_told_to_them_with_its_fields(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let joined = app.member(&register, &Person::number(1)).await;
        let id = joined["authorization"]["id"].as_str().unwrap();
        let left = each_way(&app, &owner, &register, id).await;
        let member = app.sign_in(&Person::number(1)).await;
        let log = log(&member).await;
        assert_eq!(log.len(), left.len());
        for (entry, (action, exported)) in log.iter().rev().zip(&left) {
            assert_eq!(entry["action"], *action, "{entry}");
            assert_eq!(entry["register"], "青禾实验小学");
            assert_eq!(entry["administrator_masked"], "甲**零");
            assert!(!entry["at"].as_str().unwrap().is_empty());
            assert_eq!(entry["purpose"].as_str(), exported.then_some("开学检查"));
            let all: Vec<&str> = ROW.into_iter().chain(ITEMS).collect();
            let wanted = if *action == "revealed_phone" { vec!["phone"] } else { all };
            assert_eq!(fields(entry), wanted, "{action}");
        }
        // Nothing else of the register shows a member: counts leave nothing.
        app.clock.advance(601);
        owner.get(&register.path("/summary")).await.expect(200);
        owner.get(&register.path("")).await.expect(200);
        for path in ["", "/code", "/code/poster", "/settings", "/filter", "/counts"] {
            page(&owner, "GET", &format!("/registers/{}{path}", register.id), "").await;
            let more = self::log(&member).await.len() - left.len();
            // The list itself, first of all; the rest is no further view.
            assert_eq!(more, 1, "{path}");
        }
    }
}

on_both! {
    async fn a_member_is_told_of_what_could_be_seen_of_them_alone(app: TestApp) {
        let (owner, register) = owned(&app).await;
        for n in [1, 2, 3] {
            app.put(&Person::number(n), app.healthy()).await;
        }
        let client = app.client();
        let verdict = app.join_with(&client, &register, &Person::number(1), |body| {
            body["consent"]["sharing"] = json!("verdict");
        }).await;
        let grade = app.join_with(&client, &register, &Person::number(2), |body| {
            body["department"] = json!("一年级组");
        }).await;
        let rear = app.join_with(&client, &register, &Person::number(3), |body| {
            body["department"] = json!("后勤");
            body["consent"]["items"] = json!(["health_code", "nucleic_acid"]);
        }).await;
        let helper = Person::number(4);
        app.put(&helper, json!({})).await;
        let limited = app.sign_in(&helper).await;
        let me = limited.get("/api/v1/me").await.expect(200);
        let person = Id::parse(me["person"]["id"].as_str().unwrap()).unwrap();
        let mut tx = app.app.store.write().await.unwrap();
        let departments = Some("[\"一年级组\"]");
        let id = Id::parse(&register.id).unwrap();
        registers::insert_administrator(&mut tx, &[9; 16], id.bytes(), person.bytes(), 0, departments, 0).await.unwrap();
        tx.commit().await.unwrap();
        app.clock.advance(1);
        owner.get(&register.path("/members")).await.expect(200);
        app.clock.advance(1);
        limited.get(&register.path("/members")).await.expect(200);
        let of = |joined: &Value| client.with(joined["token"].as_str());
        let seen = log(&of(&verdict)).await;
        assert_eq!(seen.len(), 1, "the limited one does not see who has no department");
        assert_eq!(fields(&seen[0]), ROW, "no item of who shares the verdict alone");
        let seen = log(&of(&grade)).await;
        assert_eq!(seen.len(), 2);
        assert!(fields(&seen[0]).contains(&"department"));
        let seen = log(&of(&rear)).await;
        assert_eq!(seen.len(), 1, "another department's administrator saw nothing of them");
        assert!(!fields(&seen[0]).contains(&"vaccination"), "it was not consented to");
    }
}

on_both! {
    async fn the_page_says_it_in_plain_words(app: TestApp) {
        let owner = Person::number(900);
        app.put(&owner, json!({})).await;
        let owner = app.sign_in(&owner).await;
        let register = app.register_with(&owner, |terms| terms["administrator_title"] = json!("校医")).await;
        let joined = app.member(&register, &Person::number(1)).await;
        app.clock.advance(1);
        owner.get(&register.path("/members")).await.expect(200);
        let id = joined["authorization"]["id"].as_str().unwrap();
        owner.post(&register.path(&format!("/members/{id}/phone")), json!({})).await.expect(200);
        let token = joined["token"].as_str().unwrap();
        for (lang, words) in [
            ("zh-CN", ["校医 甲**零", "查看名单", "能看到：姓名、证件号码（打码）、手机号（打码）、是否符合要求、健康码", "能看到：完整的手机号"]),
            ("en", ["校医 甲**零", "viewed the list", "Could see: name, document number (masked)", "Could see: the whole phone number"]),
        ] {
            let request = Request::get("/me/access-log")
                .header("cookie", format!("__Host-tb_session={token}"))
                .header("accept-language", lang);
            let answer = app.client().raw(request.body(Body::empty()).unwrap()).await;
            let shown = String::from_utf8(answer.bytes).unwrap();
            for word in words {
                assert!(shown.contains(word), "{word}: {shown}");
            }
        }
    }
}

on_both! {
    async fn the_operator_counts_and_sees_nobody(app: TestApp) {
        super::log_of(&app).await;
        let intruder = Intruder::into(&app).await;
        // The program that counts has a clock of its own.
        let now = SystemClock.millis();
        intruder.run(&format!("update audit_events set at = {now}")).await;
        let output = command(&app, &["counts", "--days", "2"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let joined: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|count| count["action"] == "joined")
            .collect();
        assert_eq!(joined.iter().map(|count| count["count"].as_i64().unwrap()).sum::<i64>(), 3, "{text}");
        for line in text.lines() {
            let count: Value = serde_json::from_str(line).unwrap();
            let keys: Vec<&String> = count.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["action", "count", "day"], "{line}");
        }
    }
}
