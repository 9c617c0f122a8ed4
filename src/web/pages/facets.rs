//! The filters of a list: counts that are links at once, pressed again to take them away.
use super::{
    form::Form,
    page::encode,
    state,
    words::{Html, Words},
};
use crate::{
    actions::{
        show_register::RegisterDetails, summarise_register::Summary, view_register::MembersQuery,
    },
    model::{health::ItemState, requirement::Rule},
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

/// Rows a page: with every item of the catalogue a page stays below 100 kB.
const ROWS: usize = 30;

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
            limit: Some(ROWS.to_string()),
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

    /// The address of the counts beside the list.
    pub(super) fn counts(&self) -> String {
        self.address(&format!("{}/counts", self.path), &[])
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
            let replaced = set.iter().any(|(own, _)| own == name);
            !replaced && (!on_items || !of_items.contains(&name.as_str()))
        });
        next.href(if chosen { &[] } else { set })
    }
}

impl Line<'_> {
    /// Whether an icon stands before the word.
    pub(super) fn has_icon(&self) -> bool {
        !self.icon.is_empty()
    }

    /// That icon.
    pub(super) fn icon(&self) -> Html {
        self.words.icon(self.icon)
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
    details: &RegisterDetails,
    summary: &Summary,
    filters: &Filters,
) -> Vec<Facet<'a>> {
    let lines = Lines {
        words,
        filters,
        all: summary.members,
    };
    let empty = Map::new();
    let mut facets = Vec::new();
    for own in &details.items {
        let counts = summary.items.get(&own.item).and_then(Value::as_object);
        let rule = details
            .requirements
            .iter()
            .find(|rule| rule.item == own.item);
        let most = match rule.map(|own| &own.rule) {
            Some(Rule::MaxDays(days)) => Some(i64::from(*days)),
            _ => None,
        };
        facets.push(Facet {
            id: format!("facet-{}", own.item),
            heading: words.item(&own.item),
            lines: lines.of_item(&own.item, counts.unwrap_or(&empty), most),
        });
    }
    let states = lines.of_people(summary);
    if !states.is_empty() {
        facets.push(Facet {
            id: "facet-states".to_owned(),
            heading: words.t("facet-states"),
            lines: states,
        });
    }
    if !details.departments.is_empty() {
        let name = |name: &String| {
            let set = [("department", name.as_str())];
            let mut line = lines.line(&set, ("", ""), name.clone(), 0);
            line.share = String::new();
            line
        };
        facets.push(Facet {
            id: "facet-departments".to_owned(),
            heading: words.t("facet-departments"),
            lines: details.departments.iter().map(name).collect(),
        });
    }
    facets
}

/// What lines are made with.
struct Lines<'a, 'f> {
    words: Words<'a>,
    filters: &'f Filters,
    all: usize,
}

impl<'a> Lines<'a, '_> {
    fn line(
        &self,
        set: &[(&str, &str)],
        (class, icon): (&'static str, &'static str),
        word: String,
        count: usize,
    ) -> Line<'a> {
        let filters = self.filters;
        Line {
            words: self.words,
            href: filters.toggled(set),
            chosen: set.iter().all(|(name, value)| filters.is(name, value)),
            class,
            icon,
            word,
            count,
            share: percent(count, self.all),
        }
    }

    /// Days, values and states of an item; `most` days are allowed.
    fn of_item(&self, item: &str, counts: &Map<String, Value>, most: Option<i64>) -> Vec<Line<'a>> {
        let words = self.words;
        let mut lines = Vec::new();
        let days = counts.get("days").and_then(Value::as_object);
        for (text, count) in days.into_iter().flatten() {
            let (key, days) = match text.strip_suffix('+') {
                Some(days) => ("days-more", days),
                None => ("days", text.as_str()),
            };
            let days = days.parse::<i64>().unwrap_or_default();
            let class = match most {
                Some(most) if days > most => "bad",
                Some(most) if days == most => "warn",
                _ => "ok",
            };
            let set = [("item", item), ("days", text.as_str())];
            let word = words.t1(key, "days", days);
            lines.push(self.line(&set, (class, ""), word, number(count)));
        }
        let mut values: Vec<_> = counts
            .iter()
            .filter(|(value, _)| *value != "days" && !is_state(value))
            .collect();
        values.sort_by_key(|(value, _)| place(words, item, value));
        for (value, count) in values {
            let set = [("item", item), ("value", value.as_str())];
            let count = number(count);
            if count > 0 || !["unknown", "overdue"].contains(&value.as_str()) {
                let word = state::value_name(words, item, value);
                lines.push(self.line(&set, look(words, item, value), word, count));
            }
        }
        for state in [ItemState::None, ItemState::NotShared] {
            let count = counts.get(state.as_str()).map_or(0, number);
            let set = [("item", item), ("state", state.as_str())];
            if count > 0 || self.filters.is("state", state.as_str()) {
                let word = words.of("state", state.as_str());
                lines.push(self.line(&set, ("dim", state::icon_of(state)), word, count));
            }
        }
        lines
    }

    /// The states that belong to a person: each item has as many, or did not ask for consent.
    fn of_people(&self, summary: &Summary) -> Vec<Line<'a>> {
        let states = [
            ItemState::VerdictOnly,
            ItemState::SourceUnavailable,
            ItemState::NotMatched,
            ItemState::Stale,
        ];
        let count = |state: &ItemState| {
            let items = summary.items.values();
            let counts = items.filter_map(|counts| counts.get(state.as_str()));
            counts.map(number).max().unwrap_or(0)
        };
        states
            .into_iter()
            .map(|state| (state, count(&state)))
            .filter(|(_, count)| *count > 0)
            .map(|(state, count)| {
                let set = [("state", state.as_str())];
                let word = self.words.of("state", state.as_str());
                self.line(&set, ("dim", state::icon_of(state)), word, count)
            })
            .collect()
    }
}

/// Where a value stands among those of its item.
fn place(words: Words<'_>, item: &str, value: &str) -> usize {
    const ORDER: [&str; 10] = [
        "booster",
        "complete",
        "incomplete",
        "unsuitable",
        "valid",
        "expired",
        "negative",
        "overdue",
        "positive",
        "unknown",
    ];
    let listed = words.app.catalogue.get(item);
    let listed = listed.and_then(|own| own.values.iter().position(|own| own.value == value));
    let known = || ORDER.iter().position(|own| *own == value);
    listed.or_else(known).unwrap_or(usize::MAX)
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
