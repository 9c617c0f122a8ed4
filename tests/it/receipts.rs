//! A receipt says what was erased, from where and when, and whoever keeps it can show that it is ours.
use crate::{
    administrators::form,
    app::{Client, Person, TestApp, owned},
    on_both,
    support::process::program,
    world::text,
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Output};
use tuantibu::actions::{
    erase_person::erase_person,
    receipts::{ReceiptError, verify},
};

async fn left(app: &TestApp, owner: &Client) -> Value {
    let register = app.register(owner).await;
    let joined = app.member(&register, &Person::number(1)).await;
    let link = text(&joined["authorization"]["leave_link"]);
    let path = format!("/api/v1/leave/{link}");
    app.client().post(&path, json!({})).await.expect(200)
}

fn found(app: &TestApp, receipt: &Value) -> Result<Value, ReceiptError> {
    verify(Some(&app.app), &receipt.to_string(), None).map(|verified| Value::Object(verified.says))
}

on_both! {
    async fn a_receipt_verifies_and_every_change_of_it_is_found(app: TestApp) {
        let (owner, _) = owned(&app).await;
        let receipt = left(&app, &owner).await;
        let signed = found(&app, &receipt).unwrap();
        assert_eq!(signed["from"], app.config.server.public_url.as_str());
        for field in ["organisation", "erased", "kept", "at"] {
            assert_eq!(signed[field], receipt[field], "{field}");
            assert!(!signed[field].is_null(), "{field}");
            let mut changed = receipt.clone();
            changed[field] = json!("another");
            assert_eq!(found(&app, &changed), Err(ReceiptError::Differs(field)));
        }
        let line = text(&receipt["signed"]);
        assert!(verify(Some(&app.app), &format!(" {line}\n"), None).is_ok());
        let mut wrong = 0;
        for at in (0..line.len()).step_by(7) {
            let mut changed = line.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let answer = verify(Some(&app.app), &changed, None);
            assert!(answer.is_err(), "{at}");
            wrong += u32::from(answer == Err(ReceiptError::Wrong));
        }
        assert!(wrong > 20, "{wrong}");
        for none in ["", "tbr1", "tbr1.1.e30", "tbr2.9.e30.AA", "{}", "{\"signed\": 1}", "[]"] {
            assert_eq!(verify(Some(&app.app), none, None), Err(ReceiptError::Malformed), "{none}");
        }
        let unknown = line.replacen("tbr1.", "tbr1.9", 1);
        assert!(matches!(
            verify(Some(&app.app), &unknown, None),
            Err(ReceiptError::UnknownKey(_))
        ));
        // Nothing of who left stands in it.
        let said = signed.to_string();
        let person = Person::number(1);
        assert!(!said.contains(&person.name) && !said.contains(&person.document));
    }
}

on_both! {
    async fn the_owner_and_the_operator_get_receipts_that_verify_by_the_public_key_alone(app: TestApp) {
        let (owner, register) = owned(&app).await;
        app.member(&register, &Person::number(2)).await;
        let document = tuantibu::model::document::Document::parse(
            tuantibu::model::document::DocumentType::ResidentId,
            &Person::number(2).document,
            app.today(),
        );
        let done = erase_person(&app.app, &document.unwrap()).await.unwrap();
        app.clock.advance(61);
        let token = owner.confirmation(&app, &Person::number(900), "delete_register", &register).await;
        let body = json!({ "organisation": "青禾实验小学", "confirmation_token": token });
        let deleted = owner.send("DELETE", &register.path(""), Some(body)).await.expect(200);
        let (_, public) = app.app.keys.receipt_public_keys().remove(0);
        for line in [done.signed, text(&deleted["signed"])] {
            let signed = verify(None, &line, Some(&public)).unwrap();
            assert!(signed.says.contains_key("at"));
            assert!(verify(None, &line, None).is_err(), "no key, no answer");
            let mut other = public.clone();
            other[0] ^= 1;
            assert!(verify(None, &line, Some(&other)).is_err());
        }
        assert_eq!(deleted["organisation"], "青禾实验小学");
    }
}

#[tokio::test]
async fn the_page_of_who_left_shows_the_line_and_the_command_verifies_it() {
    let app = TestApp::start(crate::app::On::Sqlite).await;
    let (owner, register) = owned(&app).await;
    let joined = app.member(&register, &Person::number(1)).await;
    let link = format!("/leave/{}", text(&joined["authorization"]["leave_link"]));
    let page = form(&owner.with(None), &link, "").await;
    assert_eq!(page.status, 200);
    let page = String::from_utf8(page.bytes).unwrap();
    let from = page.find("tbr1.").unwrap();
    let line: String = page[from..]
        .chars()
        .take_while(|sign| *sign != '<')
        .collect();
    let key = hex::encode(&app.app.keys.receipt_public_keys()[0].1);
    let file = app.folder.join("receipt");
    let changed = line.replacen(".ey", ".fy", 1);
    assert_ne!(changed, line);
    for (text, status) in [(line.clone(), 0), (changed, 1), (line + "A", 1)] {
        fs::write(&file, &text).unwrap();
        let done = verified(&file, &key);
        assert_eq!(
            done.status.code(),
            Some(status),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        if status == 0 {
            let said: Value = serde_json::from_slice(&done.stdout).unwrap();
            assert_eq!(said["organisation"], "青禾实验小学");
        }
    }
}

fn verified(file: &Path, key: &str) -> Output {
    let mut command = program();
    command.args(["receipt", "verify", "--key", key]).arg(file);
    command.output().unwrap()
}
