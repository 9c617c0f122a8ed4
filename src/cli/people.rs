//! The demo's sample people: invented, with resident numbers of area 110100, issued to nobody.
use super::Failure;
use crate::{
    app::{App, Demo, SamplePerson},
    clock,
    error::Error,
    model::document::check_character,
    source::record::{HealthRecord, WireHealthRecord},
};
use jiff::ToSpan;
use serde_json::{Value, json};

const SURNAMES: [&str; 12] = [
    "王",
    "李",
    "张",
    "刘",
    "陈",
    "杨",
    "赵",
    "黄",
    "周",
    "吴",
    "欧阳",
    "阿依古丽·",
];
const GIVEN: [&str; 10] = [
    "小明", "敏", "建国", "思远", "晓燕", "丽", "洋", "志强", "桂芳", "静",
];

/// Puts the sample people into an empty sample source; a few of them.
pub(super) async fn fill(app: &App) -> Result<Vec<SamplePerson>, Failure> {
    let Some(Demo {
        sample: Some(source),
        ..
    }) = &app.demo
    else {
        return Ok(Vec::new());
    };
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
    let fresh = source.count().await.map_err(|error| failed(&error))? == 0;
    let rules = source.rules(app.today());
    let mut samples = Vec::new();
    for n in 0..60 {
        let (sample, wire) = person(app, n);
        if fresh {
            let wire: WireHealthRecord =
                serde_json::from_value(wire).map_err(|error| failed(&error))?;
            let record = HealthRecord::check(&wire, &rules)
                .map_err(|_| Error::unexpected("a sample person"))?;
            source.put(record).await.map_err(|error| failed(&error))?;
        }
        samples.push(sample);
    }
    Ok(samples)
}

fn person(app: &App, n: usize) -> (SamplePerson, Value) {
    let name = match n {
        0 => "王小明".to_owned(),
        1 => "李敏".to_owned(),
        _ => format!(
            "{}{}",
            SURNAMES[n % SURNAMES.len()],
            GIVEN[n / 2 % GIVEN.len()]
        ),
    };
    // The third is a child whose record holds the first one's phone.
    let born = if n == 2 {
        "20170601".to_owned()
    } else {
        format!("{}{:02}{:02}", 1958 + n % 45, 1 + n % 12, 1 + n % 28)
    };
    let document = resident_id(&born, n + 1);
    let phone = format!("138000000{:02}", if n == 2 { 0 } else { n });
    let (note, items) = health(app, n);
    let wire = json!({
        "name": name,
        "document_type": "resident_id",
        "document_number": document,
        "phones": [phone],
        "items": items,
    });
    (
        SamplePerson {
            name,
            document,
            phone,
            note,
        },
        wire,
    )
}

/// The health of the n-th: most are well, some of each kind are not.
fn health(app: &App, n: usize) -> (&'static str, Value) {
    // By local days, so that the note holds at whatever hour the demo is started.
    let test = |days: i64, result: &str| {
        let day = app.today().saturating_sub(days.days());
        json!({ "result": result, "sampled_at": format!("{day}T00:30:00{}", offset(app)) })
    };
    let green = json!({ "value": "green" });
    let booster = json!({ "value": "booster", "doses": 3, "last_on": "2022-03-01" });
    let all = |code: Value, test: Value, vaccine: Value| json!({ "health_code": code, "nucleic_acid": test, "vaccination": vaccine });
    match n {
        0 => (
            "demo-note-administers",
            all(green, test(0, "negative"), booster),
        ),
        1 => ("demo-note-green", all(green, test(1, "negative"), booster)),
        2 => (
            "demo-note-child",
            all(
                green,
                test(1, "negative"),
                json!({ "value": "complete", "doses": 2 }),
            ),
        ),
        3 => (
            "demo-note-expires",
            all(green, test(3, "negative"), booster),
        ),
        4 => (
            "demo-note-positive",
            all(json!({ "value": "red" }), test(1, "positive"), booster),
        ),
        5 => (
            "demo-note-untested",
            json!({ "health_code": green, "vaccination": { "value": "incomplete", "doses": 1 } }),
        ),
        _ => {
            let code = [
                "green", "green", "green", "green", "yellow", "green", "popup",
            ][n % 7];
            let vaccine = ["booster", "booster", "complete", "unsuitable"][n % 4];
            let days = i64::try_from(n % 6).unwrap_or(0);
            (
                "demo-note-none",
                all(
                    json!({ "value": code }),
                    test(days, "negative"),
                    json!({ "value": vaccine }),
                ),
            )
        }
    }
}

/// The zone's offset now, as `+08:00`.
fn offset(app: &App) -> String {
    let now = clock::timestamp(app.now()).to_zoned_datetime(app.zone.clone());
    now.strftime("%:z").to_string()
}

/// A resident number of area 110100 with its check character.
fn resident_id(born: &str, sequence: usize) -> String {
    let body = format!("110100{born}{sequence:03}");
    let check = check_character(&body);
    format!("{body}{check}")
}
