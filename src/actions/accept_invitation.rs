//! Whoever has the link of an invitation sees what it is for, and accepts after a sign-in of their
//! own: a match and a code. One transaction, and of two at once one wins.
use super::{
    Actor, Session,
    audit::{self, Event},
    has_ended, id_of,
    invitation::Becomes,
    invite_administrator::has_room,
    limits::{self, Limit, Window},
    profile,
    register_terms::from_json,
};
use crate::{
    app::App,
    clock,
    crypto::token_hash,
    error::{Error, Result},
    model::{division, id::Id},
    store::{
        Tx,
        administrators::{self, InvitationRow},
        persons,
        registers::{self, AdministratorRow, RegisterRow},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// What the link of an invitation shows to whoever has it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShownInvitation {
    /// The organisation's name, the owner's own word.
    pub organisation: String,
    /// Whether the operator vouched for that name.
    pub vouched: bool,
    /// The street's whole name.
    pub street: String,
    /// What the information is for.
    pub purpose: String,
    /// What who accepts becomes.
    pub becomes: Becomes,
    /// The departments that they will be limited to; `null` for all.
    pub limited_to: Option<Vec<String>>,
    /// The owner who invites, masked; the person is verified.
    pub invited_by_masked: String,
    /// When it runs out.
    pub expires_at: String,
}

/// What somebody became by accepting.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// The register.
    pub register_id: String,
    /// Its organisation.
    pub organisation: String,
    /// `owner` or `administrator`.
    pub role: Becomes,
    /// The departments that the administrator is limited to; `null` for all.
    pub limited_to: Option<Vec<String>>,
}

/// Shows an open invitation.
///
/// # Errors
/// [`Error::InvitationEnded`] for one that was used, withdrawn or replaced, that ran out or never
/// was, whose inviter is not the owner any more, or whose register has ended;
/// [`Error::TooManyAttempts`] beyond the previews of an address.
pub async fn show_invitation(app: &App, actor: &Actor, link: &str) -> Result<ShownInvitation> {
    let address = actor.origin();
    let previews = Limit {
        kind: "previews",
        of: &[address.as_bytes()],
        window: Window::Minute,
        most: app.config.limits.previews_address,
    };
    limits::take_alone(app, previews).await?;
    let mut tx = app.store.read().await?;
    let row = administrators::invitation(&mut tx, &token_hash(link), app.now())
        .await?
        .ok_or(Error::InvitationEnded)?;
    let register = registers::get(&mut tx, &row.register_id).await?;
    let (register, owner) = standing(app, &mut tx, &row, register).await?;
    let owner = profile::of_person(app, &mut tx, id_of(&owner.person_id)?).await?;
    Ok(ShownInvitation {
        vouched: register.vouched != 0,
        street: division::full_name(&register.street_code),
        becomes: Becomes::of(row.becomes),
        limited_to: row.departments.as_deref().map(from_json).transpose()?,
        invited_by_masked: owner.map(|own| own.name.masked()).unwrap_or_default(),
        expires_at: clock::rfc3339(row.expires_at, &app.zone),
        organisation: register.organisation,
        purpose: register.purpose,
    })
}

/// The register of an invitation that still stands, and its owner, who made it.
async fn standing(
    app: &App,
    tx: &mut Tx,
    row: &InvitationRow,
    register: Option<RegisterRow>,
) -> Result<(RegisterRow, AdministratorRow)> {
    let register = register
        .filter(|register| !has_ended(app, register))
        .ok_or(Error::InvitationEnded)?;
    let owner = registers::owner(tx, &register.id)
        .await?
        .filter(|owner| owner.person_id == row.inviter_id)
        .ok_or(Error::InvitationEnded)?;
    Ok((register, owner))
}

/// Accepts: the actor becomes an administrator or the owner. Who is an administrator already and
/// is invited as one changes departments alone.
///
/// # Errors
/// [`Error::NotSignedIn`], also for a session that only serves leaving; those of
/// [`show_invitation`]; [`Error::Conflict`] with `own_invitation` for the owner, who made it;
/// [`Error::TooManyAdministrators`]; [`Error::TooManyRegisters`]. Whatever refuses leaves the
/// invitation open.
pub async fn accept_invitation(app: &App, actor: &Actor, link: &str) -> Result<Accepted> {
    let session = actor.fully_signed_in()?;
    let hash = token_hash(link);
    super::retried(|| accept(app, session, &hash)).await
}

async fn accept(app: &App, session: Session, hash: &[u8]) -> Result<Accepted> {
    let mut tx = app.store.write().await?;
    let now = app.now();
    let person = session.person;
    let found = administrators::invitation(&mut tx, hash, now)
        .await?
        .ok_or(Error::InvitationEnded)?;
    // Held: who hands over, removes, withdraws or accepts at the same register comes before or after.
    let register = registers::lock(&mut tx, &found.register_id).await?;
    // Held too: two acceptances at once cannot both be somebody's last register, and nobody is
    // erased while they become an administrator.
    if !persons::lock(&mut tx, person.bytes()).await? {
        return Err(Error::NotSignedIn);
    }
    let row = administrators::take_invitation(&mut tx, hash, now)
        .await?
        .ok_or(Error::InvitationEnded)?;
    let (register, owner) = standing(app, &mut tx, &row, register).await?;
    if owner.person_id == person.bytes() {
        return Err(Error::Conflict("own_invitation"));
    }
    let was = registers::administrator(&mut tx, &register.id, person.bytes()).await?;
    if was.is_none() {
        add(app, &mut tx, &register, person, &row).await?;
    }
    let becomes = Becomes::of(row.becomes);
    let action = match (becomes, &was) {
        (Becomes::Owner, _) => {
            take_over(&mut tx, register.clone(), &owner, person, now).await?;
            "took_over"
        }
        (Becomes::Administrator, None) => "became_administrator",
        (Becomes::Administrator, Some(_)) => {
            let departments = row.departments.as_deref();
            administrators::set_departments(&mut tx, &register.id, person.bytes(), departments)
                .await?;
            "changed_departments"
        }
    };
    let event = Event {
        actor: Some(person),
        action,
        register: Some(id_of(&register.id)?),
        subject: Some(id_of(&row.id)?),
        ..Event::default()
    };
    audit::record(app, &mut tx, event).await?;
    tx.commit().await?;
    Ok(Accepted {
        register_id: id_of(&register.id)?.to_string(),
        organisation: register.organisation,
        role: becomes,
        limited_to: row.departments.as_deref().map(from_json).transpose()?,
    })
}

/// Adds a new administrator, where both the register and the person have room for it.
async fn add(
    app: &App,
    tx: &mut Tx,
    register: &RegisterRow,
    person: Id,
    row: &InvitationRow,
) -> Result<()> {
    has_room(app, tx, id_of(&register.id)?, 0).await?;
    let own = registers::count_of_administrator(tx, person.bytes()).await?;
    if own >= app.config.limits.registers_administrator {
        return Err(Error::TooManyRegisters);
    }
    let id = crate::crypto::random::id(&*app.random);
    registers::insert_administrator(
        tx,
        id.bytes(),
        &register.id,
        person.bytes(),
        0,
        row.departments.as_deref(),
        app.now(),
    )
    .await?;
    Ok(())
}

/// One owner goes and the other comes: what the former one offered is over, and so is the former
/// one's title, which members read beside the owner's name.
async fn take_over(
    tx: &mut Tx,
    mut register: RegisterRow,
    former: &AdministratorRow,
    new: Id,
    now: i64,
) -> Result<()> {
    administrators::set_role(tx, &register.id, &former.person_id, 0, now).await?;
    administrators::set_role(tx, &register.id, new.bytes(), 1, now).await?;
    administrators::delete_invitations(tx, &register.id).await?;
    register.administrator_title = None;
    registers::update(tx, &register).await?;
    Ok(())
}
