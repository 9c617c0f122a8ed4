//! States and verdicts: each a word, a shape and a colour.
use super::words::{Html, Words};
use crate::{
    actions::member_output::{ItemOutput, Member},
    model::{
        health::{ItemState, Progress, TestResult},
        requirement::Verdict,
    },
};
use askama::Template;
use std::collections::BTreeMap;

/// One item of one member, in words.
#[derive(Clone, Template)]
#[template(path = "state.html")]
pub(super) struct State<'a> {
    words: Words<'a>,
    class: &'static str,
    icon: &'static str,
    /// What is said strongly.
    strong: String,
    /// What stands behind it.
    rest: String,
    /// A smaller second line.
    why: String,
}

/// A verdict by its weight.
#[derive(Clone, Template)]
#[template(path = "verdict.html")]
pub(super) struct Badge {
    class: &'static str,
    icon: Html,
    word: String,
}

/// The verdict of a row.
pub(super) fn badge(words: Words<'_>, verdict: Verdict, tomorrow: Option<bool>) -> Badge {
    let (class, icon) = match (verdict, tomorrow) {
        (Verdict::Meets, Some(true)) => ("tomorrow", "half"),
        (Verdict::Meets, _) => ("meets", "tick"),
        (Verdict::Fails, _) => ("fails", "cross"),
        (Verdict::Unknown, _) => ("unknown", "question"),
    };
    Badge {
        class,
        icon: words.icon(icon),
        word: words.of("verdict", class),
    }
}

/// The icon of a state without a value.
pub(super) fn icon_of(state: ItemState) -> &'static str {
    match state {
        ItemState::None => "none",
        ItemState::NotMatched => "not-matched",
        ItemState::SourceUnavailable => "source-unavailable",
        ItemState::Stale => "clock",
        ItemState::NotShared => "not-shared",
        ItemState::VerdictOnly => "eye-off",
        ItemState::Ok => "tick",
    }
}

/// The colour and the shape of a value of a status: by its severity.
pub(super) fn look_of(words: Words<'_>, item: &str, value: &str) -> (&'static str, &'static str) {
    let severity = words
        .app
        .catalogue
        .get(item)
        .map_or(u8::MAX, |item| item.severity(value));
    match severity {
        0 => ("ok", "green"),
        1 => ("pop", "popup"),
        2 => ("warn", "yellow"),
        u8::MAX => ("dim", "question"),
        _ => ("bad", "red"),
    }
}

/// The name of a value of an item: of the catalogue's list, else of all items.
pub(super) fn value_name(words: Words<'_>, item: &str, value: &str) -> String {
    let listed = words.app.catalogue.get(item).and_then(|item| {
        item.values
            .iter()
            .find(|own| own.value == value)
            .map(|own| &own.name)
    });
    listed
        .and_then(|name| name.get(words.tag()).or_else(|| name.values().next()))
        .cloned()
        .unwrap_or_else(|| words.of("value", value))
}

impl<'a> State<'a> {
    /// An item as a list shows it.
    pub(super) fn of(words: Words<'a>, item: &str, shown: &ItemOutput, fails: bool) -> Self {
        let mut state = Self {
            words,
            class: "plain",
            icon: "",
            strong: String::new(),
            rest: String::new(),
            why: String::new(),
        };
        if shown.state() != ItemState::Ok {
            return Self::without_value(words, shown.state(), None);
        }
        match shown {
            ItemOutput::Status { value, .. } => {
                let value = value.as_deref().unwrap_or("unknown");
                (state.class, state.icon) = look_of(words, item, value);
                state.strong = value_name(words, item, value);
            }
            ItemOutput::Test {
                result,
                days,
                sampled_at,
                reported_at,
                ..
            } => {
                state.test(*result, *days, fails);
                if let Some(at) = sampled_at {
                    state.why = words.t1("sampled", "day", words.month_day(at));
                } else if let Some(at) = reported_at {
                    state.why = words.t1("reported", "day", words.month_day(at));
                }
            }
            ItemOutput::Immunization {
                value,
                last_on,
                days,
                ..
            } => {
                let value = value.map_or("unknown", Progress::as_str);
                state.rest = words.of("vaccine", value);
                state.fails(fails);
                if let (Some(day), Some(_)) = (last_on, days) {
                    state.why = words.t1("last-dose", "day", day);
                }
            }
            ItemOutput::Certificate {
                value, valid_until, ..
            } => {
                let until = valid_until.as_deref().unwrap_or_default();
                let key = match value.as_deref() {
                    Some("valid") => "certificate-until",
                    _ => "certificate-expired",
                };
                state.rest = words.t1(key, "day", until);
                state.fails(fails);
            }
        }
        state
    }

    /// A state in its own words; `read` is when the data was last read.
    pub(super) fn without_value(words: Words<'a>, state: ItemState, read: Option<&str>) -> Self {
        let why = match (state, read) {
            (ItemState::SourceUnavailable, Some(read)) => {
                words.t1("state-source-unavailable-last", "time", words.moment(read))
            }
            (
                ItemState::NotMatched
                | ItemState::Stale
                | ItemState::VerdictOnly
                | ItemState::NotShared,
                _,
            ) => words.of("state-why", state.as_str()),
            _ => String::new(),
        };
        Self {
            words,
            class: "dim",
            icon: icon_of(state),
            strong: words.of("state", state.as_str()),
            rest: String::new(),
            why,
        }
    }

    fn test(&mut self, result: Option<TestResult>, days: Option<i32>, fails: bool) {
        match (result, days) {
            (Some(TestResult::Positive), _) => {
                (self.class, self.icon) = ("bad", "cross");
                self.strong = self.words.t("test-positive");
            }
            (Some(TestResult::Negative), Some(days)) => {
                self.strong = self.words.t1("days", "days", days);
                self.rest = self.words.t("test-negative");
                self.class = "strong";
                self.fails(fails);
            }
            (Some(TestResult::Negative), None) => self.rest = self.words.t("test-negative"),
            _ => {
                (self.class, self.icon) = ("dim", "question");
                self.strong = self.words.t("test-unknown");
            }
        }
    }

    fn fails(&mut self, fails: bool) {
        if fails {
            (self.class, self.icon) = ("bad", "cross");
            if self.strong.is_empty() {
                self.strong = std::mem::take(&mut self.rest);
            }
        }
    }

    /// With another second line.
    pub(super) fn because(mut self, why: String) -> Self {
        self.why = why;
        self
    }

    /// Without the second line.
    pub(super) fn short(mut self) -> Self {
        self.why = String::new();
        self
    }
}

/// The state that all items of a member share, where none has a value.
pub(super) fn shared_state(items: &BTreeMap<String, ItemOutput>) -> Option<ItemState> {
    let mut states = items.values().map(ItemOutput::state);
    let first = states.next()?;
    let whole = matches!(
        first,
        ItemState::NotMatched
            | ItemState::SourceUnavailable
            | ItemState::Stale
            | ItemState::VerdictOnly
    );
    (whole && states.all(|state| state == first)).then_some(first)
}

/// Whether an item is among those that fail.
pub(super) fn fails(member: &Member, item: &str) -> bool {
    member.failing.iter().any(|failing| failing == item)
}
