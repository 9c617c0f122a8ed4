//! Small pieces that several pages show.
use super::{
    page::{Page, Visit},
    words::{Html, Words},
};
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "told.html")]
struct Told<'a> {
    p: Page<'a>,
    lines: Vec<String>,
    on: (String, String),
}

/// Something was done: what, and where to go on.
pub(super) fn told(visit: &Visit, p: Page<'_>, lines: Vec<String>, on: (&str, &str)) -> Response {
    let on = (on.0.to_owned(), visit.words().t(on.1));
    visit.ok(&Told { p, lines, on })
}

#[derive(Template)]
#[template(path = "steps.html")]
struct Steps<'a> {
    words: Words<'a>,
    number: usize,
    of: usize,
    name: String,
}

/// 第 1 步，共 3 步：…
pub(super) fn steps(words: Words<'_>, number: usize, of: usize, name: &str) -> Html {
    let steps = Steps {
        words,
        number,
        of,
        name: words.t(name),
    };
    Html::of(&steps)
}

/// Where to correct a record at the source: the operator's words, or ours.
pub(super) fn correction(words: Words<'_>) -> String {
    let own = &words.app.config.operator.correction;
    if own.is_empty() {
        words.t("correction")
    } else {
        own.clone()
    }
}

/// 2026 年 11 月版
pub(super) fn version(words: Words<'_>, version: &str) -> String {
    let (year, month) = version.split_once('-').unwrap_or((version, ""));
    match (year.parse::<i64>(), month.parse::<i64>()) {
        (Ok(year), Ok(month)) => words.t2("consent-version", "year", year, "month", month),
        _ => version.to_owned(),
    }
}
