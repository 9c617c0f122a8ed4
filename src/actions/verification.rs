//! A verification: a code goes to a phone, and who types it may do what the verification is for.
use super::{
    Actor,
    attempts::Attempt,
    limits::{self, Limit, Window},
    profile::Profile,
    sms_outcomes,
};
use crate::{
    app::App,
    clock,
    config::Purpose,
    crypto::{Place, Table, random, token_hash},
    error::{Error, Result},
    model::id::Id,
    sms::Sms,
    source::Identity,
    store::{
        Tx, sms,
        verifications::{self, VerificationRow},
    },
};
use fluent::FluentValue;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How long after its beginning a verification takes a new code, in milliseconds.
pub(crate) const RESENDABLE_MS: i64 = 30 * 60 * 1000;

/// What a verification is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Signing in.
    SignIn,
    /// Signing in to leave, and nothing else.
    SignInToLeave,
    /// Joining a register.
    Join,
    /// Confirming an action of consequence.
    Confirmation,
}

impl Kind {
    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn of(number: i64) -> Result<Self> {
        [
            Self::SignIn,
            Self::SignInToLeave,
            Self::Join,
            Self::Confirmation,
        ]
        .into_iter()
        .find(|kind| kind.number() == number)
        .ok_or_else(|| Error::unexpected("a verification's kind"))
    }

    fn text(self) -> (Purpose, &'static str) {
        match self {
            Self::SignIn => (Purpose::SignIn, "sms-sign-in"),
            Self::SignInToLeave => (Purpose::Leave, "sms-leave"),
            Self::Join => (Purpose::Join, "sms-join"),
            Self::Confirmation => (Purpose::Confirm, "sms-confirm"),
        }
    }
}

/// What was typed and consented to, sealed in the verification.
#[derive(Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) profile: Profile,
    /// Begun while the source was down: nothing in any answer tells whether it matched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) blind: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) join: Option<JoinPayload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confirmation: Option<ConfirmationPayload>,
}

/// What a join consented to.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct JoinPayload {
    pub(crate) register: Id,
    pub(crate) code_hash: Vec<u8>,
    pub(crate) items: Vec<String>,
    pub(crate) verdict_only: bool,
    pub(crate) requirements_version: i64,
    pub(crate) consent_version: String,
    pub(crate) department: Option<String>,
    pub(crate) guardian: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<Vec<u8>>,
}

/// What is to be confirmed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ConfirmationPayload {
    pub(crate) action: String,
    pub(crate) register: Option<Id>,
}

/// A verification that began.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Started {
    /// The unguessable handle.
    pub verification_id: String,
    /// Where the code went, as 138****0000.
    pub phone_masked: String,
    /// Seconds that the code lives.
    pub expires_in: i64,
    /// Seconds until another may be asked for.
    pub resend_in: i64,
}

/// What a verification begins with.
pub(crate) struct Begin<'a> {
    pub(crate) kind: Kind,
    pub(crate) identity: &'a Identity,
    /// False for a decoy: the same answer, but nobody is sent a code.
    pub(crate) matched: bool,
    pub(crate) payload: Payload,
    pub(crate) session: Option<Id>,
    /// A try to take back, since it matched.
    pub(crate) attempt: Option<&'a Attempt<'a>>,
}

/// Reserves a code's SMS in one transaction, sends it, and records what became of it.
///
/// # Errors
/// [`Error::ResendTooEarly`] and [`Error::TooManyAttempts`] change nothing;
/// [`Error::SmsNotSent`] where the gateway did not take it: a retry is allowed at once. A blind
/// verification tells neither, so that an outage of both tells nobody who is known here.
pub(crate) async fn begin(app: &App, actor: &Actor, begin: Begin<'_>) -> Result<Started> {
    let now = app.now();
    let handle = random::token(&*app.random, 16);
    let id_hash = token_hash(&handle);
    let phone_hash = gate_of(app, begin.identity, begin.payload.blind);
    let plain = Zeroizing::new(
        serde_json::to_vec(&begin.payload).map_err(|_| Error::unexpected("a payload's JSON"))?,
    );
    let mut row = VerificationRow {
        id_hash: id_hash.to_vec(),
        kind: begin.kind.number(),
        matched: i64::from(begin.matched),
        payload: app.keys.seal(&place(&id_hash, &[begin.kind as u8]), &plain),
        phone_hash: phone_hash.to_vec(),
        flow_hash: actor.flow.as_deref().map(|flow| token_hash(flow).to_vec()),
        session_id: begin.session.map(|id| id.bytes().to_vec()),
        wrong_tries: 0,
        state: 0,
        created_at: now,
        expires_at: now + app.config.limits.code_seconds * 1000,
    };
    let reserved = reserve(app, &begin, &mut row).await;
    if let (Err(_), Some(attempt)) = (&reserved, begin.attempt) {
        // Refused by a gate: the try matched, so it does not count among the mismatches.
        let mut tx = app.store.write().await?;
        attempt.give_back(app, &mut tx).await?;
        tx.commit().await?;
    }
    let reserved = reserved?;
    if let Err(error) = send(app, actor, begin.kind, begin.identity, &row, &reserved).await {
        let mut tx = app.store.write().await?;
        verifications::set(&mut tx, &id_hash, 2, 0).await?;
        tx.commit().await?;
        return Err(error);
    }
    Ok(started(app, &handle, begin.identity))
}

/// Everything that must hold before a code may go out, in one transaction.
async fn reserve(
    app: &App,
    begin: &Begin<'_>,
    row: &mut VerificationRow,
) -> Result<Option<Reserved>> {
    let mut tx = app.store.write().await?;
    if let Some(attempt) = begin.attempt {
        attempt.give_back(app, &mut tx).await?;
    }
    let to_leave = pass_gates(app, &mut tx, row, begin.identity, begin.payload.blind).await?;
    row.matched = i64::from(to_leave.is_some());
    verifications::insert(&mut tx, row).await?;
    let reserved = reserve_sms(app, &mut tx, row, begin.identity, to_leave).await?;
    count_for_site(app, &mut tx).await?;
    tx.commit().await?;
    Ok(reserved)
}

/// Sends another code for a verification. The wrong tries so far stay.
///
/// # Errors
/// [`Error::VerificationEnded`] for one that was used, ended or never was; else as for the first code.
pub async fn resend(app: &App, actor: &Actor, handle: &str) -> Result<Started> {
    let id_hash = token_hash(handle);
    let mut tx = app.store.write().await?;
    let row = verifications::lock(&mut tx, &id_hash)
        .await?
        .ok_or(Error::VerificationEnded)?;
    let now = app.now();
    if row.state != 0 || now >= row.created_at + RESENDABLE_MS || !belongs(&row, actor) {
        return Err(Error::VerificationEnded);
    }
    let kind = Kind::of(row.kind)?;
    let payload = open(app, &row)?;
    let identity = payload.profile.identity(app)?;
    let to_leave = pass_gates(app, &mut tx, &row, &identity, payload.blind).await?;
    verifications::extend(
        &mut tx,
        &id_hash,
        now + app.config.limits.code_seconds * 1000,
    )
    .await?;
    let reserved = reserve_sms(app, &mut tx, &row, &identity, to_leave).await?;
    count_for_site(app, &mut tx).await?;
    tx.commit().await?;
    send(app, actor, kind, &identity, &row, &reserved).await?;
    Ok(started(app, handle, &identity))
}

/// Whether the verification was begun by this browser and asked for by this session.
pub(crate) fn belongs(row: &VerificationRow, actor: &Actor) -> bool {
    let flow = row.flow_hash.as_deref().is_none_or(|hash| {
        actor
            .flow
            .as_deref()
            .is_some_and(|flow| crate::crypto::same(&token_hash(flow), hash))
    });
    let session = row.session_id.as_deref().is_none_or(|id| {
        actor
            .session
            .is_some_and(|session| session.id.bytes() == id)
    });
    flow && session
}

/// Opens what was typed and consented to.
pub(crate) fn open(app: &App, row: &VerificationRow) -> Result<Payload> {
    let kind = Kind::of(row.kind)?;
    let plain = app
        .keys
        .open(&place(&row.id_hash, &[kind as u8]), &row.payload)?;
    serde_json::from_slice(&plain).map_err(|_| Error::unexpected("a payload's JSON"))
}

fn place<'a>(id_hash: &'a [u8], kind: &'a [u8]) -> Place<'a> {
    Place {
        table: Table::Verifications,
        column: "payload",
        row: id_hash,
        bound: kind,
    }
}

/// The gate that an answer tells about: the phone's. A blind one's is that of the guess alone, so
/// that guesses while the source is down use up nobody's codes, and a gate that somebody else's
/// code shut tells nothing.
fn gate_of(app: &App, identity: &Identity, blind: bool) -> [u8; 32] {
    let phone = app.keys.phone_hash(&identity.phone);
    if !blind {
        return phone;
    }
    app.keys.counter_key(
        "blind",
        &[&phone, &app.keys.document_hash(&identity.document)],
    )
}

/// Passes every gate before a code. Whether it is one of those that only serve leaving; `None`
/// where no code is to go out: for a decoy, and where the phone's own gate is shut to a blind one.
async fn pass_gates(
    app: &App,
    tx: &mut Tx,
    row: &VerificationRow,
    identity: &Identity,
    blind: bool,
) -> Result<Option<bool>> {
    let mut passed = Some(pass_gate(app, tx, row, &row.phone_hash).await?);
    if row.matched == 0 {
        return Ok(None);
    }
    if blind {
        let own = app.keys.phone_hash(&identity.phone);
        passed = match pass_gate(app, tx, row, &own).await {
            Ok(to_leave) => Some(to_leave),
            Err(Error::ResendTooEarly { .. } | Error::TooManyAttempts { .. }) => None,
            Err(error) => return Err(error),
        };
    }
    Ok(passed)
}

/// Counts a code among all that the site asks its gateway for, a decoy's too. Comes last: every
/// server's codes wait for this one row until the commit.
async fn count_for_site(app: &App, tx: &mut Tx) -> Result<()> {
    let site = Limit {
        kind: "sms-site",
        of: &[],
        window: Window::Hour,
        most: app.config.limits.sms_site_hour,
    };
    limits::take(app, tx, site).await?;
    Ok(())
}

/// Whether the code was one of those that only serve leaving.
async fn pass_gate(app: &App, tx: &mut Tx, row: &VerificationRow, gate: &[u8]) -> Result<bool> {
    let most = &app.config.limits;
    let day = app.today().to_string();
    let phone_hash = gate;
    let mut gate = sms::Gate {
        phone_hash,
        verification_hash: &row.id_hash,
        now: app.now(),
        day: &day,
        to_leave: false,
        apart: most.resend_seconds * 1000,
        most: most.sms_phone,
        most_to_leave: most.sms_phone_leave,
    };
    let mut passed = sms::pass_gate(tx, &gate).await?;
    if !passed && row.kind == Kind::SignInToLeave.number() {
        gate.to_leave = true;
        passed = sms::pass_gate(tx, &gate).await?;
    }
    if !passed {
        let shut = sms::gate(tx, phone_hash).await?;
        let opens = shut
            .filter(|shut| shut.waiting == 1)
            .map(|shut| shut.last_at + gate.apart);
        if let Some(opens) = opens.filter(|opens| *opens > gate.now) {
            return Err(Error::ResendTooEarly {
                retry_after: (opens - gate.now + 999) / 1000,
            });
        }
        let midnight = clock::next_midnight(gate.now, &app.zone);
        return Err(Error::TooManyAttempts {
            retry_after: (midnight - gate.now + 999) / 1000,
            today: true,
        });
    }
    Ok(gate.to_leave)
}

/// A code whose SMS is reserved. Its digits are in memory only.
struct Reserved {
    id: Id,
    code: Zeroizing<String>,
    to_leave: bool,
}

async fn reserve_sms(
    app: &App,
    tx: &mut Tx,
    row: &VerificationRow,
    identity: &Identity,
    to_leave: Option<bool>,
) -> Result<Option<Reserved>> {
    let Some(to_leave) = to_leave else {
        return Ok(None);
    };
    let reserved = Reserved {
        id: random::id(&*app.random),
        code: random::six_digits(&*app.random),
        to_leave,
    };
    let mut salt = [0; 16];
    app.random.fill(&mut salt);
    let mac = app.keys.code_mac(&row.id_hash, &salt, &reserved.code);
    let place = Place {
        table: Table::Sms,
        column: "phone",
        row: reserved.id.bytes(),
        bound: &row.id_hash,
    };
    let new = sms::NewSms {
        id: reserved.id.bytes(),
        kind: 0,
        verification_hash: Some(&row.id_hash),
        phone: &app.keys.seal(&place, identity.phone.e164().as_bytes()),
        code_salt: Some(&salt),
        code_mac: Some(&mac),
    };
    sms::insert(tx, &new, app.now()).await?;
    Ok(Some(reserved))
}

async fn send(
    app: &App,
    actor: &Actor,
    kind: Kind,
    identity: &Identity,
    row: &VerificationRow,
    reserved: &Option<Reserved>,
) -> Result<()> {
    let Some(reserved) = reserved else {
        return Ok(());
    };
    let code = FluentValue::from(reserved.code.as_str());
    let (purpose, text) = kind.text();
    let text = Zeroizing::new(app.texts.get(actor.lang, text, &[("code", code)]));
    let message = Sms {
        id: reserved.id,
        purpose,
        language: app.texts.tag(actor.lang),
        phone: &identity.phone,
        text: &text,
        code: Some(&reserved.code),
    };
    let outcome = app.sms.send(&message).await;
    let mut tx = app.store.write().await?;
    sms_outcomes::record(app, &mut tx, reserved.id, &outcome).await?;
    if outcome.is_ok() {
        // Whoever reads the code need not wait for this: lost in a crash, it is "unknown".
        tx.commit_soon();
        return Ok(());
    }
    let own = app.keys.phone_hashes(&identity.phone);
    // The key may have been rotated since the gate was passed: one of both is it.
    for gate in &own[..1 + usize::from(own[0] != own[1])] {
        sms::refund_gate(&mut tx, gate, &row.id_hash, reserved.to_leave).await?;
    }
    tx.commit().await?;
    if own.iter().any(|own| row.phone_hash == own) {
        Err(Error::SmsNotSent)
    } else {
        // A blind one: a decoy has no SMS that could fail.
        Ok(())
    }
}

fn started(app: &App, handle: &str, identity: &Identity) -> Started {
    Started {
        verification_id: handle.to_owned(),
        phone_masked: identity.phone.masked(),
        expires_in: app.config.limits.code_seconds,
        resend_in: app.config.limits.resend_seconds,
    }
}
