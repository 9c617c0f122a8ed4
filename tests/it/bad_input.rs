//! Bad input at every route: its clear answer with the field named, never a 500, nothing written.
mod addresses;
mod ask;
mod routes;

use crate::{api_basics::operations, app::On, world::World};
use ask::{assert_names, assert_problem, json_body, places, pointer, raw, with};
use routes::{WITHOUT_BODY, WITHOUT_READING, Who, with_body};
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_is_forgotten() {
    let world = World::start(On::Sqlite).await;
    let mut known: BTreeSet<(String, String)> = WITHOUT_BODY
        .iter()
        .chain(WITHOUT_READING)
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    known.extend(
        with_body()
            .iter()
            .map(|route| (route.method.to_owned(), route.path.to_owned())),
    );
    let mut served = operations(&world.app.client()).await;
    served.retain(|(_, path)| !path.starts_with("/demo/"));
    assert_eq!(
        served.difference(&known).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new()
    );
    assert_eq!(
        known.difference(&served).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new()
    );
}

/// Bodies that are none, whatever the route.
fn broken() -> Vec<(&'static str, Vec<u8>, u16)> {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(3000), close.repeat(3000));
    vec![
        ("nothing", Vec::new(), 400),
        ("a space", b" ".to_vec(), 400),
        ("half an object", b"{\"name\": \"".to_vec(), 400),
        ("two objects", b"{}{}".to_vec(), 400),
        ("not a number", b"{\"name\": NaN}".to_vec(), 400),
        ("a number too large", b"{\"name\": 1e999}".to_vec(), 400),
        ("a comment", b"{/* */}".to_vec(), 400),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec(), 400),
        (
            "GBK",
            b"{\"name\":\"\xcd\xf5\xd0\xa1\xc3\xf7\"}".to_vec(),
            400,
        ),
        (
            "UTF-16",
            "{\"name\":\"王\"}"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
            400,
        ),
        ("half a character", b"{\"name\":\"\xe7\x8e\"}".to_vec(), 400),
        ("a surrogate alone", br#"{"name":"\ud800"}"#.to_vec(), 400),
        ("an overlong NUL", b"{\"name\":\"\xc0\x80\"}".to_vec(), 400),
        ("a NUL", br#"{"name":"a\u0000"}"#.to_vec(), 400),
        ("a NUL as a key", br#"{"a\u0000":1}"#.to_vec(), 400),
        ("a bare NUL", b"{\"name\":\"\0\"}".to_vec(), 400),
        ("a key twice", br#"{"name":"a","name":"a"}"#.to_vec(), 400),
        (
            "a key twice, escaped",
            br#"{"name":"a","n\u0061me":"a"}"#.to_vec(),
            400,
        ),
        (
            "a key twice, inside",
            br#"{"name":{"a":1,"a":1}}"#.to_vec(),
            400,
        ),
        ("deep lists", deep("[", "]").into_bytes(), 400),
        (
            "deep objects",
            format!("{}1{}", "{\"a\":".repeat(2500), "}".repeat(2500)).into_bytes(),
            400,
        ),
        ("a list", b"[]".to_vec(), 422),
        ("a list of an object", b"[{}]".to_vec(), 422),
        ("null", b"null".to_vec(), 422),
        ("a number", b"1".to_vec(), 422),
        ("a text", b"\"{}\"".to_vec(), 422),
        (
            "300 KB",
            format!("{{\"name\":\"{}\"}}", "a".repeat(300 * 1024)).into_bytes(),
            413,
        ),
        ("10 MB", vec![b' '; 10 * 1024 * 1024], 413),
    ]
}

async fn what_is_no_json_is_refused_everywhere(on: On) {
    let world = World::start(on).await;
    let before = world.state().await;
    let bodies = broken();
    let routes = with_body();
    let all = routes
        .iter()
        .map(|route| (route.method, route.path, route.who))
        .chain(
            WITHOUT_BODY
                .iter()
                .map(|(method, path)| (*method, *path, Who::Owner)),
        );
    for (method, template, who) in all {
        let (client, path) = (world.client(who), world.path(template));
        let takes_none = WITHOUT_BODY.contains(&(method, template));
        for (what, body, status) in &bodies {
            let what = format!("{method} {template}: {what}");
            if takes_none && body.is_empty() {
                continue;
            }
            let answer = raw(&client, method, &path, "application/json", body.clone()).await;
            assert_problem(&answer, &what);
            assert_eq!(answer.status, *status, "{what}: {}", answer.body);
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=gb18030",
            "application/xml",
            "text/json",
            "",
        ] {
            let answer = raw(&client, method, &path, kind, b"{\"name\":\"a\"}".to_vec()).await;
            // A form at the leave link is a page's, which comes from another site here.
            assert!(
                [403, 415].contains(&answer.status),
                "{method} {template} {kind}"
            );
            assert_problem(&answer, template);
        }
        let what = format!("{method} {template}: an unknown field");
        let answer = raw(
            &client,
            method,
            &path,
            "application/json",
            br#"{"owner_id":"AAAAAAAAAAAAAAAAAAAAAA"}"#.to_vec(),
        )
        .await;
        assert_names(&answer, "owner_id", &what);
    }
    assert_eq!(before.changed(&world.state().await), Vec::<String>::new());
}

async fn a_wrong_type_is_refused_with_its_field(on: On) {
    let world = World::start(on).await;
    let before = world.state().await;
    for route in with_body() {
        let (client, path) = (world.client(route.who), world.path(route.path));
        let mut all = Vec::new();
        places(&route.body, "", &mut all);
        let answer = json_body(&client, &route, &path, &json!({})).await;
        if route.method != "PATCH" || route.who == Who::Member {
            assert_problem(&answer, &format!("{} {}: {{}}", route.method, route.path));
        }
        for place in &all {
            let own = route.body.pointer(&pointer(place)).unwrap();
            for value in [
                json!(null),
                json!(true),
                json!(0),
                json!(-1),
                json!(1.5),
                json!(1e300),
                json!(u64::MAX),
                json!([]),
                json!([[]]),
                json!({}),
                json!({ "$ne": "" }),
                json!("x"),
            ] {
                let same = value.is_array() && own.is_array()
                    || value.is_string() && own.is_string()
                    || value.is_number() && own.is_number()
                    || value.is_boolean() && own.is_boolean()
                    || value.is_object() && own.is_object();
                let may_be_null = value.is_null() && route.optional.contains(&place.as_str());
                // Days and limits may stand as numbers.
                let word = ["days", "limit"].contains(&place.as_str());
                if same && (value != json!({ "$ne": "" }) || !own.is_object())
                    || may_be_null
                    || word && (value.is_number() || value.is_null())
                {
                    continue;
                }
                let what = format!("{} {} {place} {value}", route.method, route.path);
                let answer =
                    json_body(&client, &route, &path, &with(&route.body, place, value)).await;
                assert_names(&answer, place, &what);
            }
            // One more field, wherever there is an object.
            if own.is_object() {
                let inner = with(&route.body, place, {
                    let mut own = own.clone();
                    own["owner_id"] = json!("x");
                    own
                });
                let answer = json_body(&client, &route, &path, &inner).await;
                assert_names(&answer, &format!("{place}.owner_id"), route.path);
            }
        }
    }
    assert_eq!(before.changed(&world.state().await), Vec::<String>::new());
}

async fn hidden_and_endless_texts_are_refused_with_their_field(on: On) {
    let world = World::start(on).await;
    let before = world.state().await;
    for route in with_body() {
        let (client, path) = (world.client(route.who), world.path(route.path));
        let mut all = Vec::new();
        places(&route.body, "", &mut all);
        for place in &all {
            let Some(own) = route.body.pointer(&pointer(place)).unwrap().as_str() else {
                continue;
            };
            let long = if route.method == "PATCH" {
                40_000
            } else {
                10_000
            };
            for text in [
                format!("{own}\u{202E}"),
                format!("\u{2066}{own}\u{2069}"),
                format!("{own}\u{200B}{own}"),
                format!("{own}\u{200D}"),
                format!("\u{FEFF}{own}"),
                format!("{own}\u{7}"),
                format!("{own}\u{1B}[31m"),
                format!("{own}\u{FFFD}"),
                format!("{own}\u{E0041}"),
                format!("{own}\u{FFFF}"),
                "\u{3164}".to_owned(),
                "a".repeat(long),
                "王".repeat(long / 3),
                "e\u{301}".repeat(long / 3),
                "👩‍👩‍👧‍👦".to_owned(),
            ] {
                let what = format!("{} {} {place} {text:.20?}", route.method, route.path);
                let body = with(&route.body, place, json!(text));
                let answer = json_body(&client, &route, &path, &body).await;
                if route.free.contains(&place.as_str()) {
                    assert!(answer.status < 500, "{what}");
                } else if route.opaque.contains(&place.as_str()) {
                    assert_problem(&answer, &what);
                } else {
                    assert_names(&answer, place, &what);
                }
            }
        }
    }
    assert_eq!(before.changed(&world.state().await), Vec::<String>::new());
}

async fn a_date_or_number_that_cannot_be_is_refused(on: On) {
    let world = World::start(on).await;
    let before = world.state().await;
    let dates = [
        "2023-02-29",
        "2022-13-01",
        "2022-11-31",
        "2022-00-10",
        "2022-11-00",
        "2022/12/01",
        "明天",
        "0000-00-00",
        "99999-01-01",
        "-2022-12-01",
        "2022-12",
        "20221301",
        "1e3",
        "2022-12-01 x",
        "٢٠٢٢-١٢-٠١",
        "２０２２-12-01",
    ];
    for route in with_body() {
        let (client, path) = (world.client(route.who), world.path(route.path));
        for place in ["ends_on", "birth_date"] {
            if route.body.get(place).is_none() {
                continue;
            }
            for date in dates {
                let what = format!("{} {date}", route.path);
                let body = with(&route.body, place, json!(date));
                assert_names(
                    &json_body(&client, &route, &path, &body).await,
                    place,
                    &what,
                );
            }
        }
        if route.body.get("ends_on").is_some() {
            for date in ["2022-11-13", "2027-11-15", "9999-12-31"] {
                let body = with(&route.body, "ends_on", json!(date));
                assert_names(
                    &json_body(&client, &route, &path, &body).await,
                    "ends_on",
                    date,
                );
            }
            for days in [
                json!(-1),
                json!(65_536),
                json!(i64::MAX),
                json!(i64::MIN),
                json!(3.5),
            ] {
                let body = with(&route.body, "requirements.2.max_days", days.clone());
                let answer = json_body(&client, &route, &path, &body).await;
                assert_names(&answer, "requirements.2.max_days", &days.to_string());
            }
            for (place, value) in [
                ("street_code", "110108"),
                ("street_code", "999999999"),
                ("street_code", "110108011'--"),
                ("items.0.item", "green"),
                ("items.1.item", "health_code"),
                ("requirements.0.item", "influenza_vaccine"),
                ("requirements.1.at_least", "best"),
                ("requirements.0.allowed.0", "golden"),
                ("contact", "no phone and no address"),
                ("departments.1", "一年级组"),
            ] {
                let body = with(&route.body, place, json!(value));
                assert_names(
                    &json_body(&client, &route, &path, &body).await,
                    place,
                    value,
                );
            }
            let body = with(&route.body, "departments", json!(vec!["x"; 201]));
            assert_names(
                &json_body(&client, &route, &path, &body).await,
                "departments",
                "201",
            );
        }
        if route.body.get("document_number").is_some() {
            for number in [
                "11010019900230100X",
                "110100299901010011",
                "11010018000101001X",
                "1",
                "",
                "110100195001010010000",
                "-11010019500101",
                "1e17",
                "11010019500101001'",
                "🀄",
            ] {
                let body = with(&route.body, "document_number", json!(number));
                let answer = json_body(&client, &route, &path, &body).await;
                assert_names(&answer, "document_number", number);
            }
            for phone in [
                "",
                "1",
                "12345678901",
                "+1 202 555 0100",
                "138000000001",
                "１３８",
                "🀄",
            ] {
                let body = with(&route.body, "phone", json!(phone));
                let answer = json_body(&client, &route, &path, &body).await;
                assert_names(&answer, "phone", phone);
            }
        }
        if route.body.get("code").is_some() {
            for code in [
                "",
                "1234567",
                "12345a",
                "-12345",
                "1234.5",
                "১২৩৪৫৬",
                "🀄🀄🀄🀄🀄🀄",
            ] {
                let body = json!({ "code": code });
                assert_names(
                    &json_body(&client, &route, &path, &body).await,
                    "code",
                    code,
                );
            }
        }
    }
    assert_eq!(before.changed(&world.state().await), Vec::<String>::new());
}

/// Makes each a test on both engines.
macro_rules! both {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::app::On::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::app::On::Postgres).await;
            }
        })*
    };
}
both!(
    what_is_no_json_is_refused_everywhere,
    a_wrong_type_is_refused_with_its_field,
    hidden_and_endless_texts_are_refused_with_their_field,
    a_date_or_number_that_cannot_be_is_refused,
);
