//! The filters of a list: counts that are links at once, pressed again to take them away.
use super::{
    form::Form,
    page::encode,
    state,
    words::{Html, Words},
};
use crate::{
    actions::{summarise_register::Summary, view_register::MembersQuery},
    model::health::ItemState,
};
use serde_json::{Map, Value};

/// The parameters that filter.
const NAMES: [&str; 7] = [
    "verdict",
    "item",
    "value",
    "days",
    "state",
    "department",
    "sort",
];

/// The filters in force.
#[derive(Clone)]
pub(super) struct Filters {
    path: String,
    pairs: Vec<(String, String)>,
}

/// A group of counts.
pub(super) struct Facet<'a> {
    pub(super) id: String,
    pub(super) heading: String,
    pub(super) lines: Vec<Line<'a>>,
}

/// One count.
pub(super) struct Line<'a> {
    pub(super) words: Words<'a>,
    pub(super) href: String,
    pub(super) chosen: bool,
    pub(super) class: &'static str,
    icon: &'static str,
    pub(super) word: String,
    pub(super) count: usize,
    /// Its share of all, as `12.5%`.
    pub(super) share: String,
}

/// A filter on a phone: it leads to the page of the filters, or takes itself away.
pub(super) struct Chip {
    pub(super) href: String,
    pub(super) word: String,
    pub(super) chosen: bool,
}

impl Filters {
    /// Those of a form or an address.
    pub(super) fn of(register: &str, form: &Form) -> Self {
        let pairs = form.without(&[]).into_iter();
        Self {
            path: format!("/registers/{register}"),
            pairs: pairs
                .filter(|(name, value)| NAMES.contains(&name.as_str()) && !value.is_empty())
                .collect(),
        }
    }

    /// As the action takes them.
    pub(super) fn query(&self, after: &str) -> MembersQuery {
        let get = |name: &str| {
            let found = self.pairs.iter().find(|(own, _)| own == name);
            found.map(|(_, value)| value.clone())
        };
        MembersQuery {
            verdict: get("verdict"),
            item: get("item"),
            value: get("value"),
            days: get("days"),
            state: get("state"),
            department: get("department"),
            sort: get("sort"),
            limit: None,
            after: (!after.is_empty()).then(|| after.to_owned()),
        }
    }

    /// Whether a filter has this value.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.pairs
            .iter()
            .any(|(own, given)| own == name && given == value)
    }

    /// Whether anything filters.
    pub(super) fn any(&self) -> bool {
        self.pairs.iter().any(|(name, _)| name != "sort")
    }

    /// The parameters, to be posted.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        self.pairs.clone()
    }

    /// The address of the list with these filters and more.
    pub(super) fn href(&self, more: &[(&str, &str)]) -> String {
        self.address(&self.path, more)
    }

    /// The address of the list without any.
    pub(super) fn clear(&self) -> &str {
        &self.path
    }

    fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut pairs = self.pairs.clone();
        for (name, value) in more {
            pairs.push(((*name).to_owned(), (*value).to_owned()));
        }
        if pairs.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", encode(&pairs))
        }
    }

    /// The address with these set, or without them where they are set. Filters on items are one.
    pub(super) fn toggled(&self, set: &[(&str, &str)]) -> String {
        let chosen = set.iter().all(|(name, value)| self.is(name, value));
        let of_items = ["item", "value", "days", "state"];
        let on_items = set.iter().any(|(name, _)| of_items.contains(name));
        let mut next = self.clone();
        next.pairs.retain(|(name, _)| {
            let same = set.iter().any(|(own, _)| own == name);
            !same && !(on_items && of_items.contains(&name.as_str()))
        });
        next.href(if chosen { &[] } else { set })
    }
}

impl Line<'_> {
    /// The icon before the word, if it has one.
    pub(super) fn icon(&self) -> Html {
        if self.icon.is_empty() {
            Html::default()
        } else {
            self.words.icon(self.icon)
        }
    }
}

/// A share as an attribute: `12.5%`.
pub(super) fn percent(part: usize, all: usize) -> String {
    let tenths = (part * 1000).checked_div(all).unwrap_or(0);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// The groups of counts of a register.
pub(super) fn facets<'a>(
    words: Words<'a>,
    items: &[String],
    departments: &[String],
    summary: &Summary,
    filters: &Filters,
) -> Vec<Facet<'a>> {
    let all = summary.members;
    let line = |set: &[(&str, &str)], class, icon, word: String, count| Line {
        words,
        href: filters.toggled(set),
        chosen: set.iter().all(|(name, value)| filters.is(name, value)),
        class,
        icon,
        word,
        count,
        share: percent(count, all),
    };
    let empty = Map::new();
    let mut facets = Vec::new();
    for item in items {
        let counts = summary.items.get(item).and_then(Value::as_object);
        let counts = counts.unwrap_or(&empty);
        let mut lines = Vec::new();
        if let Some(days) = counts.get("days").and_then(Value::as_object) {
            for (day, count) in days {
                let key = if day == "4+" { "days-more" } else { "days" };
                let word = words.t1(
                    key,
                    "days",
                    day.trim_end_matches('+').parse::<i64>().unwrap_or(4),
                );
                let set = [("item", item.as_str()), ("days", day.as_str())];
                lines.push(line(&set, "ok", "", word, number(count)));
            }
        }
        for (value, count) in counts {
            if value == "days" || is_state(value) {
                continue;
            }
            let set = [("item", item.as_str()), ("value", value.as_str())];
            let (class, icon) = look(words, item, value);
            let word = state::value_name(words, item, value);
            lines.push(line(&set, class, icon, word, number(count)));
        }
        for state in [ItemState::None, ItemState::NotShared] {
            let Some(count) = counts.get(state.as_str()) else {
                continue;
            };
            let set = [("item", item.as_str()), ("state", state.as_str())];
            let word = words.of("state", state.as_str());
            lines.push(line(
                &set,
                "dim",
                state::icon_of(state),
                word,
                number(count),
            ));
        }
        facets.push(Facet {
            id: format!("facet-{item}"),
            heading: words.item(item),
            lines,
        });
    }
    let mut lines = Vec::new();
    for state in [
        ItemState::VerdictOnly,
        ItemState::SourceUnavailable,
        ItemState::NotMatched,
        ItemState::Stale,
    ] {
        // These belong to a person: each item has as many, or did not ask for consent.
        let of_items = summary
            .items
            .values()
            .filter_map(|counts| counts.get(state.as_str()));
        let count = of_items.map(number).max().unwrap_or(0);
        if count > 0 {
            let set = [("state", state.as_str())];
            let word = words.of("state", state.as_str());
            lines.push(line(&set, "dim", state::icon_of(state), word, count));
        }
    }
    if !lines.is_empty() {
        facets.push(Facet {
            id: "facet-states".to_owned(),
            heading: words.t("facet-states"),
            lines,
        });
    }
    if !departments.is_empty() {
        facets.push(Facet {
            id: "facet-departments".to_owned(),
            heading: words.t("facet-departments"),
            lines: departments
                .iter()
                .map(|name| {
                    let set = [("department", name.as_str())];
                    let mut line = line(&set, "", "", name.clone(), 0);
                    line.share = String::new();
                    line
                })
                .collect(),
        });
    }
    facets
}

fn number(count: &Value) -> usize {
    count
        .as_u64()
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0)
}

fn is_state(value: &str) -> bool {
    ItemState::ALL
        .iter()
        .any(|state| *state != ItemState::Ok && state.as_str() == value)
}

/// The colour and the shape of a counted value.
fn look(words: Words<'_>, item: &str, value: &str) -> (&'static str, &'static str) {
    let is_listed = words
        .app
        .catalogue
        .get(item)
        .is_some_and(|item| item.values.iter().any(|own| own.value == value));
    if is_listed {
        return state::look_of(words, item, value);
    }
    match value {
        "positive" => ("bad", "warning"),
        "overdue" | "expired" => ("bad", "cross"),
        "unknown" => ("dim", "question"),
        _ => ("ok", ""),
    }
}

/// The filters as a phone shows them: one a group.
pub(super) fn chips(facets: &[Facet<'_>], filters: &Filters) -> Vec<Chip> {
    facets
        .iter()
        .map(|facet| match facet.lines.iter().find(|line| line.chosen) {
            Some(line) => Chip {
                href: line.href.clone(),
                word: line
                    .words
                    .t2("chip-chosen", "group", &facet.heading, "word", &line.word),
                chosen: true,
            },
            None => Chip {
                href: format!(
                    "{}#{}",
                    filters.address(&format!("{}/filter", filters.path), &[]),
                    facet.id
                ),
                word: facet.heading.clone(),
                chosen: false,
            },
        })
        .collect()
}
