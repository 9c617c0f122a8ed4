//! The JSON API: its routes on one page, grouped by who calls. A handler reads a request, calls one
//! action and writes its answer.
mod administrators;
mod authorizations;
mod confirmations;
mod divisions;
pub(super) mod document;
mod document_page;
mod exports;
mod invitations;
mod join;
pub(super) mod leave;
mod me;
mod members;
mod passkeys;
mod pending;
mod registers;
mod sessions;
mod sign_in;
mod verifications;

use crate::app::App;
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Every route of the API.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().nest(
        "/api/v1",
        OpenApiRouter::new()
            .merge(anybody())
            .merge(members_of_registers())
            .merge(administrators()),
    )
}

/// Who needs to be nobody: signing in, joining, leaving by a link.
fn anybody() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(sign_in::sign_in))
        .routes(routes!(passkeys::challenge))
        .routes(routes!(passkeys::sign_in))
        .routes(routes!(verifications::resend))
        .routes(routes!(verifications::confirm))
        .routes(routes!(divisions::list))
        .routes(routes!(join::preview, join::join))
        .routes(routes!(join::report))
        .routes(routes!(pending::show, pending::withdraw))
        .routes(routes!(pending::send_code))
        .routes(routes!(leave::show, leave::leave))
        .routes(routes!(invitations::show, invitations::accept))
}

/// Who is signed in, about themselves.
fn members_of_registers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(me::show))
        .routes(routes!(me::data))
        .routes(routes!(me::access_log))
        .routes(routes!(sessions::list, sessions::end_all))
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::sign_out))
        .routes(routes!(authorizations::list))
        .routes(routes!(
            authorizations::show,
            authorizations::change,
            authorizations::leave
        ))
        .routes(routes!(confirmations::ask))
        .routes(routes!(passkeys::list, passkeys::add))
        .routes(routes!(passkeys::begin))
        .routes(routes!(passkeys::remove))
}

/// Who administers a register.
fn administrators() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(registers::list, registers::create))
        .routes(routes!(
            registers::show,
            registers::change,
            registers::delete
        ))
        .routes(routes!(registers::replace_code))
        .routes(routes!(registers::code_png))
        .routes(routes!(registers::code_svg))
        .routes(routes!(members::summary))
        .routes(routes!(members::list))
        .routes(routes!(members::search))
        .routes(routes!(members::show, members::remove))
        .routes(routes!(members::reveal_phone))
        .routes(routes!(exports::export))
        .routes(routes!(administrators::list, administrators::invite))
        .routes(routes!(administrators::remove))
        .routes(routes!(administrators::withdraw))
        .routes(routes!(administrators::hand_over))
}
