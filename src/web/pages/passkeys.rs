//! `/me/passkeys`: an administrator's own passkeys, and signing in with one.
use super::{
    form::Form,
    page::{Area, Page, Visit, sign_in_address, to},
    sign_in,
};
use crate::{
    actions::{
        add_passkey::{self, MadePasskey},
        list_passkeys::list_passkeys,
        passkey::{PasskeyView, is_required},
        passkey_sign_in::{ShownPasskey, sign_in_with_passkey},
        sessions,
    },
    error::{Error, Result},
};
use askama::Template;
use axum::response::Response;

/// The page of one's passkeys.
pub(super) const PAGE: &str = "/me/passkeys";

/// The form by which a script shows a passkey to the server.
pub(super) struct Way {
    /// The site's domain.
    pub(super) rp: String,
    /// Where it leads.
    pub(super) next: String,
}

impl Way {
    /// None where there are no passkeys.
    pub(super) fn of(visit: &Visit, next: &str) -> Option<Self> {
        let site = visit.app.passkeys.as_ref()?;
        Some(Self {
            rp: site.id.clone(),
            next: next.to_owned(),
        })
    }
}

#[derive(Template)]
#[template(path = "passkeys.html")]
struct Passkeys<'a> {
    p: Page<'a>,
    passkeys: Vec<PasskeyView>,
    /// What was just done.
    done: Option<&'static str>,
    /// Other sessions, to be ended after a change.
    others: usize,
    required: bool,
    /// Where a session without a passkey opens no register: to show one.
    way: Option<Way>,
}

/// `GET /me/passkeys`
pub(super) async fn show(visit: Visit) -> Response {
    let result = page(&visit).await;
    visit.answer(result)
}

async fn page(visit: &Visit) -> Result<Response> {
    let passkeys = list_passkeys(&visit.app, &visit.actor).await?;
    let sessions = sessions::list(&visit.app, &visit.actor).await?;
    let required = is_required(&visit.app);
    let by_passkey = sessions.iter().any(|own| own.current && own.by_passkey);
    let way = Way::of(visit, "/registers").filter(|_| required && !by_passkey);
    let template = Passkeys {
        p: visit.titled("passkeys-title").within(Area::Own),
        done: match visit.query.get("done") {
            "added" => Some("passkey-added"),
            "removed" => Some("passkey-removed"),
            _ => None,
        },
        others: sessions.iter().filter(|own| !own.current).count(),
        required,
        way: way.filter(|_| !passkeys.is_empty()),
        passkeys,
    };
    Ok(visit.ok(&template))
}

/// `POST /me/passkeys`: adds what the browser made.
pub(super) async fn add(visit: Visit, form: Form) -> Response {
    let made = MadePasskey {
        label: form.get("label").to_owned(),
        client_data: form.get("client_data").to_owned(),
        authenticator_data: form.get("authenticator_data").to_owned(),
        public_key: form.get("public_key").to_owned(),
    };
    let added = add_passkey::finish(&visit.app, &visit.actor, &made).await;
    match added {
        // What is posted alone is no page to come back to.
        Err(Error::NotSignedIn) => to(&sign_in_address(PAGE)),
        added => visit.answer(added.map(|_| to("/me/passkeys?done=added"))),
    }
}

/// `POST /sign-in/passkey`
pub(super) async fn sign_in(visit: Visit, form: Form) -> Response {
    let shown = ShownPasskey {
        id: form.get("id").to_owned(),
        user_id: form.get("user_id").to_owned(),
        client_data: form.get("client_data").to_owned(),
        authenticator_data: form.get("authenticator_data").to_owned(),
        signature: form.get("signature").to_owned(),
    };
    match sign_in_with_passkey(&visit.app, &visit.actor, &shown).await {
        Ok(session) => sign_in::signed_in(&visit, &session.token, form.get("next")),
        Err(error) => visit.fail(&error),
    }
}
