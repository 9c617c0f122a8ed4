//! `/registers/{id}/counts`: what changes on a register's page while somebody looks at it, which the
//! page's script asks for. It shows no name, so it is no view of the list, and it keeps no session.
use super::{
    facets::{self, Facet, Filters},
    page::{Area, Page, Visit},
    words::Words,
};
use crate::{
    actions::{
        show_register::{RegisterDetails, show_register},
        summarise_register::{Summary, summarise_register},
        view_register::{MembersQuery, list_members},
    },
    error::{Error, Result},
    model::id::Id,
};
use askama::Template;
use axum::{extract::Path, response::Response};

/// Names that the banner of 明天到期 tells.
const NAMED: usize = 3;

/// What changes by itself.
pub(super) struct Live<'a> {
    pub(super) summary: Summary,
    /// Tells whether the counts changed.
    pub(super) key: String,
    /// Where it is asked for again.
    pub(super) poll: String,
    pub(super) frozen: bool,
    pub(super) data_time: String,
    pub(super) next: String,
    pub(super) failing: Option<(String, String)>,
    /// Some of 明天到期.
    pub(super) names: String,
    pub(super) remedy: String,
    pub(super) tiles: Vec<Tile>,
    pub(super) bar: Vec<Part>,
    pub(super) bar_label: String,
    pub(super) facets: Vec<Facet<'a>>,
    pub(super) filters: Filters,
}

/// A verdict with its count, as a tile.
pub(super) struct Tile {
    pub(super) href: String,
    pub(super) chosen: bool,
    pub(super) count: usize,
    pub(super) class: &'static str,
    pub(super) icon: &'static str,
    pub(super) word: String,
    pub(super) why: String,
}

/// A part of the bar.
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) at: String,
    pub(super) width: String,
}

#[derive(Template)]
#[template(path = "counts.html")]
struct Counts<'a> {
    p: Page<'a>,
    live: Live<'a>,
}

/// `GET /registers/{id}/counts`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let result = counts(&visit, &id).await;
    visit.answer(result)
}

async fn counts(visit: &Visit, id: &str) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let details = show_register(&visit.app, &visit.actor, register).await?;
    let summary = summarise_register(&visit.app, &visit.actor, register).await?;
    let filters = Filters::of(id, &visit.query);
    let template = Counts {
        p: visit
            .page(details.organisation.clone())
            .within(Area::Registers),
        live: Live::of(visit.words(), &details, summary, &filters, String::new()),
    };
    Ok(visit.ok(&template))
}

impl<'a> Live<'a> {
    pub(super) fn of(
        words: Words<'a>,
        details: &RegisterDetails,
        summary: Summary,
        filters: &Filters,
        names: String,
    ) -> Self {
        let shown = summary.refreshed_at.as_deref();
        let data_time = shown.map(|at| words.moment(at)).unwrap_or_default();
        let failing = summary
            .source_failing_since
            .as_deref()
            .map(|since| (words.moment(since), data_time.clone()));
        let (bar, bar_label) = bar(words, &summary);
        let verdicts = &summary.verdicts;
        Self {
            key: format!(
                "{}-{}-{}-{}",
                verdicts.fails, verdicts.unknown, verdicts.expires_tomorrow, verdicts.meets
            ),
            poll: filters.counts(),
            frozen: details.frozen,
            next: words.short_moment(&summary.next_refresh_at),
            failing,
            data_time,
            names,
            remedy: remedy(words, details),
            tiles: tiles(words, &summary, filters),
            bar,
            bar_label,
            facets: facets::facets(words, details, &summary, filters),
            filters: filters.clone(),
            summary,
        }
    }
}

/// 孙丽、马超、何静
pub(super) async fn names(visit: &Visit, register: Id, count: usize) -> Result<String> {
    let words = visit.words();
    let query = MembersQuery {
        verdict: Some("expires_tomorrow".to_owned()),
        limit: Some(NAMED.to_string()),
        ..MembersQuery::default()
    };
    let found = list_members(&visit.app, &visit.actor, register, &query).await?;
    let page = found.members(&visit.app);
    let names: Vec<&str> = page.members.iter().map(|own| own.name.as_str()).collect();
    let key = if count > NAMED {
        "tomorrow-names-more"
    } else {
        "tomorrow-names"
    };
    Ok(words.t1(key, "names", words.list(&names)))
}

/// What helps against 明天到期, where it is one test.
fn remedy(words: Words<'_>, details: &RegisterDetails) -> String {
    use crate::model::{health::Kind, requirement::Rule};
    let tests: Vec<&str> = details
        .requirements
        .iter()
        .filter(|own| matches!(own.rule, Rule::MaxDays(_)))
        .filter(|own| {
            let item = words.app.catalogue.get(&own.item);
            item.is_some_and(|item| item.kind == Kind::Test)
        })
        .map(|own| own.item.as_str())
        .collect();
    match tests.as_slice() {
        [only] => words.t1("tomorrow-remedy", "item", words.item(only)),
        _ => String::new(),
    }
}

fn tiles(words: Words<'_>, summary: &Summary, filters: &Filters) -> Vec<Tile> {
    let verdicts = &summary.verdicts;
    let tile = |value: &'static str, class, icon, count| {
        let chosen = filters.is("verdict", value);
        Tile {
            href: filters.toggled(&[("verdict", value)]),
            chosen,
            count,
            class,
            icon,
            word: words.of("verdict", class),
            why: String::new(),
        }
    };
    let mut tiles = vec![
        tile("fails", "fails", "cross", verdicts.fails),
        tile("unknown", "unknown", "question", verdicts.unknown),
        tile(
            "expires_tomorrow",
            "tomorrow",
            "half",
            verdicts.expires_tomorrow,
        ),
        tile("meets", "meets", "tick", verdicts.meets),
    ];
    if let (Some(meets), 1..) = (tiles.last_mut(), verdicts.expires_tomorrow) {
        meets.why = words.t1("tile-tomorrow", "count", verdicts.expires_tomorrow);
    }
    for tile in tiles.iter_mut().filter(|tile| tile.chosen) {
        tile.why = words.t("chosen-again");
    }
    tiles
}

fn bar(words: Words<'_>, summary: &Summary) -> (Vec<Part>, String) {
    let verdicts = &summary.verdicts;
    let parts = [
        ("fails", verdicts.fails),
        ("unknown", verdicts.unknown),
        ("tomorrow", verdicts.expires_tomorrow),
        (
            "meets",
            verdicts.meets.saturating_sub(verdicts.expires_tomorrow),
        ),
    ];
    let all: usize = parts.iter().map(|(_, count)| count).sum();
    let mut at = 0;
    let mut bar = Vec::new();
    for (class, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        bar.push(Part {
            class,
            at: facets::percent(at, all),
            width: facets::percent(count, all),
        });
        at += count;
    }
    let spoken: Vec<String> = parts
        .iter()
        .map(|(class, count)| {
            words.t2(
                "bar-part",
                "word",
                words.of("verdict", class),
                "count",
                *count,
            )
        })
        .collect();
    (bar, words.list(&spoken))
}
