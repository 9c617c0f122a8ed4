//! One member: what is known, the phone behind a button, and removal behind a page of its own.
use super::{
    page::{Area, Page, Visit, to},
    state::{self, Badge, State},
    terms,
};
use crate::{
    actions::{
        member_output::{ItemOutput, Member},
        remove_member::remove_member,
        reveal_phone::reveal_phone,
        show_register::{RegisterDetails, show_register},
        view_register::show_member,
    },
    error::{Error, Result},
    model::{health::ItemState, id::Id},
};
use askama::Template;
use axum::{extract::Path, response::Response};

/// An item with the requirement on it.
struct ItemLine<'a> {
    name: String,
    state: State<'a>,
    more: Vec<String>,
}

#[derive(Template)]
#[template(path = "member.html")]
struct MemberPage<'a> {
    p: Page<'a>,
    register: String,
    member: Member,
    badge: Badge,
    whole: Option<State<'a>>,
    items: Vec<ItemLine<'a>>,
    next: String,
    /// The phone, once it was revealed.
    phone: Option<String>,
}

#[derive(Template)]
#[template(path = "remove.html")]
struct RemovePage<'a> {
    p: Page<'a>,
    register: String,
    member: Member,
}

/// `GET /registers/{id}/members/{member}`
pub(super) async fn show(visit: Visit, Path((id, member)): Path<(String, String)>) -> Response {
    let result = page(&visit, &id, &member, None).await;
    visit.answer(result)
}

/// `POST /registers/{id}/members/{member}/phone`
pub(super) async fn reveal(visit: Visit, Path((id, member)): Path<(String, String)>) -> Response {
    let result = match ids(&id, &member) {
        Ok((register, own)) => reveal_phone(&visit.app, &visit.actor, register, own).await,
        Err(error) => Err(error),
    };
    let result = match result {
        Ok(phone) => page(&visit, &id, &member, Some(phone)).await,
        Err(error) => Err(error),
    };
    visit.answer(result)
}

/// `GET /registers/{id}/members/{member}/remove`
pub(super) async fn ask(visit: Visit, Path((id, member)): Path<(String, String)>) -> Response {
    let result = remove_page(&visit, &id, &member).await;
    visit.answer(result)
}

/// `POST /registers/{id}/members/{member}/remove`
pub(super) async fn remove(visit: Visit, Path((id, member)): Path<(String, String)>) -> Response {
    let result = match ids(&id, &member) {
        Ok((register, own)) => remove_member(&visit.app, &visit.actor, register, own)
            .await
            .map(|()| to(&format!("/registers/{id}"))),
        Err(error) => Err(error),
    };
    visit.answer(result)
}

fn ids(register: &str, member: &str) -> Result<(Id, Id)> {
    let register = Id::parse(register).ok_or(Error::NotFound)?;
    Ok((register, Id::parse(member).ok_or(Error::NotFound)?))
}

async fn page(visit: &Visit, id: &str, member: &str, phone: Option<String>) -> Result<Response> {
    let (register, own) = ids(id, member)?;
    let words = visit.words();
    let details = show_register(&visit.app, &visit.actor, register).await?;
    let member = show_member(&visit.app, &visit.actor, register, own).await?;
    let read = member.data_time.as_deref();
    let whole = state::shared_state(&member.items).map(|state| {
        let shown = State::without_value(words, state, read);
        match (state, &member.judged_by) {
            (ItemState::VerdictOnly, Some(day)) => {
                shown.because(words.t1("judged-by", "day", words.day(day)))
            }
            _ => shown,
        }
    });
    let template = MemberPage {
        p: visit
            .page(member.name.clone())
            .within(Area::Registers)
            .at(format!("/registers/{id}/members/{}", member.id)),
        register: id.to_owned(),
        badge: state::badge(words, member.verdict, member.expires_tomorrow),
        items: lines(visit, &details, &member),
        whole,
        next: words.short_moment(&words.rfc3339(crate::actions::refresh_health::next_due(
            &visit.app,
            visit.app.now(),
        ))),
        phone,
        member,
    };
    Ok(visit.ok(&template))
}

fn lines<'a>(visit: &'a Visit, details: &RegisterDetails, member: &Member) -> Vec<ItemLine<'a>> {
    let words = visit.words();
    let line = |item: &str, shown: &ItemOutput| {
        let rule = details.requirements.iter().find(|own| own.item == item);
        let mut more = Vec::new();
        if let ItemOutput::Test {
            sampled_at: Some(at),
            ..
        } = shown
        {
            more.push(words.t1("sampled-at", "time", words.full_moment(at)));
        }
        if let ItemOutput::Immunization {
            doses: Some(doses),
            last_on,
            ..
        } = shown
        {
            more.push(words.t1("doses", "count", *doses));
            if let Some(day) = last_on {
                more.push(words.t1("last-dose", "day", words.day(day)));
            }
        }
        more.push(match rule {
            Some(own) => words.t1("rule-is", "rule", terms::rule_words(words, item, &own.rule)),
            None => words.t("rule-none"),
        });
        ItemLine {
            name: words.item(item),
            state: State::of(words, item, shown, state::fails(member, item)).short(),
            more,
        }
    };
    details
        .items
        .iter()
        .filter_map(|own| Some(line(&own.item, member.items.get(&own.item)?)))
        .collect()
}

async fn remove_page(visit: &Visit, id: &str, member: &str) -> Result<Response> {
    let (register, own) = ids(id, member)?;
    let member = show_member(&visit.app, &visit.actor, register, own).await?;
    let title = visit.words().t1("remove-title", "name", &member.name);
    let template = RemovePage {
        p: visit.page(title).within(Area::Registers),
        register: id.to_owned(),
        member,
    };
    Ok(visit.ok(&template))
}
