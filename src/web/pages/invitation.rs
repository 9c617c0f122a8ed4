//! `/invitations/{link}`: what an invitation is for, to whoever has the link; accepting it.
use super::{
    administrators::{becomes, limits},
    page::{Area, Page, Visit, sign_in_address},
};
use crate::{
    actions::{
        accept_invitation::{Accepted, ShownInvitation, accept_invitation, show_invitation},
        invitation::Becomes,
        my, sessions,
    },
    error::{Error, Result},
};
use askama::Template;
use axum::{extract::Path, response::Response};

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage<'a> {
    p: Page<'a>,
    link: String,
    shown: ShownInvitation,
    becomes: String,
    limits: String,
    /// Who is signed in for more than leaving: on a shared computer it may be another.
    name: Option<String>,
    /// Where to sign in, and come back.
    sign_in: String,
}

#[derive(Template)]
#[template(path = "accepted.html")]
struct AcceptedPage<'a> {
    p: Page<'a>,
    accepted: Accepted,
    becomes: String,
    limits: String,
    /// How many other sessions there are.
    others: usize,
}

/// `GET /invitations/{link}`
pub(super) async fn show(visit: Visit, Path(link): Path<String>) -> Response {
    let result = page(&visit, &link).await;
    visit.answer(result)
}

async fn page(visit: &Visit, link: &str) -> Result<Response> {
    let shown = show_invitation(&visit.app, &visit.actor, link).await?;
    let name = match visit.actor.fully_signed_in() {
        Ok(_) => my::me(&visit.app, &visit.actor).await?.person,
        Err(_) => None,
    };
    let words = visit.words();
    let template = InvitationPage {
        p: visit.titled(match shown.becomes {
            Becomes::Administrator => "invitation-title",
            Becomes::Owner => "invitation-title-owner",
        }),
        becomes: becomes(words, shown.becomes),
        limits: limits(words, shown.limited_to.as_ref()),
        name: name.map(|person| person.name),
        sign_in: sign_in_address(&format!("/invitations/{link}")),
        link: link.to_owned(),
        shown,
    };
    Ok(visit.ok(&template))
}

/// `POST /invitations/{link}`
pub(super) async fn accept(visit: Visit, Path(link): Path<String>) -> Response {
    let result = accepted(&visit, &link).await;
    visit.answer(result)
}

async fn accepted(visit: &Visit, link: &str) -> Result<Response> {
    let accepted = accept_invitation(&visit.app, &visit.actor, link).await?;
    let sessions = match sessions::list(&visit.app, &visit.actor).await {
        Ok(sessions) => sessions,
        // It is done, whatever else may be told of it.
        Err(Error::NotSignedIn) => Vec::new(),
        Err(error) => return Err(error),
    };
    let words = visit.words();
    let template = AcceptedPage {
        p: visit
            .titled(match accepted.role {
                Becomes::Administrator => "accepted-title",
                Becomes::Owner => "accepted-title-owner",
            })
            .within(Area::Registers)
            .at("/registers"),
        becomes: becomes(words, accepted.role),
        limits: limits(words, accepted.limited_to.as_ref()),
        others: sessions.iter().filter(|session| !session.current).count(),
        accepted,
    };
    Ok(visit.ok(&template))
}
