//! A link by which somebody becomes an administrator or the owner of a register: 128 random bits,
//! stored hashed, good for 72 hours and used once.
use super::{id_of, register_terms::from_json};
use crate::{
    app::App,
    clock,
    crypto::{random, token_hash},
    error::Result,
    model::id::Id,
    store::{
        Tx,
        administrators::{self, InvitationRow},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// Random bytes of a link: 128 bits, 22 characters.
const LINK_BYTES: usize = 16;
/// How long a link serves, in milliseconds.
const LINK_MS: i64 = 72 * 60 * 60 * 1000;

/// What who accepts becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Becomes {
    /// An administrator beside the owner.
    Administrator,
    /// The owner; who was it stays an administrator.
    Owner,
}

impl Becomes {
    /// As it stands in a column.
    pub(crate) fn number(self) -> i64 {
        i64::from(self == Self::Owner)
    }

    /// From a column.
    pub(crate) fn of(number: i64) -> Self {
        if number == 1 {
            Self::Owner
        } else {
            Self::Administrator
        }
    }
}

/// An open invitation as the owner sees it; its link was shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// The id by which it is withdrawn.
    pub id: String,
    /// What who accepts becomes.
    pub becomes: Becomes,
    /// The departments that they will be limited to; `null` for all.
    pub limited_to: Option<Vec<String>>,
    /// When it was made.
    pub created_at: String,
    /// When it runs out.
    pub expires_at: String,
}

/// An invitation that was just made, with its link.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewInvitation {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// The secret of the link. It is told this once.
    pub link: String,
    /// The address to send on.
    pub url: String,
}

/// Makes an invitation to a register that is held.
pub(crate) async fn invite(
    app: &App,
    tx: &mut Tx,
    register: Id,
    inviter: Id,
    becomes: Becomes,
    departments: Option<String>,
) -> Result<NewInvitation> {
    let link = random::token(&*app.random, LINK_BYTES);
    let now = app.now();
    let row = InvitationRow {
        id: random::id(&*app.random).bytes().to_vec(),
        register_id: register.bytes().to_vec(),
        link_hash: token_hash(&link).to_vec(),
        becomes: becomes.number(),
        inviter_id: inviter.bytes().to_vec(),
        departments,
        created_at: now,
        expires_at: now + LINK_MS,
    };
    administrators::insert_invitation(tx, &row).await?;
    Ok(NewInvitation {
        invitation: shown(app, &row)?,
        url: format!("{}/invitations/{}", app.public_url(), *link),
        link: link.to_string(),
    })
}

/// An invitation as the owner sees it.
pub(crate) fn shown(app: &App, row: &InvitationRow) -> Result<Invitation> {
    Ok(Invitation {
        id: id_of(&row.id)?.to_string(),
        becomes: Becomes::of(row.becomes),
        limited_to: row.departments.as_deref().map(from_json).transpose()?,
        created_at: clock::rfc3339(row.created_at, &app.zone),
        expires_at: clock::rfc3339(row.expires_at, &app.zone),
    })
}
