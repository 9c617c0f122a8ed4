//! Joining: consent and match first, then a code, then one row. See also `pending_join`.
use super::{
    Actor,
    attempts::Attempt,
    audit,
    health::{self},
    join_terms::{self, TypedJoin},
    pending_join::{self, Pending},
    preview_register,
    profile::{self, Profile, Put},
    sign_in::ask_source,
    verification::{self, Begin, JoinPayload, Kind, Payload, Started},
};
use crate::{
    app::App,
    clock,
    crypto::{random, token_hash},
    error::{Error, Result},
    model::id::Id,
    source::{Answer, Identity},
    store::{
        Tx,
        authorizations::{self, AuthorizationRow},
        persons, registers, verifications,
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
    /// Who joined for the member, where it was not the member.
    #[serde(skip)]
    pub guardian: Option<Id>,
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

/// Joins, in the transaction that used the code up; the person too.
pub(crate) async fn complete(
    app: &App,
    tx: &mut Tx,
    payload: &Payload,
    answer: Option<&Answer>,
) -> Result<(Joined, Put)> {
    let join = payload
        .join
        .clone()
        .ok_or_else(|| Error::unexpected("a join of nothing"))?;
    // Held from here on: a code that is replaced, a register that ends or is frozen, either did so
    // before, or waits for this join.
    let register = registers::lock(tx, join.register.bytes())
        .await?
        .ok_or(Error::CodeReplaced)?;
    if register.code_hash != join.code_hash {
        return Err(Error::CodeReplaced);
    }
    preview_register::check_open(app, &register)?;
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
    let before = if put.is_new {
        None
    } else {
        authorizations::of_register_and_person(tx, join.register.bytes(), person.bytes()).await?
    };
    let most = app.config.limits.members_register;
    let new = i64::from(before.is_none());
    if !registers::add_member(tx, join.register.bytes(), new, most).await? {
        return Err(Error::RegisterFull);
    }
    let now = app.now();
    let link = random::token(&*app.random, 16);
    let mut row = AuthorizationRow {
        register_id: register.id.clone(),
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
    (row.id, row.joined_at) = authorizations::upsert(tx, &row).await?;
    // Without another authorization nothing else is covered, and nobody else's list shows it.
    let alone = put.is_new.then_some(join.items.as_slice());
    health::keep(app, tx, person, answer, alone).await?;
    if let Some(pending) = &join.pending {
        verifications::delete_pending(tx, pending).await?;
    }
    let id = super::id_of(&row.id)?;
    let event = audit::Event {
        actor: join.guardian.or(Some(person)),
        action: if before.is_none() {
            "joined"
        } else {
            "joined_again"
        },
        register: Some(join.register),
        subject: Some(id),
        detail: None,
    };
    audit::record(app, tx, event).await?;
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
        guardian: join.guardian,
    };
    Ok((joined, put))
}
