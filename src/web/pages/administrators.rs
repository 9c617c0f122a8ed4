//! `/registers/{id}/administrators`: who administers a register, who was invited, and the end of a
//! role or an invitation.
use super::{
    board::{Tabs, tabs},
    page::{Area, Page, Visit, sign_in_address, to},
    words::Words,
};
use crate::{
    actions::{
        invitation::{Becomes, Invitation},
        list_administrators::{Administrator, Administrators, list_administrators},
        remove_administrator::remove_administrator,
        show_register::{RegisterDetails, show_register},
        withdraw_invitation::withdraw_invitation,
    },
    error::{Error, Result},
    model::id::Id,
};
use askama::Template;
use axum::{extract::Path, response::Response};

#[derive(Template)]
#[template(path = "administrators.html")]
struct AdministratorsPage<'a> {
    p: Page<'a>,
    tabs: Tabs,
    all: Administrators,
    /// What was just done, as a text's key.
    done: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "remove_administrator.html")]
struct RemovePage<'a> {
    p: Page<'a>,
    details: RegisterDetails,
    administrator: Administrator,
}

impl AdministratorsPage<'_> {
    fn limits(&self, departments: Option<&Vec<String>>) -> String {
        limits(*self.p, departments)
    }

    fn becomes(&self, invitation: &Invitation) -> String {
        becomes(*self.p, invitation.becomes)
    }
}

/// What who accepts becomes, in words.
pub(super) fn becomes(words: Words<'_>, becomes: Becomes) -> String {
    words.t(match becomes {
        Becomes::Administrator => "role-administrator",
        Becomes::Owner => "role-owner",
    })
}

/// Which departments somebody sees, in words.
pub(super) fn limits(words: Words<'_>, departments: Option<&Vec<String>>) -> String {
    departments.map_or_else(
        || words.t("departments-all"),
        |departments| words.list(departments),
    )
}

/// `GET /registers/{id}/administrators`
pub(super) async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let result = list_page(&visit, &id).await;
    visit.answer(result)
}

async fn list_page(visit: &Visit, id: &str) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let details = show_register(&visit.app, &visit.actor, register).await?;
    let all = list_administrators(&visit.app, &visit.actor, register).await?;
    let template = AdministratorsPage {
        p: visit
            .page(details.organisation.clone())
            .within(Area::Registers),
        tabs: tabs(id, "administrators", &details),
        all,
        done: match visit.query.get("done") {
            "removed" => Some("administrator-removed"),
            "withdrawn" => Some("invitation-withdrawn"),
            _ => None,
        },
    };
    Ok(visit.ok(&template))
}

/// `GET /registers/{id}/administrators/{administrator}/remove`
pub(super) async fn ask(visit: Visit, Path(path): Path<(String, String)>) -> Response {
    let result = remove_page(&visit, &path.0, &path.1).await;
    visit.answer(result)
}

async fn remove_page(visit: &Visit, id: &str, administrator: &str) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let details = show_register(&visit.app, &visit.actor, register).await?;
    let all = list_administrators(&visit.app, &visit.actor, register).await?;
    let administrator = all
        .administrators
        .into_iter()
        .find(|own| own.id == administrator)
        .filter(|own| own.is_self || details.role == "owner")
        .ok_or(Error::NotFound)?;
    if administrator.role == "owner" {
        return Err(Error::Conflict("last_owner"));
    }
    let words = visit.words();
    let title = if administrator.is_self {
        words.t1("resign-title", "organisation", &details.organisation)
    } else {
        words.t1("remove-administrator-title", "name", &administrator.name)
    };
    let template = RemovePage {
        p: visit.page(title).within(Area::Registers),
        details,
        administrator,
    };
    Ok(visit.ok(&template))
}

/// `POST /registers/{id}/administrators/{administrator}/remove`
pub(super) async fn remove(visit: Visit, Path(path): Path<(String, String)>) -> Response {
    let result = removed(&visit, &path.0, &path.1).await;
    visit.answer(result)
}

async fn removed(visit: &Visit, id: &str, administrator: &str) -> Result<Response> {
    let register = Id::parse(id).ok_or(Error::NotFound)?;
    let own = Id::parse(administrator).ok_or(Error::NotFound)?;
    remove_administrator(&visit.app, &visit.actor, register, own).await?;
    let still = show_register(&visit.app, &visit.actor, register).await;
    Ok(match still {
        Ok(_) => to(&format!("/registers/{id}/administrators?done=removed")),
        // Who resigned sees it no more.
        Err(_) => to("/registers"),
    })
}

/// `POST /registers/{id}/invitations/{invitation}/withdraw`
pub(super) async fn withdraw(visit: Visit, Path(path): Path<(String, String)>) -> Response {
    let (id, invitation) = path;
    let result = match (Id::parse(&id), Id::parse(&invitation)) {
        (Some(register), Some(own)) => {
            withdraw_invitation(&visit.app, &visit.actor, register, own).await
        }
        _ => Err(Error::NotFound),
    };
    let page = format!("/registers/{id}/administrators");
    match result {
        // What is posted alone is no page to come back to.
        Err(Error::NotSignedIn) => to(&sign_in_address(&page)),
        result => visit.answer(result.map(|()| to(&format!("{page}?done=withdrawn")))),
    }
}
