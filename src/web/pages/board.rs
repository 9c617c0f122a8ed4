//! `/registers/{id}`: the list with its counts; each count is a link that filters.
use super::{
    counts::{Live, names},
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
        summarise_register::summarise_register,
        view_register::{MembersPage, list_members, search_members},
    },
    error::{Error, Result},
    model::{health::ItemState, id::Id, requirement::Verdict},
};
use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};

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

#[derive(Template)]
#[template(path = "board.html")]
struct Board<'a> {
    p: Page<'a>,
    tabs: Tabs,
    live: Live<'a>,
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
    let names = match summary.verdicts.expires_tomorrow {
        0 => String::new(),
        count => names(visit, register, count).await?,
    };
    let columns: Vec<String> = details
        .items
        .iter()
        .map(|own| words.item(&own.item))
        .collect();
    let items: Vec<String> = details.items.iter().map(|own| own.item.clone()).collect();
    let live = Live::of(words, &details, summary, &filters, names);
    let template = Board {
        p: visit
            .page(details.organisation.clone())
            .within(Area::Registers)
            .failing(problems.any())
            .at(filters.href(&[])),
        tabs: tabs(id, "list", &details),
        chips: facets::chips(&live.facets, &filters),
        live,
        columns,
        rows: rows(words, &items, &page),
        search: search.unwrap_or_default().to_owned(),
        total: page.total,
        more: page.next.map(|next| more(&filters, search, &next)),
        filters,
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
