//! Joining: consent and match first, then a code, then one row. See also `pending_join`.
use super::{
    Actor,
    attempts::Attempt,
    audit, erasures,
    health::{self},
    join_terms::{self, TypedJoin},
    pending_join::{self, Pending},
    preview_register,
    profile::{self, Profile, Put},
    sessions::{self, How, NewSession},
    sign_in::ask_source,
    verification::{self, Begin, JoinPayload, Kind, Payload, Started},
};
use crate::{
    app::App,
    clock,
    crypto::{random, token_hash},
    erasure_list,
    error::{Error, Result},
    source::{Answer, Identity},
    store::{
        Tx,
        authorizations::{self, AuthorizationRow},
        persons,
        registers::{self, RegisterRow},
        verifications,
    },
};
use serde::Serialize;

/// How a join went on.
#[derive(Debug)]
pub enum Joining {
    /// A code was sent.
    Started(Started),
    /// The source is down: the join waits for it.
    Pending(Pending),
}

/// What was joined, with the link that ends it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Joined {
    /// The authorization.
    pub id: String,
    /// The register.
    pub register_id: String,
    /// Its organisation.
    pub organisation: String,
    /// Items consented to.
    pub items: Vec<String>,
    /// `details` or `verdict`.
    pub sharing: String,
    /// The version of the consent's text.
    pub consent_version: String,
    /// When consent was given.
    pub consented_at: String,
    /// When the member first joined.
    pub joined_at: String,
    /// The department.
    pub department: Option<String>,
    /// Ends this one authorization with one confirmation; told once.
    pub leave_url: String,
    /// The link's secret part.
    pub leave_link: String,
}

/// Begins to join: checks what was typed and consented to, matches, and sends a code.
///
/// # Errors
/// [`Error::Invalid`], [`Error::ConsentRequired`], [`Error::GuardianRequired`], those of the code
/// ([`Error::CodeReplaced`], [`Error::NotFound`], …), of matching and of sending.
pub async fn join_register(
    app: &App,
    actor: &Actor,
    code: &str,
    typed: &TypedJoin,
) -> Result<Joining> {
    let register = preview_register::find(app, actor, code).await?;
    let (identity, join) = join_terms::check(app, actor, &register, typed).await?;
    let attempt = Attempt::reserve(app, actor, &identity, false).await?;
    match ask_source(app, &identity).await {
        Ok(true) => {
            let payload = Payload {
                profile: Profile::of(&identity),
                blind: false,
                join: Some(join),
                confirmation: None,
            };
            let begin = Begin {
                kind: Kind::Join,
                identity: &identity,
                matched: true,
                payload,
                session: None,
                attempt: Some(&attempt),
            };
            verification::begin(app, actor, begin)
                .await
                .map(Joining::Started)
        }
        Ok(false) => Err(Error::IdentityMismatch {
            tries_left: attempt.tries_left,
        }),
        Err(_) => pending_join::keep(app, actor, &identity, join)
            .await
            .map(Joining::Pending),
    }
}

/// The items that are to be read once the code is right: those of this consent and of the person's
/// other live authorizations.
pub(crate) async fn items_to_read(
    app: &App,
    tx: &mut Tx,
    identity: &Identity,
    join: &JoinPayload,
) -> Result<Vec<String>> {
    let mut items = join.items.clone();
    let hashes = app.keys.document_hashes(&identity.document);
    if let Some(person) = persons::by_document(tx, &hashes).await? {
        items.extend(health::covered(app, tx, super::id_of(&person.id)?).await?);
    }
    items.sort_unstable();
    items.dedup();
    Ok(items)
}

/// Joins, in the transaction that used the code up; the session that it opens.
pub(crate) async fn complete(
    app: &App,
    actor: &Actor,
    tx: &mut Tx,
    payload: &Payload,
    answer: Option<&Answer>,
) -> Result<(Joined, NewSession)> {
    let join = payload
        .join
        .clone()
        .ok_or_else(|| Error::unexpected("a join of nothing"))?;
    let identity = payload.profile.identity(app)?;
    let put = profile::put_person(app, tx, &identity).await?;
    let person = put.id;
    if let Some(guardian) = join.guardian
        && !persons::lock(tx, guardian.bytes()).await?
    {
        return Err(Error::GuardianRequired);
    }
    let hashes = app.keys.phone_hashes(&identity.phone);
    let others = persons::count_by_phone(tx, &hashes, person.bytes()).await?;
    if others >= app.config.limits.persons_phone {
        return Err(Error::PhoneLimit);
    }
    let now = app.now();
    let link = random::token(&*app.random, 16);
    let mut row = AuthorizationRow {
        register_id: join.register.bytes().to_vec(),
        person_id: person.bytes().to_vec(),
        id: random::id(&*app.random).bytes().to_vec(),
        guardian_id: join.guardian.map(|id| id.bytes().to_vec()),
        items: join.items.join(","),
        sharing: i64::from(join.verdict_only),
        requirements_version: join.requirements_version,
        consent_version: join.consent_version.clone(),
        consented_at: now,
        department: join.department.clone(),
        joined_at: now,
        leave_hash: token_hash(&link).to_vec(),
    };
    let (id, joined_at) = authorizations::upsert(tx, &row).await?;
    let is_new = id == row.id;
    (row.id, row.joined_at) = (id, joined_at);
    if !is_new {
        // A new consent may cover less than the one before.
        let keeps = erasures::keeps(&row);
        erasures::record(app, tx, erasure_list::Kind::Narrowed, &row.id, Some(&keeps)).await?;
    }
    // Without another authorization nothing else is covered, and nobody else's list shows it.
    let alone = put.is_new.then_some(join.items.as_slice());
    health::keep(app, tx, person, answer, alone).await?;
    if let Some(pending) = &join.pending {
        verifications::delete_pending(tx, pending).await?;
    }
    let id = super::id_of(&row.id)?;
    let event = audit::Event {
        actor: join.guardian.or(Some(person)),
        from: Some(actor),
        action: if is_new { "joined" } else { "joined_again" },
        register: Some(join.register),
        subject: Some(id),
        detail: None,
    };
    audit::record(app, tx, event).await?;
    // A guardian goes on as themselves; anybody else is signed in as who joined.
    let holder = join.guardian.map_or(put, |id| Put { id, is_new: false });
    let session = sessions::open(app, tx, holder, How::Code).await?;
    let register = count_in(app, tx, &join, is_new).await?;
    let joined = Joined {
        id: id.to_string(),
        register_id: join.register.to_string(),
        organisation: register.organisation,
        items: join.items,
        sharing: join_terms::sharing_name(join.verdict_only).to_owned(),
        consent_version: join.consent_version,
        consented_at: clock::rfc3339(now, &app.zone),
        joined_at: clock::rfc3339(row.joined_at, &app.zone),
        department: join.department,
        leave_url: format!("{}/leave/{}", app.public_url(), *link),
        leave_link: link.to_string(),
    };
    Ok((joined, session))
}

/// Counts who joined, where the register still is what was consented to: a code that is replaced, a
/// register that ends or is frozen, either was so before, or waits for this join.
///
/// Comes last: the row is held until the commit, and everybody who joins the register needs it.
async fn count_in(app: &App, tx: &mut Tx, join: &JoinPayload, is_new: bool) -> Result<RegisterRow> {
    let id = join.register.bytes();
    let today = app.today().to_string();
    let open = registers::Open {
        most: app.config.limits.members_register,
        code_hash: &join.code_hash,
        today: &today,
    };
    if let Some(register) = registers::add_member(tx, id, i64::from(is_new), &open).await? {
        return Ok(register);
    }
    let register = registers::get(tx, id)
        .await?
        .filter(|register| register.code_hash == join.code_hash)
        .ok_or(Error::CodeReplaced)?;
    preview_register::check_open(app, &register)?;
    Err(Error::RegisterFull)
}
