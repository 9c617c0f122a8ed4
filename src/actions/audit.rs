//! The audit event of an action, written in the action's own transaction.
use crate::{
    app::App,
    error::Result,
    model::id::Id,
    store::{Tx, audit},
};
use std::sync::atomic::Ordering;

/// What happened. Identifiers only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Event<'a> {
    /// Who did it; none for the program itself and for strangers.
    pub actor: Option<Id>,
    /// What, as a verb: `joined`, `left`, `viewed`.
    pub action: &'a str,
    /// In which register.
    pub register: Option<Id>,
    /// To whom: an authorization, or a person.
    pub subject: Option<Id>,
    /// JSON of more: counts, fields, a purpose. Never a name or number.
    pub detail: Option<&'a str>,
}

/// Writes the event with its own MAC and this server's next number, so that no writer waits for
/// another.
pub(crate) async fn record(app: &App, tx: &mut Tx, event: Event<'_>) -> Result<()> {
    let mut row = audit::EventRow {
        server: app.server.bytes().to_vec(),
        number: app.audit_number.fetch_add(1, Ordering::Relaxed),
        at: app.now(),
        actor: event.actor.map(|id| id.bytes().to_vec()),
        action: event.action.to_owned(),
        register_id: event.register.map(|id| id.bytes().to_vec()),
        subject: event.subject.map(|id| id.bytes().to_vec()),
        detail: event.detail.map(str::to_owned),
        mac: Vec::new(),
    };
    row.mac = mac_of(app, &row).to_vec();
    audit::insert(tx, &row).await?;
    Ok(())
}

/// The MAC that an event must carry.
pub(crate) fn mac_of(app: &App, row: &audit::EventRow) -> [u8; 32] {
    app.keys.audit_mac(&[
        &row.server,
        &row.number.to_be_bytes(),
        &row.at.to_be_bytes(),
        row.actor.as_deref().unwrap_or_default(),
        row.action.as_bytes(),
        row.register_id.as_deref().unwrap_or_default(),
        row.subject.as_deref().unwrap_or_default(),
        row.detail.as_deref().unwrap_or_default().as_bytes(),
    ])
}
