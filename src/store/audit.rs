//! Audit events: what happened, who did it, to whom; identifiers only, never a name or a number.
use super::{Result, Tx, execute, long_rows, row, statements};

statements! {
    INSERT = "insert into audit_events (server, number, at, actor, action, register_id, subject, detail, mac) \
              values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    /// Who looked at a member: what was done to the whole list, or to that member.
    LOOKED = "select * from audit_events where register_id = $1 and at >= $2 \
        and action in ('viewed', 'searched', 'revealed_phone', 'exported') \
        and (subject is null or subject = $3) order by at desc limit $4";
    AFTER = "select * from audit_events where server = $1 and number > $2 order by number limit $3";
    SERVERS = "select distinct server from audit_events";
}

row! {
    /// An event's row.
    pub struct EventRow {
        /// The server that wrote it.
        pub server: Vec<u8>,
        /// That server's number for it.
        pub number: i64,
        /// When.
        pub at: i64,
        /// Who.
        pub actor: Option<Vec<u8>>,
        /// What.
        pub action: String,
        /// In which register.
        pub register_id: Option<Vec<u8>>,
        /// To whom: an authorization or a person.
        pub subject: Option<Vec<u8>>,
        /// JSON of more, never personal.
        pub detail: Option<String>,
        /// The event's own MAC.
        pub mac: Vec<u8>,
    }
}

/// Adds an event.
pub async fn insert(tx: &mut Tx, row: &EventRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        row.server.as_slice(),
        row.number,
        row.at,
        row.actor.as_deref(),
        row.action.as_str(),
        row.register_id.as_deref(),
        row.subject.as_deref(),
        row.detail.as_deref(),
        row.mac.as_slice()
    )?;
    Ok(())
}

/// Who looked at a member since a time, newest first.
pub async fn looked(
    tx: &mut Tx,
    register: &[u8],
    since: i64,
    member: &[u8],
    limit: i64,
) -> Result<Vec<EventRow>> {
    long_rows!(
        tx, fetch_all, EventRow, LOOKED, register, since, member, limit
    )
}

/// A server's events after a number, in order.
pub async fn after(tx: &mut Tx, server: &[u8], number: i64, limit: i64) -> Result<Vec<EventRow>> {
    long_rows!(tx, fetch_all, EventRow, AFTER, server, number, limit)
}

/// The servers that wrote events.
pub async fn servers(tx: &mut Tx) -> Result<Vec<(Vec<u8>,)>> {
    long_rows!(tx, fetch_all, (Vec<u8>,), SERVERS)
}
