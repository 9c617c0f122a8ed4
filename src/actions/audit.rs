//! The audit event of an action, written in the action's own transaction.
use super::Actor;
use crate::{
    app::App,
    crypto::{Place, Table},
    error::{Error, Result},
    model::id::Id,
    store::{
        Tx,
        audit::{self, EventRow},
        audit_chain,
    },
};

/// What stands in the place of an entry whose transaction was undone.
const VOID: &str = "void";

/// What happened. Identifiers only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Event<'a> {
    /// Who did it; none for the program itself and for strangers.
    pub actor: Option<Id>,
    /// Whose request it was, for the address that is kept a while; none for the program itself.
    pub from: Option<&'a Actor>,
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
/// another. The chain comes later (`chain_audit.rs`).
pub(crate) async fn record(app: &App, tx: &mut Tx, event: Event<'_>) -> Result<()> {
    let number = app.audit_numbers.take();
    let server = app.server.bytes();
    let address = event.from.map(|actor| {
        let place = number.number().to_be_bytes();
        app.keys
            .seal(&address_place(server, &place), actor.origin().as_bytes())
    });
    let mut row = EventRow {
        server: server.to_vec(),
        number: number.number(),
        at: app.now(),
        actor: event.actor.map(|id| id.bytes().to_vec()),
        action: event.action.to_owned(),
        register_id: event.register.map(|id| id.bytes().to_vec()),
        subject: event.subject.map(|id| id.bytes().to_vec()),
        detail: event.detail.map(str::to_owned),
        mac: Vec::new(),
        settled: Some(number.settled()),
        addressed: Some(i64::from(address.is_some())),
        address,
        mac_key: Some(app.keys.audit_key()),
    };
    row.mac = made(mac_of(app, &row))?;
    let is_first = row.number == 1;
    tx.hold(number);
    audit::insert(tx, &row).await?;
    // One transaction alone has the first number, so nobody waits for anybody here.
    if is_first {
        audit_chain::announce(tx, server, row.at).await?;
    }
    Ok(())
}

/// Writes entries for the numbers whose transactions were undone, so that a number without an
/// entry is one that somebody removed.
///
/// # Errors
/// When the database fails; the numbers are remembered.
pub(crate) async fn fill_gaps(app: &App) -> Result<()> {
    let burnt = app.audit_numbers.burnt();
    let (Some(first), server) = (burnt.first(), app.server.bytes()) else {
        return Ok(());
    };
    let mut tx = app.store.write().await?;
    let mut row = EventRow {
        server: server.to_vec(),
        at: app.now(),
        action: VOID.to_owned(),
        // All before the first burnt one may still be open: nothing is claimed of them.
        settled: Some(0),
        addressed: Some(0),
        mac_key: Some(app.keys.audit_key()),
        ..EventRow::default()
    };
    for number in &burnt {
        row.number = *number;
        row.mac = made(mac_of(app, &row))?;
        audit::insert_void(&mut tx, &row).await?;
    }
    if *first == 1 {
        audit_chain::announce(&mut tx, server, row.at).await?;
    }
    tx.commit().await?;
    app.audit_numbers.settle(&burnt);
    Ok(())
}

/// A MAC by a key that was active a moment ago.
pub(crate) fn made(mac: Option<[u8; 32]>) -> Result<Vec<u8>> {
    let mac = mac.ok_or_else(|| Error::unexpected("the key of the audit log"))?;
    Ok(mac.to_vec())
}

/// The MAC that an event must carry, none where its key is not here. Whether an address was recorded is under it, the address
/// itself is not: it goes earlier, and is bound to the entry by its own seal.
pub(crate) fn mac_of(app: &App, row: &EventRow) -> Option<[u8; 32]> {
    let (number, at) = (row.number.to_be_bytes(), row.at.to_be_bytes());
    let mut parts: Vec<&[u8]> = vec![
        &row.server,
        &number,
        &at,
        row.actor.as_deref().unwrap_or_default(),
        row.action.as_bytes(),
        row.register_id.as_deref().unwrap_or_default(),
        row.subject.as_deref().unwrap_or_default(),
        row.detail.as_deref().unwrap_or_default().as_bytes(),
    ];
    let later = row.settled.zip(row.addressed);
    let later = later.map(|(settled, addressed)| {
        let absent = [
            row.actor.is_none(),
            row.register_id.is_none(),
            row.subject.is_none(),
            row.detail.is_none(),
        ];
        let absent = absent.map(u8::from);
        (settled.to_be_bytes(), addressed.to_be_bytes(), absent)
    });
    // Entries of version 1 know none of these.
    if let Some((settled, addressed, absent)) = &later {
        parts.extend([settled.as_slice(), addressed.as_slice(), absent.as_slice()]);
    }
    app.keys.audit_mac_by(row.mac_key, &parts)
}

/// Where the address of an entry stands.
pub(crate) fn address_place<'a>(server: &'a [u8], number: &'a [u8; 8]) -> Place<'a> {
    Place {
        table: Table::Audit,
        column: "address",
        row: server,
        bound: number,
    }
}
