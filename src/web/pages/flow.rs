//! What a browser is verifying: a cookie holds the handle and what follows, never an address.
use super::{
    form::Form,
    page::{Visit, encode, to},
};
use crate::{actions::Actor, actions::verification::Started, web::cookies};
use axum::response::{IntoResponse, Response};

/// A verification under way, with what it leads to.
#[derive(Clone, Default)]
pub(super) struct Flow(Form);

impl Flow {
    /// That of this browser.
    pub(super) fn of(visit: &Visit) -> Option<Self> {
        let line = cookies::verification(&visit.app, &visit.headers)?;
        let form = Form::parse(line.as_bytes());
        (!form.get("handle").is_empty()).then_some(Self(form))
    }

    /// The unguessable handle.
    pub(super) fn handle(&self) -> &str {
        self.0.get("handle")
    }

    /// Something that follows, as `next`.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name)
    }
}

/// Who asks, tied to this browser; the secret that ties them.
pub(super) fn tied(visit: &Visit) -> (Actor, String) {
    let mut actor = visit.actor.clone();
    let secret = actor
        .flow
        .clone()
        .unwrap_or_else(|| cookies::new_flow(&visit.app));
    actor.flow = Some(secret.clone());
    (actor, secret)
}

/// Goes to the page of the code that was sent.
pub(super) fn begin(
    visit: &Visit,
    secret: &str,
    started: &Started,
    page: &str,
    more: &[(&str, &str)],
) -> Response {
    let mut pairs = vec![("handle".to_owned(), started.verification_id.clone())];
    for (name, value) in more {
        pairs.push(((*name).to_owned(), (*value).to_owned()));
    }
    (
        cookies::set_flow(&visit.app, secret),
        cookies::set_verification(&visit.app, &encode(&pairs)),
        to(page),
    )
        .into_response()
}

/// The same response, with the verification forgotten.
pub(super) fn end(visit: &Visit, response: Response) -> Response {
    (cookies::clear_verification(&visit.app), response).into_response()
}
