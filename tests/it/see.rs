//! Seeing: states never confused with values, days computed when read, filters, counts, paging.
use crate::{
    app::{Client, Person, Register, TestApp, owned},
    on_both,
};
use serde_json::{Value, json};
use tuantibu::actions::refresh_health::refresh_health;

async fn list(owner: &Client, register: &Register, query: &str) -> Vec<Value> {
    let page = owner
        .get(&register.path(&format!("/members?{query}")))
        .await
        .expect(200);
    page["members"].as_array().unwrap().clone()
}

fn test(result: &str, sampled: &str) -> Value {
    json!({ "result": result, "sampled_at": sampled })
}

/// Joins with these items at the source.
async fn with(app: &TestApp, register: &Register, n: usize, items: Value) -> Person {
    let person = Person::number(n);
    app.put(&person, items).await;
    app.join(register, &person).await;
    person
}

on_both! {
    async fn numbers_are_masked_everywhere(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        app.member(&register, &person).await;
        let row = list(&owner, &register, "").await.remove(0);
        let last = &person.document[16..];
        assert_eq!(row["document_masked"], format!("110*************{last}"));
        assert_eq!(row["phone_masked"], "138****0001");
        let all = owner.get(&register.path("/members")).await;
        let text = String::from_utf8(all.bytes).unwrap();
        assert!(!text.contains(&person.document) && !text.contains(person.phone()));
    }
}

on_both! {
    async fn each_row_of_the_list_is_that_member(app: TestApp) {
        let (owner, register) = owned(&app).await;
        app.member(&register, &Person::number(1)).await;
        with(&app, &register, 2, json!({})).await;
        with(&app, &register, 3, json!({ "health_code": { "value": "red" } })).await;
        let quoted = Person {
            name: "Anna \"<b>\" O'Neil".to_owned(),
            ..Person::number(4)
        };
        app.member(&register, &quoted).await;
        let quiet = Person::number(5);
        app.put(&quiet, app.healthy()).await;
        let verdict_only = |body: &mut Value| {
            body["consent"]["sharing"] = json!("verdict");
            body["department"] = json!("一年级组");
        };
        app.join_with(&app.client(), &register, &quiet, verdict_only).await;
        // Once made and once kept.
        for _ in 0..2 {
            let rows = list(&owner, &register, "").await;
            assert_eq!(rows.len(), 5);
            for row in rows {
                let path = format!("/members/{}", row["id"].as_str().unwrap());
                assert_eq!(row, owner.get(&register.path(&path)).await.expect(200));
            }
        }
    }
}

on_both! {
    async fn a_phone_that_changed_shows_in_the_list_at_once(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let mut person = Person::number(1);
        app.member(&register, &person).await;
        assert_eq!(list(&owner, &register, "").await[0]["phone_masked"], "138****0001");
        person.phones = vec!["13900007777".to_owned()];
        app.put(&person, app.healthy()).await;
        app.sign_in(&person).await;
        assert_eq!(list(&owner, &register, "").await[0]["phone_masked"], "139****7777");
        person.phones = vec!["13900008888".to_owned()];
        app.put(&person, app.healthy()).await;
        refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
        assert_eq!(list(&owner, &register, "").await[0]["phone_masked"], "139****8888");
    }
}

on_both! {
    async fn a_revealed_phone_is_logged_and_the_member_sees_who_looked(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        let joined = app.member(&register, &person).await;
        let id = joined["authorization"]["id"].as_str().unwrap();
        app.clock.advance(1);
        let phone = owner.post(&register.path(&format!("/members/{id}/phone")), json!({})).await.expect(200);
        assert_eq!(phone, json!({ "phone": person.phone() }));
        list(&owner, &register, "").await;
        list(&owner, &register, "").await;
        owner.post(&register.path("/members/search"), json!({ "name": "甲" })).await.expect(200);
        let me = app.client().with(joined["token"].as_str());
        let log = me.get("/api/v1/me/access-log").await.expect(200);
        let mut seen: Vec<&str> =
            log.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(seen, ["revealed_phone", "searched", "viewed"], "two views in ten minutes are one");
        assert_eq!(log[0]["administrator_masked"], "甲**零");
        assert_eq!(log[0]["register"], "青禾实验小学");
        // Another member sees what was done to the list since they joined, not to this one.
        app.clock.advance(1);
        let other = app.member(&register, &Person::number(2)).await;
        app.clock.advance(601);
        list(&owner, &register, "").await;
        let log = app.client().with(other["token"].as_str()).get("/api/v1/me/access-log").await.expect(200);
        assert_eq!(log.as_array().unwrap().len(), 1);
        assert_eq!(log[0]["action"], "viewed");
    }
}

on_both! {
    async fn days_turn_at_local_midnight_and_the_verdict_with_them(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let green = json!({ "value": "green" });
        with(&app, &register, 1, json!({
            "health_code": green, "nucleic_acid": test("negative", "2022-11-11T23:59:00+08:00"),
        })).await;
        app.at("2022-11-14T23:59:59+08:00");
        refresh_health(&app.app, "test", &|_, _| {}).await.unwrap();
        let owner_later = app.sign_in(&Person::number(900)).await;
        let row = list(&owner_later, &register, "").await.remove(0);
        assert_eq!(row["items"]["nucleic_acid"]["days"], 3);
        assert_eq!((&row["verdict"], &row["expires_tomorrow"]), (&json!("meets"), &json!(true)));
        app.at("2022-11-15T00:00:00+08:00");
        let row = list(&owner_later, &register, "").await.remove(0);
        assert_eq!(row["items"]["nucleic_acid"]["days"], 4);
        assert_eq!(row["verdict"], "fails");
        assert_eq!(row["failing"], json!(["nucleic_acid"]));
        assert_eq!(list(&owner_later, &register, "days=4%2B").await.len(), 1);
        let summary = owner_later.get(&register.path("/summary")).await.expect(200);
        assert_eq!(summary["items"]["nucleic_acid"]["days"]["4+"], 1);
        assert_eq!(summary["items"]["nucleic_acid"]["overdue"], 1);
        let _ = owner;
    }
}

on_both! {
    async fn a_positive_fails_and_shows_no_days_whatever_came_before(app: TestApp) {
        let (owner, register) = owned(&app).await;
        with(&app, &register, 1, json!({
            "health_code": { "value": "green" },
            "nucleic_acid": test("positive", "2022-11-14T08:00:00+08:00"),
        })).await;
        let row = list(&owner, &register, "").await.remove(0);
        assert_eq!(row["items"]["nucleic_acid"]["result"], "positive");
        assert_eq!(row["items"]["nucleic_acid"]["days"], Value::Null);
        assert_eq!(row["failing"], json!(["nucleic_acid"]));
    }
}

on_both! {
    async fn no_record_fails_and_is_never_zero_days_or_green(app: TestApp) {
        let (owner, register) = owned(&app).await;
        with(&app, &register, 1, json!({})).await;
        let row = list(&owner, &register, "").await.remove(0);
        assert_eq!(row["items"]["health_code"], json!({ "state": "none", "value": null, "since": null }));
        assert_eq!(row["items"]["nucleic_acid"]["state"], "none");
        assert_eq!(row["items"]["nucleic_acid"]["days"], Value::Null);
        assert_eq!(row["verdict"], "fails");
        assert_eq!(row["failing"], json!(["health_code", "nucleic_acid"]));
    }
}

on_both! {
    async fn who_shares_the_verdict_alone_shows_nothing_else_anywhere(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let person = Person::number(1);
        app.put(&person, json!({
            "health_code": { "value": "red" },
            "nucleic_acid": test("negative", "2022-11-11T08:00:00+08:00"),
        })).await;
        app.join_with(&app.client(), &register, &person, |body| {
            body["consent"]["sharing"] = json!("verdict");
        }).await;
        let row = list(&owner, &register, "").await.remove(0);
        assert_eq!(row["verdict"], "fails");
        assert_eq!((&row["failing"], &row["expires_tomorrow"]), (&json!([]), &Value::Null));
        assert_eq!(row["judged_by"], "2022-11-14");
        for item in ["health_code", "nucleic_acid", "vaccination"] {
            assert_eq!(row["items"][item]["state"], "verdict_only");
        }
        for query in [
            "item=health_code&value=red", "item=nucleic_acid&days=3", "state=ok", "state=none",
            "item=nucleic_acid&value=negative", "verdict=expires_tomorrow",
        ] {
            assert!(list(&owner, &register, query).await.is_empty(), "{query}");
        }
        assert_eq!(list(&owner, &register, "state=verdict_only").await.len(), 1);
        // Judged by what was consented to, whatever the administrator requires since.
        owner.patch(&register.path(""), json!({ "requirements": [] })).await.expect(200);
        let row = list(&owner, &register, "").await.remove(0);
        assert_eq!(row["verdict"], "fails", "no bisecting by changed requirements");
    }
}

on_both! {
    async fn an_item_added_later_stays_not_shared_until_consented_to_anew(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let joined = app.member(&register, &Person::number(1)).await;
        owner.patch(&register.path(""), json!({ "items": [
            { "item": "health_code", "required": true },
            { "item": "nucleic_acid", "required": true },
            { "item": "vaccination", "required": false },
            { "item": "influenza_vaccine", "required": false },
        ]})).await.expect(200);
        let row = list(&owner, &register, "").await.remove(0);
        assert_eq!(row["items"]["influenza_vaccine"]["state"], "not_shared");
        let me = app.client().with(joined["token"].as_str());
        let id = joined["authorization"]["id"].as_str().unwrap();
        me.patch(&format!("/api/v1/me/authorizations/{id}"), json!({
            "accepted": true,
            "version": tuantibu::actions::join_terms::CONSENT_VERSION,
            "items": ["health_code", "nucleic_acid", "influenza_vaccine"],
            "sharing": "details",
        })).await.expect(200);
        let row = list(&owner, &register, "").await.remove(0);
        assert_eq!(row["items"]["influenza_vaccine"]["state"], "none");
        assert_eq!(row["items"]["vaccination"]["state"], "not_shared");
    }
}

on_both! {
    async fn filters_counts_and_list_agree(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let code = |value: &str| json!({ "value": value });
        let cases = [
            (1, json!({ "health_code": code("green"), "nucleic_acid": test("negative", "2022-11-14T08:00:00+08:00") })),
            (2, json!({ "health_code": code("green"), "nucleic_acid": test("negative", "2022-11-11T08:00:00+08:00") })),
            (3, json!({ "health_code": code("yellow"), "nucleic_acid": test("negative", "2022-11-13T08:00:00+08:00") })),
            (4, json!({ "health_code": code("green"), "nucleic_acid": test("positive", "2022-11-13T08:00:00+08:00") })),
            (5, json!({ "health_code": code("popup") })),
            (6, json!({ "health_code": code("green"), "nucleic_acid": test("negative", "2022-11-01T08:00:00+08:00") })),
        ];
        for (n, items) in cases {
            with(&app, &register, n, items).await;
        }
        let summary = owner.get(&register.path("/summary")).await.expect(200);
        assert_eq!(summary["members"], 6);
        assert_eq!(summary["verdicts"], json!({ "meets": 2, "expires_tomorrow": 1, "fails": 4, "unknown": 0 }));
        let codes = &summary["items"]["health_code"];
        for (query, count) in [
            ("verdict=meets", &summary["verdicts"]["meets"]),
            ("verdict=expires_tomorrow", &summary["verdicts"]["expires_tomorrow"]),
            ("verdict=fails", &summary["verdicts"]["fails"]),
            ("item=health_code&value=green", &codes["green"]),
            ("item=health_code&value=yellow", &codes["yellow"]),
            ("item=health_code&value=popup", &codes["popup"]),
            ("item=nucleic_acid&value=positive", &summary["items"]["nucleic_acid"]["positive"]),
            ("item=nucleic_acid&value=overdue", &summary["items"]["nucleic_acid"]["overdue"]),
            ("item=nucleic_acid&state=none", &summary["items"]["nucleic_acid"]["none"]),
            ("item=nucleic_acid&days=0", &summary["items"]["nucleic_acid"]["days"]["0"]),
            ("item=nucleic_acid&days=3", &summary["items"]["nucleic_acid"]["days"]["3"]),
            ("item=nucleic_acid&days=4+", &summary["items"]["nucleic_acid"]["days"]["4+"]),
        ] {
            let rows = list(&owner, &register, query).await;
            assert_eq!(json!(rows.len()), *count, "{query}");
            assert!(!rows.is_empty(), "{query}");
        }
        let verdicts: Vec<Value> =
            list(&owner, &register, "").await.iter().map(|row| row["verdict"].clone()).collect();
        assert_eq!(verdicts, ["fails", "fails", "fails", "fails", "meets", "meets"]);
    }
}

on_both! {
    async fn paging_shows_everybody_once_though_somebody_leaves_meanwhile(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let mut links = Vec::new();
        for n in 1..=23 {
            let joined = app.member(&register, &Person::number(n)).await;
            links.push(joined["authorization"]["leave_link"].as_str().unwrap().to_owned());
        }
        for sort in ["", "joined_at", "-joined_at", "data_time"] {
            let (mut seen, mut after) = (Vec::new(), String::new());
            loop {
                let path = register.path(&format!("/members?limit=5&sort={sort}&after={after}"));
                let page = owner.get(&path).await.expect(200);
                for row in page["members"].as_array().unwrap() {
                    seen.push(row["id"].as_str().unwrap().to_owned());
                }
                if seen.len() == 10 {
                    // Somebody leaves between two pages, whoever it is.
                    if let Some(link) = links.pop() {
                        app.client().post(&format!("/api/v1/leave/{link}"), json!({})).await.expect(200);
                    }
                }
                match page["next"].as_str() {
                    Some(next) => after = next.to_owned(),
                    None => break,
                }
            }
            let unique: std::collections::HashSet<&String> = seen.iter().collect();
            assert_eq!(unique.len(), seen.len(), "nobody twice ({sort})");
            for row in list(&owner, &register, "limit=200").await {
                assert!(seen.iter().any(|id| *id == row["id"].as_str().unwrap()), "{sort}");
            }
        }
    }
}

on_both! {
    async fn a_search_finds_a_part_of_a_name_in_any_spelling_and_leaves_no_words(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let mut person = Person::number(1);
        person.name = "阿依古丽·买买提".into();
        app.member(&register, &person).await;
        let mut latin = Person::number(2);
        latin.name = "Nguyễn Văn An".into();
        app.member(&register, &latin).await;
        for (words, found) in [
            ("古丽•买", 1), ("nguyễn  VĂN", 1), ("ＡＮ", 1), ("不在", 0), ("%", 0), ("'; drop table persons", 0),
        ] {
            let body = json!({ "name": words });
            let page = owner.post(&register.path("/members/search"), body).await.expect(200);
            assert_eq!(page["members"].as_array().unwrap().len(), found, "{words}");
        }
        let empty = owner.post(&register.path("/members/search"), json!({ "name": " " })).await;
        assert_eq!(empty.fields(), ["name:required"]);
    }
}

on_both! {
    async fn the_export_is_the_list_and_takes_a_fresh_code_and_a_purpose(app: TestApp) {
        let (owner, register) = owned(&app).await;
        let mut person = Person::number(1);
        person.name = "=1+1".into();
        let joined = app.member(&register, &person).await;
        app.clock.advance(61);
        let token = owner.confirmation(&app, &Person::number(900), "export", &register).await;
        let path = register.path("/exports");
        let refused = owner.post(&path, json!({ "format": "csv", "purpose": " ", "confirmation_token": token })).await;
        assert_eq!(refused.fields(), ["purpose:required"]);
        let file = owner.post(&path, json!({
            "format": "csv", "purpose": "开学检查", "confirmation_token": token,
        })).await;
        assert_eq!(file.status, 200);
        assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
        let text = String::from_utf8(file.bytes).unwrap();
        assert!(text.starts_with('\u{feff}'));
        assert!(text.contains("\"'=1+1\"") && text.contains("开学检查") && text.contains("138****0001"));
        assert!(!text.contains(&person.document));
        let again = owner.post(&path, json!({
            "format": "csv", "purpose": "开学检查", "confirmation_token": token,
        })).await;
        assert_eq!(again.problem(422), "confirmation_required");
        let me = app.client().with(joined["token"].as_str());
        let log = me.get("/api/v1/me/access-log").await.expect(200);
        assert_eq!((&log[0]["action"], &log[0]["purpose"]), (&json!("exported"), &json!("开学检查")));
    }
}

on_both! {
    async fn an_item_is_data_a_certificate_holds_on_its_last_day_and_not_after(app: TestApp) {
        let (owner, _) = owned(&app).await;
        let register = app.register_with(&owner, |terms| {
            terms["items"] = json!([
                { "item": "health_certificate", "required": true },
                { "item": "influenza_vaccine", "required": true },
            ]);
            terms["requirements"] = json!([
                { "item": "health_certificate", "allowed": ["valid"] },
                { "item": "influenza_vaccine", "max_days": 365 },
            ]);
        }).await;
        let person = Person::number(1);
        app.put(&person, json!({
            "health_certificate": { "valid_until": "2022-11-14" },
            "influenza_vaccine": { "value": "complete", "doses": 1, "last_on": "2021-11-15" },
        })).await;
        app.join_with(&app.client(), &register, &person, |body| {
            body["consent"]["items"] = json!(["health_certificate", "influenza_vaccine"]);
        }).await;
        let row = list(&owner, &register, "").await.remove(0);
        assert_eq!(row["items"]["health_certificate"]["value"], "valid");
        assert_eq!(row["items"]["influenza_vaccine"]["days"], 364);
        assert_eq!((&row["verdict"], &row["expires_tomorrow"]), (&json!("meets"), &json!(true)));
        app.at("2022-11-15T00:00:00+08:00");
        let owner = app.sign_in(&Person::number(900)).await;
        let row = list(&owner, &register, "").await.remove(0);
        assert_eq!(row["items"]["health_certificate"]["value"], "expired");
        assert_eq!(row["failing"], json!(["health_certificate"]));
        let summary = owner.get(&register.path("/summary")).await.expect(200);
        assert_eq!(summary["items"]["health_certificate"]["expired"], 1);
        assert_eq!(list(&owner, &register, "item=health_certificate&value=expired").await.len(), 1);
    }
}
