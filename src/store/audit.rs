//! Audit events: what happened, who did it, to whom; identifiers only, never a name or a number.
use super::{Result, Tx, execute, long_rows, row, rows, statements};

statements! {
    INSERT = "insert into audit_events \
        (server, number, at, actor, action, register_id, subject, detail, mac, settled, addressed, \
        address, mac_key) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// In the place of one whose transaction was undone. Waits where that is not over yet.
    INSERT_VOID = "insert into audit_events (server, number, at, action, mac, settled, addressed, \
        mac_key) values ($1, $2, $3, $4, $5, $6, 0, $7) on conflict (server, number) do nothing";
    /// Who looked at a member: what was done to the whole list, or to that member.
    LOOKED = "select * from audit_events where register_id = $1 and at >= $2 \
        and action in ('viewed', 'searched', 'revealed_phone', 'exported') \
        and (subject is null or subject = $3) order by at desc limit $4";
    AFTER = "select * from audit_events where server = $1 and number > $2 order by number limit $3";
    ONE = "select number from audit_events where server = $1 and number = $2";
    /// Every server that wrote an entry, by one look into the index for each.
    SERVERS = "with recursive every (server) as ( \
        select server from (select server from audit_events order by server limit 1) as least \
        union all select (select e.server from audit_events e where e.server > every.server \
            order by e.server limit 1) from every where every.server is not null) \
        select server from every where server is not null";
    FORGET_ADDRESSES = "update audit_events set address = null where (server, number) in \
        (select server, number from audit_events where address is not null and at < $1 limit $2)";
    /// How often what was done on which day, at an offset from UTC.
    COUNTS = "select (at + $1) / 86400000 as day, action, count(*) as amount from audit_events \
        where at >= $2 group by 1, 2 order by 1, 2";
}

row! {
    /// An event's row.
    #[derive(Default)]
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
        /// Entries bear all of the server's numbers below this; not told by version 1.
        pub settled: Option<i64>,
        /// Whether an address was recorded.
        pub addressed: Option<i64>,
        /// Whence the actor came, sealed, until it is erased.
        pub address: Option<Vec<u8>>,
        /// By which key the MAC was made; none for the first.
        pub mac_key: Option<i64>,
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
        row.mac.as_slice(),
        row.settled,
        row.addressed,
        row.address.as_deref(),
        row.mac_key
    )?;
    Ok(())
}

/// Adds an event that says that its number bears no other, unless one does.
pub async fn insert_void(tx: &mut Tx, row: &EventRow) -> Result<()> {
    execute!(
        tx,
        INSERT_VOID,
        row.server.as_slice(),
        row.number,
        row.at,
        row.action.as_str(),
        row.mac.as_slice(),
        row.settled,
        row.mac_key
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

/// Whether there is an event of a number.
pub async fn is_there(tx: &mut Tx, server: &[u8], number: i64) -> Result<bool> {
    Ok(rows!(tx, fetch_optional, (i64,), ONE, server, number)?.is_some())
}

/// Erases addresses of events before a time; how many.
pub async fn forget_addresses(tx: &mut Tx, before: i64, limit: i64) -> Result<u64> {
    execute!(tx, FORGET_ADDRESSES, before, limit)
}

row! {
    /// How often something was done on a day.
    pub struct CountRow {
        /// Days since 1970, local.
        pub day: i64,
        /// What.
        pub action: String,
        /// How often.
        pub amount: i64,
    }
}

/// Counts events by day and action since a time; `offset` is the zone's, in milliseconds.
pub async fn counts(tx: &mut Tx, offset: i64, since: i64) -> Result<Vec<CountRow>> {
    rows!(tx, fetch_all, CountRow, COUNTS, offset, since)
}
