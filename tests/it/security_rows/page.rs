//! The page that the table gives.
use super::{Held, Row, bar::SECTIONS, proofs::Place};
use std::fmt::Write;

const HEAD: &str = "\
# The security bar, and what holds it

Every row of the bar that this program is held to: OWASP ASVS 5.0.0 levels 1 and 2, threats of its own, limits, keys, law.
Made from `tests/security.toml` by `tests/it/security_rows.rs`, which fails where a proof that is named here is gone. A test
is named by the file under `tests/it/` (`lib::` under `src/`) and its function. *Open* says what is missing, also where
something else of the row is held.
";

pub(super) fn page(rows: &[Row]) -> String {
    let count = |held: Held| rows.iter().filter(|row| row.held() == Some(held)).count();
    let mut page = format!(
        "{HEAD}\n{} rows: {} held by tests, {} by configuration, {} by text; {} open; {} groups do not apply.\n",
        rows.len(),
        count(Held::Tests),
        count(Held::Configuration),
        count(Held::Text),
        count(Held::Open),
        count(Held::Absent),
    );
    let mut rows = rows.iter();
    for section in SECTIONS {
        let _ = write!(
            page,
            "\n## {}\n| row | what holds here | by |\n| --- | --- | --- |\n",
            section.title
        );
        for row in rows.by_ref().take(section.ids.len()) {
            let _ = writeln!(page, "| {} | {} | {} |", row.id, row.what, proofs(row));
        }
    }
    page
}

fn proofs(row: &Row) -> String {
    let mut all: Vec<String> = row.tests.iter().map(|test| format!("`{test}`")).collect();
    all.extend(row.config.iter().map(place));
    all.extend(row.text.iter().map(place));
    all.extend(row.open.iter().map(|open| format!("*open*: {open}")));
    all.extend(row.absent.iter().cloned());
    all.join("<br>")
}

fn place(place: &Place) -> String {
    let (word, words) = match (&place.holds, &place.lacks) {
        (Some(holds), _) => ("", holds.as_str()),
        (_, lacks) => ("no ", lacks.as_deref().unwrap_or_default()),
    };
    let words = words.replace('|', "\\|");
    // Code that holds a backtick stands between two.
    let words = match words.contains('`') {
        true => format!("`` {words} ``"),
        false => format!("`{words}`"),
    };
    format!("{}: {word}{words}", place.file)
}
