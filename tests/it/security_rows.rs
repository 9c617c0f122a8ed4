//! The security bar, row by row: `tests/security.toml` says by what each is held, and
//! docs/SECURITY-TESTS.md shows it. A proof that is named is there, and nothing is left out.
mod bar;
mod page;
mod proofs;

use bar::{OPEN, SECTIONS};
use proofs::{Place, Sources};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

const WRITE: &str = "TUANTIBU_WRITE_DOCS";
const PAGE: &str = "docs/SECURITY-TESTS.md";

/// A row of the bar, and what holds it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    /// What holds here.
    what: String,
    #[serde(default)]
    tests: Vec<String>,
    #[serde(default)]
    config: Vec<Place>,
    #[serde(default)]
    text: Vec<Place>,
    /// What is missing.
    open: Option<String>,
    /// Why it does not apply.
    absent: Option<String>,
}

/// How a row is held, the weakest part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Tests,
    Configuration,
    Text,
    Open,
    Absent,
}

impl Row {
    fn has_proof(&self) -> bool {
        !(self.tests.is_empty() && self.config.is_empty() && self.text.is_empty())
    }

    fn held(&self) -> Option<Held> {
        if self.open.is_some() {
            Some(Held::Open)
        } else if !self.tests.is_empty() {
            Some(Held::Tests)
        } else if !self.config.is_empty() {
            Some(Held::Configuration)
        } else if !self.text.is_empty() {
            Some(Held::Text)
        } else {
            self.absent.as_ref().map(|_| Held::Absent)
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
}

fn read(path: &str) -> String {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(whole).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn table() -> Vec<Row> {
    let table: Table = toml::from_str(&read("tests/security.toml")).unwrap();
    table.row
}

fn bar() -> impl Iterator<Item = &'static str> {
    SECTIONS
        .iter()
        .flat_map(|section| section.ids.iter().copied())
}

#[test]
fn each_row_of_the_bar_stands_once_and_no_other() {
    let rows = table();
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, bar().collect::<Vec<_>>(), "in the order of the bar");
    let mut times = BTreeMap::new();
    for id in ids {
        *times.entry(id).or_insert(0) += 1;
    }
    times.retain(|_, times| *times != 1);
    assert!(times.is_empty(), "more than once: {times:?}");
}

#[test]
fn each_row_has_a_proof_or_says_what_is_missing() {
    let rows = table();
    for row in &rows {
        let id = &row.id;
        assert!(row.held().is_some(), "{id} has neither a proof nor `open`");
        let filled = |text: &str| !text.trim().is_empty() && !text.contains(['|', '\n']);
        let texts = [Some(&row.what), row.open.as_ref(), row.absent.as_ref()];
        let mut texts = texts.into_iter().flatten();
        assert!(
            texts.all(|text| filled(text)),
            "{id}: an empty text, or one that breaks the table"
        );
        let is_absent = row.absent.is_some();
        assert_eq!(
            is_absent,
            id.starts_with("absent "),
            "{id}: why it does not apply"
        );
        assert!(
            !(is_absent && (row.has_proof() || row.open.is_some())),
            "{id}: one or the other"
        );
    }
    let open = rows.iter().filter(|row| row.held() == Some(Held::Open));
    let open: Vec<&str> = open.map(|row| row.id.as_str()).collect();
    // Fewer: lower the figure. More: hold the row instead.
    assert_eq!(open.len(), OPEN, "{open:?}");
}

#[test]
fn each_proof_that_is_named_is_there() {
    let sources = Sources::read();
    let mut missing = Vec::new();
    for row in table() {
        for test in &row.tests {
            if !sources.has(test) {
                missing.push(format!("{}: no test {test}", row.id));
            }
        }
        for place in row.config.iter().chain(&row.text) {
            if let Err(why) = place.check(&read(&place.file)) {
                missing.push(format!("{}: {why}", row.id));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_proof_that_is_not_there_is_missed() {
    let sources = Sources::read();
    for there in [
        "security_rows::a_proof_that_is_not_there_is_missed",
        "sign_in::ten_right_codes_at_once_give_one_success",
        "bad_input::what_is_no_json_is_refused_everywhere",
        "identity::properties::a_changed_character_is_refused",
        "lib::web::tests::slow_bodies_and_slow_answers_end_in_their_time",
        "browser: a_member_on_a_phone",
    ] {
        assert!(sources.has(there), "{there}");
    }
    for gone in [
        "sign_in::nothing_holds_this",
        "ten_right_codes_at_once_give_one_success",
        // A helper, and a macro's own name.
        "sign_in::start",
        "app::sqlite",
        "lib::sign_in::ten_right_codes_at_once_give_one_success",
        "browser: a_member_on",
    ] {
        assert!(!sources.has(gone), "{gone}");
    }
    let place = |holds: Option<&str>, lacks: Option<&str>| Place {
        file: "x".into(),
        holds: holds.map(str::to_owned),
        lacks: lacks.map(str::to_owned),
    };
    let text = "one  two\nthree";
    for (fine, place) in [
        (true, place(Some("two three"), None)),
        (true, place(None, Some("four"))),
        (false, place(Some("four"), None)),
        (false, place(None, Some("three"))),
        (false, place(None, None)),
        (false, place(Some(" "), None)),
    ] {
        assert_eq!(place.check(text).is_ok(), fine, "{place:?}");
    }
}

#[test]
fn the_page_of_the_proofs_is_what_the_table_gives() {
    let wanted = page::page(&table());
    if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE), &wanted).unwrap();
    }
    let same = read(PAGE) == wanted;
    assert!(
        same,
        "{PAGE} is not what tests/security.toml gives: run this test with {WRITE}=1"
    );
}
