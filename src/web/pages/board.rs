//! `/registers/{id}`: the list with its counts; each count is a link that filters.
use super::{
    facets::{self, Facet, Filters},
    fields::Problems,
    form::Form,
    page::{Area, Page, Visit, status},
    state::{self, Badge, State},
    words::Words,
};
use crate::{
    actions::{
        member_output::Member,
        show_register::{RegisterDetails, show_register},
        summarise_register::{Summary, summarise_register},
        view_register::{MembersPage, MembersQuery, list_members, search_members},
    },
    error::{Error, Result},
    model::{health::ItemState, id::Id, requirement::Verdict},
};
use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};

/// Names that the banner of 明天到期 tells.
const NAMED: usize = 3;

/// The tabs of a register.
pub(super) struct Tabs {
    pub(super) id: String,
    pub(super) current: &'static str,
    pub(super) owner: bool,
}

/// A row of the list.
struct Row<'a> {
    member: Member,
    badge: Badge,
    failing: String,
    /// The state that all its items share, where none has a value.
    whole: Option<State<'a>>,
    cells: Vec<(String, State<'a>)>,
    tail: String,
    time: String,
}

/// A verdict with its count, as a tile.
struct Tile {
    href: String,
    chosen: bool,
    count: usize,
    class: &'static str,
    icon: &'static str,
    word: String,
    why: String,
}

/// A part of the bar.
struct Part {
    class: &'static str,
    at: String,
    width: String,
}

#[derive(Template)]
#[template(path = "board.html")]
struct Board<'a> {
    p: Page<'a>,
    tabs: Tabs,
    details: RegisterDetails,
    summary: Summary,
    data_time: String,
    next: String,
    failing: Option<(String, String)>,
    tomorrow: Option<String>,
    remedy: String,
    tiles: Vec<Tile>,
    bar: Vec<Part>,
    bar_label: String,
    facets: Vec<Facet<'a>>,
    chips: Vec<facets::Chip>,
    problems: Problems<'a>,
    columns: Vec<String>,
    rows: Vec<Row<'a>>,
    filters: Filters,
    search: String,
    total: usize,
    more: Option<More>,
}

/// The way to the next page.
enum More {
    Link(String),
    /// A search is posted, and so is its next page.
    Post(Vec<(String, String)>),
}

/// `GET /registers/{id}`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let result = board(&visit, &id, &visit.query, None).await;
    visit.answer(result)
}

/// `POST /registers/{id}`: a search by name.
pub(super) async fn search(visit: Visit, Path(id): Path<String>, form: Form) -> Response {
    let result = board(&visit, &id, &form, Some(form.get("name"))).await;
    visit.answer(result)
}

async fn board(visit: &Visit, id: &str, form: &Form, search: Option<&str>) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let words = visit.words();
    let details = show_register(&visit.app, &visit.actor, register).await?;
    let summary = summarise_register(&visit.app, &visit.actor, register).await?;
    let mut filters = Filters::of(id, form);
    let mut wrong = None;
    let query = filters.query(form.get("after"));
    let found = match search {
        Some(name) => search_members(&visit.app, &visit.actor, register, name, &query).await,
        None => list_members(&visit.app, &visit.actor, register, &query).await,
    };
    let page = match found {
        Ok(found) => found.members(&visit.app),
        // What the address asks for cannot be read: the whole list, and the reason above it.
        Err(error @ Error::Invalid(_)) => {
            if search.is_none() {
                filters = Filters::of(id, &Form::default());
            }
            wrong = Some(error);
            let query = filters.query("");
            let found = list_members(&visit.app, &visit.actor, register, &query).await?;
            found.members(&visit.app)
        }
        Err(error) => return Err(error),
    };
    let problems = match (&wrong, search) {
        (Some(error), Some(_)) => Problems::of_error(words, error, ""),
        _ => Problems::none(words),
    };
    let tomorrow = match summary.verdicts.expires_tomorrow {
        0 => None,
        count => Some(tomorrow(visit, register, words, count).await?),
    };
    let columns: Vec<String> = details
        .items
        .iter()
        .map(|own| words.item(&own.item))
        .collect();
    let failing = summary.source_failing_since.as_deref().map(|since| {
        let shown = summary.refreshed_at.as_deref();
        (
            words.moment(since),
            shown.map(|at| words.moment(at)).unwrap_or_default(),
        )
    });
    let next = words.short_moment(&summary.next_refresh_at);
    let data_time = summary.refreshed_at.as_deref();
    let (bar, bar_label) = bar(words, &summary);
    let items: Vec<String> = details.items.iter().map(|own| own.item.clone()).collect();
    let facets = facets::facets(words, &details, &summary, &filters);
    let template = Board {
        p: visit
            .page(details.organisation.clone())
            .within(Area::Registers)
            .failing(problems.any())
            .at(filters.href(&[])),
        tabs: tabs(id, "list", &details),
        data_time: data_time.map(|at| words.moment(at)).unwrap_or_default(),
        next,
        failing,
        tomorrow,
        remedy: remedy(words, &details),
        tiles: tiles(words, &summary, &filters),
        bar,
        bar_label,
        chips: facets::chips(&facets, &filters),
        facets,
        columns,
        rows: rows(words, &items, &page),
        search: search.unwrap_or_default().to_owned(),
        total: page.total,
        more: page.next.map(|next| more(&filters, search, &next)),
        filters,
        details,
        summary,
        problems,
    };
    let status = match (&wrong, search) {
        (Some(error), Some(_)) => status(error),
        _ => StatusCode::OK,
    };
    Ok(visit.show(status, &template))
}

/// The tabs of a register.
pub(super) fn tabs(id: &str, current: &'static str, details: &RegisterDetails) -> Tabs {
    Tabs {
        id: id.to_owned(),
        current,
        owner: details.role == "owner",
    }
}

/// 孙丽、马超、何静
async fn tomorrow(visit: &Visit, register: Id, words: Words<'_>, count: usize) -> Result<String> {
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

fn rows<'a>(words: Words<'a>, items: &[String], page: &MembersPage) -> Vec<Row<'a>> {
    page.members
        .iter()
        .map(|member| {
            let read = member.data_time.as_deref();
            let whole = state::shared_state(&member.items).map(|state| {
                let mut shown = State::without_value(words, state, read);
                if let (ItemState::VerdictOnly, Some(day)) = (state, &member.judged_by) {
                    shown = shown.because(words.t1("judged-by", "day", words.day(day)));
                }
                shown
            });
            let cells = items
                .iter()
                .filter_map(|item| {
                    let shown = member.items.get(item)?;
                    let fails = state::fails(member, item);
                    let mut state = State::of(words, item, shown, fails);
                    if shown.state() != ItemState::Ok {
                        state = state.short();
                    }
                    Some((words.item(item), state))
                })
                .collect();
            let tail: Vec<char> = member.document_masked.chars().rev().take(2).collect();
            Row {
                badge: state::badge(words, member.verdict, member.expires_tomorrow),
                failing: if member.verdict == Verdict::Fails {
                    words.items(&member.failing)
                } else {
                    String::new()
                },
                whole,
                cells,
                tail: tail.into_iter().rev().collect(),
                time: read.map(|at| words.short_moment(at)).unwrap_or_default(),
                member: member.clone(),
            }
        })
        .collect()
}

fn more(filters: &Filters, search: Option<&str>, next: &str) -> More {
    match search {
        None => More::Link(filters.href(&[("after", next)])),
        Some(name) => {
            let mut pairs = filters.pairs();
            pairs.push(("name".to_owned(), name.to_owned()));
            pairs.push(("after".to_owned(), next.to_owned()));
            More::Post(pairs)
        }
    }
}

#[derive(Template)]
#[template(path = "filter.html")]
struct FilterPage<'a> {
    p: Page<'a>,
    facets: Vec<Facet<'a>>,
    back: String,
}

/// `GET /registers/{id}/filter`: the filters, for phones.
pub(super) async fn filter(visit: Visit, Path(id): Path<String>) -> Response {
    let result = filter_page(&visit, &id).await;
    visit.answer(result)
}

async fn filter_page(visit: &Visit, id: &str) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let words = visit.words();
    let details = show_register(&visit.app, &visit.actor, register).await?;
    let summary = summarise_register(&visit.app, &visit.actor, register).await?;
    let filters = Filters::of(id, &visit.query);
    let template = FilterPage {
        p: visit.titled("filter-title").within(Area::Registers),
        facets: facets::facets(words, &details, &summary, &filters),
        back: filters.href(&[]),
    };
    Ok(visit.ok(&template))
}
