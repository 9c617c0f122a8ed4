//! Words that attack whoever reads them: markup, templates, formulas, addresses, hidden characters. In
//! every field that people fill, through everything that shows it: pages, SMS, logs, headers, sheets.
use crate::{
    app::{On, Person, Register, TestApp, join_body, terms},
    leaks::Log,
    wire::{Site, request},
};
use calamine::{Data, Reader, Xlsx};
use serde_json::{Value, json};
use std::io::Cursor;
use tuantibu::model::{contact::Contact, name::Name};

/// What is taken as it is and harms nothing. `9` makes a contact of each.
const WORDS: &[&str] = &[
    "\"><svg onload=alert(1)>",
    "'><script>alert(1)</script>",
    "</title></textarea><img src=x onerror=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "&lt;b&gt; &#60;i&#62;",
    "{{7*7}} ${7*7} <%= 7 %>",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "+1+1 cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "http://evil.example/?a=b&c=d",
    "\\u003cb\\u003e %3Cb%3E %0d%0aSet-Cookie:a=b",
];

/// What is refused with the field's name, since it shows something else than it is.
const HIDDEN: &[&str] = &[
    "\u{202E}",
    "\u{202A}",
    "\u{2066}",
    "\u{2069}",
    "\u{200B}",
    "\u{200D}",
    "\u{200E}",
    "\u{FEFF}",
    "\u{AD}",
    "\u{2028}",
    "\u{E0041}",
    "\u{FE0F}",
    "\u{1B}[31m",
    "\u{7}",
    "\r\n",
    "\t",
    "\u{85}",
];

fn contact(word: &str) -> String {
    format!("{word} 010-62345678")
}

/// A register all of whose words are this one, and a member of that name.
async fn filled(
    app: &TestApp,
    word: &str,
) -> (crate::app::Client, Person, Register, Value, Person) {
    let mut owner = Person::number(900);
    owner.name = word.to_owned();
    app.put(&owner, json!({})).await;
    let client = app.sign_in(&owner).await;
    let register = app
        .register_with(&client, |terms| {
            terms["organisation"] = json!(word);
            terms["purpose"] = json!(word);
            terms["administrator_title"] = json!(word.chars().take(30).collect::<String>());
            terms["contact"] = json!(contact(word));
            let department: String = word.chars().take(40).collect();
            terms["departments"] = json!([department, "后勤"]);
        })
        .await;
    let mut member = Person::number(1);
    member.name = word.to_owned();
    app.put(&member, app.healthy()).await;
    let department: String = word.chars().take(40).collect();
    let joined = app
        .join_with(&app.client(), &register, &member, |body| {
            body["department"] = json!(department);
        })
        .await;
    (client, owner, register, joined, member)
}

fn assert_harmless(html: &str, what: &str) {
    let html = html.to_lowercase();
    for piece in [
        "<svg onload",
        "<script>alert",
        "<img src=x",
        "<a href=javascript:",
        "href=\"javascript:",
        "href=\"http://evil",
        "<%=",
        "<b> ",
        "<i>&#",
    ] {
        assert!(!html.contains(piece), "{what}: {piece}");
    }
    assert!(!html.contains(">49<"), "{what}: a template was evaluated");
}

/// Pages of the owner and of the member, and those for everybody.
fn pages(register: &Register, joined: &Value) -> (Vec<String>, Vec<String>, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let id = text(&joined["authorization"]["id"]);
    let own = |paths: &[&str]| {
        paths
            .iter()
            .map(|path| register.id.clone() + path)
            .collect::<Vec<_>>()
    };
    let mut owners: Vec<String> = own(&[
        "",
        "/counts",
        "/code",
        "/poster",
        "/settings",
        "/export",
        "/delete",
        "/code/replace",
        "/filter",
    ])
    .into_iter()
    .map(|path| format!("/registers/{path}"))
    .collect();
    for path in ["", "/phone", "/remove"] {
        owners.push(format!("/registers/{}/members/{id}{path}", register.id));
    }
    owners.extend(["/registers", "/me", "/me/sessions"].map(str::to_owned));
    let members = ["", "/leave", "/report"].map(|path| format!("/me/authorizations/{id}{path}"));
    let mut members = members.to_vec();
    members.extend(["/me", "/me/access-log", "/me/data", "/me/sessions"].map(str::to_owned));
    let link = text(&joined["authorization"]["leave_link"]);
    let everybody = vec![
        format!("/j/{}", register.code),
        format!("/j/{}/report", register.code),
        format!("/leave/{link}"),
        "/demo".to_owned(),
    ];
    (owners, members, everybody)
}

async fn look(site: &Site, paths: &[String], token: Option<&str>, word: &str) -> usize {
    let mut shown = 0;
    for path in paths {
        let mut asked = request("GET", path).header("accept", "text/html");
        if let Some(token) = token {
            asked = asked.header("cookie", format!("__Host-tb_session={token}"));
        }
        let got = site.ask(asked, "").await;
        let what = format!("{word:?} on {path}");
        assert!([200, 303].contains(&got.status), "{what}: {}", got.status);
        assert!(!format!("{:?}", got.headers).contains("evil"), "{what}");
        assert_harmless(&got.text(), &what);
        let escaped = word
            .replace('&', "&#38;")
            .replace('<', "&#60;")
            .replace('>', "&#62;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        shown += usize::from(got.text().contains(&escaped));
    }
    shown
}

// One thread, so that the log has everything.
#[tokio::test]
async fn harmless_in_pages_sms_logs_headers_and_sheets() {
    let (log, _guard) = Log::at(tracing::Level::DEBUG);
    for word in WORDS {
        let app = TestApp::start(On::Sqlite).await;
        let (owner, person, register, joined, member) = filled(&app, word).await;
        let site = Site::of(&app);
        // The API gives it back as it was.
        let shown = owner.get(&register.path("")).await.expect(200);
        assert_eq!(shown["organisation"], *word);
        // A contact's full-width signs are folded.
        let own = Contact::parse(&contact(word)).unwrap();
        assert_eq!(shown["contact"], own.as_str());
        let list = owner.get(&register.path("/members")).await.expect(200);
        let name = Name::parse(word).unwrap();
        assert_eq!(list["members"][0]["name"], name.as_str());
        let report = format!("/api/v1/join/{}/report", register.code);
        let reason = json!({ "reason": word });
        app.client().post(&report, reason).await.expect(202);
        let id = joined["authorization"]["id"].as_str().unwrap();
        let phone = register.path(&format!("/members/{id}/phone"));
        owner.post(&phone, json!({})).await.expect(200);
        // Sheets.
        for format in ["csv", "xlsx"] {
            app.clock.advance(61);
            let token = owner.confirmation(&app, &person, "export", &register).await;
            let body = json!({ "format": format, "purpose": word, "confirmation_token": token });
            let file = owner.post(&register.path("/exports"), body).await;
            assert_eq!(file.status, 200, "{}", file.body);
            let name = file.headers["content-disposition"].to_str().unwrap();
            assert_eq!(
                name,
                format!("attachment; filename=\"tuantibu-2022-11-14.{format}\"")
            );
            assert_sheet(format, file.bytes, word);
        }
        // Pages.
        let (owners, members, everybody) = pages(&register, &joined);
        let seen = [
            look(&site, &owners, owner.bearer.as_deref(), word).await,
            look(&site, &members, joined["token"].as_str(), word).await,
            look(&site, &everybody, None, word).await,
        ];
        if Name::parse(word).is_ok_and(|name| name.as_str() == *word) {
            assert!(
                seen[0] >= 5 && seen[1] >= 2 && seen[2] >= 2,
                "{word:?} {seen:?}"
            );
        }
        // SMS: fixed words and a code.
        let outbox = &app.app.demo.as_ref().unwrap().outbox;
        let messages = outbox.messages(None);
        assert!(messages.len() >= 4);
        for message in messages {
            assert!(!message.text.contains(word), "{}", message.text);
        }
        assert!(!log.text().contains(&member.document));
    }
    let log = log.text();
    let exports = log.matches("/api/v1/registers/{id}/exports").count();
    assert_eq!(exports, 2 * WORDS.len(), "{}", log.len());
    assert!(!log.contains("evil") && WORDS.iter().all(|word| !log.contains(word)));
}

fn assert_sheet(format: &str, bytes: Vec<u8>, word: &str) {
    if format == "csv" {
        let text = &bytes["\u{feff}".len()..];
        let mut fields = 0;
        for record in csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text)
            .records()
        {
            for field in record.unwrap().iter() {
                let dangerous = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
                assert!(!field.starts_with(dangerous), "{field}");
                let own = field.strip_prefix('\'').unwrap_or(field);
                fields += usize::from(field == word || own == word);
            }
        }
        // Organisation and purpose at the least.
        assert!(fields >= 2, "{word}: {fields}");
        return;
    }
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let name = book.sheet_names()[0].clone();
    assert!(book.worksheet_formula(&name).unwrap().is_empty(), "{word}");
    let range = book.worksheet_range(&name).unwrap();
    let cells: Vec<&Data> = range.cells().map(|(_, _, cell)| cell).collect();
    assert!(
        cells
            .iter()
            .all(|cell| matches!(cell, Data::String(_) | Data::Empty))
    );
    let same = cells
        .iter()
        .filter(|cell| **cell == &Data::String(word.to_owned()));
    assert!(same.count() >= 2, "{word}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hides_something_is_refused_in_every_field() {
    let app = TestApp::start(On::Sqlite).await;
    let (owner, person, register, joined, _) = filled(&app, "青禾").await;
    let join = format!("/api/v1/join/{}", register.code);
    let member = app.client().with(joined["token"].as_str());
    let authorization = joined["authorization"]["id"].as_str().unwrap();
    let newcomer = Person::number(2);
    for hidden in HIDDEN {
        let word = format!("青{hidden}禾");
        let mut asked: Vec<(&str, crate::app::Answer)> = Vec::new();
        for field in ["organisation", "purpose", "administrator_title", "contact"] {
            let mut body = terms();
            body[field] = json!(if field == "contact" {
                contact(&word)
            } else {
                word.clone()
            });
            asked.push((field, owner.post("/api/v1/registers", body).await));
        }
        let mut body = terms();
        body["departments"] = json!(["一年级组", word]);
        asked.push(("departments.1", owner.post("/api/v1/registers", body).await));
        for field in ["contact", "administrator_title"] {
            let value = if field == "contact" {
                contact(&word)
            } else {
                word.clone()
            };
            let changed = owner
                .patch(&register.path(""), json!({ field: value }))
                .await;
            asked.push((field, changed));
        }
        // A reason is typed in lines: their ends count as spaces.
        if !["\r\n", "\t"].contains(hidden) {
            let reason = json!({ "reason": word });
            let reported = app.client().post(&format!("{join}/report"), reason).await;
            asked.push(("reason", reported));
        }
        let mut body = join_body(&newcomer);
        body["name"] = json!(word);
        asked.push(("name", app.client().post(&join, body).await));
        let mut body = join_body(&newcomer);
        body["department"] = json!(word);
        asked.push(("department", app.client().post(&join, body).await));
        let export = json!({ "format": "csv", "purpose": word, "confirmation_token": "x" });
        asked.push((
            "purpose",
            owner.post(&register.path("/exports"), export).await,
        ));
        for (field, answer) in asked {
            assert_eq!(answer.status, 422, "{field} {hidden:?}: {}", answer.body);
            let fields = answer.fields().join(" ");
            assert!(fields.contains(field), "{field} {hidden:?}: {fields}");
        }
        // The authority's own file cannot bring one either.
        let mut record = json!({
            "name": word, "document_type": "resident_id", "phones": newcomer.phones, "items": {},
        });
        record["document_number"] = json!(newcomer.document);
        let path = format!("/demo/source/{}", newcomer.document);
        let put = app.client().send("PUT", &path, Some(record)).await;
        assert_eq!(put.status, 422, "{hidden:?}");
    }
    member
        .get(&format!("/api/v1/me/authorizations/{authorization}"))
        .await
        .expect(200);
    drop(person);
}
