//! The audit log's chain: places, links, and how far it was pruned.
use super::{Result, Tx, audit::EventRow, execute, long_rows, row, rows, statements};

statements! {
    ANNOUNCE = "insert into audit_servers (server, seen_at) values ($1, $2) \
        on conflict (server) do update set seen_at = excluded.seen_at";
    /// Servers seen of late that have entries beyond their last in the chain.
    WAITING = "select s.server, coalesce((select max(c.number) from audit_chain c \
            where c.server = s.server), 0) as chained \
        from audit_servers s where s.seen_at >= $1 and exists (select 1 from audit_events e \
            where e.server = s.server and e.number > coalesce((select max(c.number) \
                from audit_chain c where c.server = s.server), 0)) \
        order by s.server";
    LAST_OF = "select coalesce(max(number), 0) from audit_chain where server = $1";
    APPEND = "insert into audit_chain (position, server, number, link, mac_key) \
        values ($1, $2, $3, $4, $5)";
    HEAD = "select position, server, number, link, mac_key from audit_chain \
        order by position desc limit 1";
    /// Places after one, with what stands in the log for them.
    WALK = "select c.position, c.link, c.server as chain_server, c.number as chain_number, \
            e.at, e.actor, e.action, e.register_id, e.subject, e.detail, e.mac, e.settled, \
            e.addressed, e.address, e.mac_key, c.mac_key as link_key \
        from audit_chain c left join audit_events e on e.server = c.server and e.number = c.number \
        where c.position > $1 order by c.position limit $2";
    /// The first entry that was left out although a later one of its server is in the chain.
    LEFT_OUT = "select e.number from audit_events e where e.server = $1 and e.number > $2 \
        and e.number < $3 and not exists (select 1 from audit_chain c \
            where c.server = e.server and c.number = e.number) order by e.number limit 1";
    CHECKPOINT = "select position, link, numbers, at, mac, mac_key from audit_checkpoint where id = 1";
    SET_CHECKPOINT = "insert into audit_checkpoint (id, position, link, numbers, at, mac, mac_key) \
        values (1, $1, $2, $3, $4, $5, $6) on conflict (id) do update set \
        position = excluded.position, link = excluded.link, numbers = excluded.numbers, \
        at = excluded.at, mac = excluded.mac, mac_key = excluded.mac_key";
    /// The key of the first link that is left: later ones are by it or by later keys.
    FIRST_KEY = "select coalesce(mac_key, $1) from audit_chain order by position limit 1";
    /// Looks through the whole log.
    NAMES_KEY = "select count(*) from (select 1 from audit_events \
        where coalesce(mac_key, $2) = $1 limit 1) as e";
    PRUNE_EVENTS = "delete from audit_events where (server, number) in \
        (select server, number from audit_chain where position <= $1)";
    PRUNE_CHAIN = "delete from audit_chain where position <= $1";
    LEFT = "select s.server from audit_servers s where s.seen_at >= $1 or exists \
        (select 1 from audit_events e where e.server = s.server)";
    PRUNE_SERVERS = "delete from audit_servers where seen_at < $1 and not exists \
        (select 1 from audit_events e where e.server = audit_servers.server)";
}

row! {
    /// A place in the chain.
    pub struct LinkRow {
        /// Its number from 1.
        pub position: i64,
        /// Whose entry.
        pub server: Vec<u8>,
        /// That server's number for it.
        pub number: i64,
        /// The MAC over the link before and the entry.
        pub link: Vec<u8>,
        /// By which key it was made; none for the first.
        pub mac_key: Option<i64>,
    }
}

row! {
    /// A place and what stands in the log for it; `mac` is null where the entry is gone.
    pub struct WalkRow {
        /// The place.
        pub position: i64,
        /// Its link.
        pub link: Vec<u8>,
        /// Whose entry.
        pub chain_server: Vec<u8>,
        /// That server's number for it.
        pub chain_number: i64,
        /// The entry's columns.
        pub at: Option<i64>,
        /// Who.
        pub actor: Option<Vec<u8>>,
        /// What.
        pub action: Option<String>,
        /// In which register.
        pub register_id: Option<Vec<u8>>,
        /// To whom.
        pub subject: Option<Vec<u8>>,
        /// More.
        pub detail: Option<String>,
        /// The entry's MAC.
        pub mac: Option<Vec<u8>>,
        /// What it tells of the numbers before.
        pub settled: Option<i64>,
        /// Whether an address was recorded.
        pub addressed: Option<i64>,
        /// The sealed address.
        pub address: Option<Vec<u8>>,
        /// By which key the entry's MAC was made.
        pub mac_key: Option<i64>,
        /// By which key the link was made.
        pub link_key: Option<i64>,
    }
}

impl WalkRow {
    /// The entry that stands at the place; none where it is gone.
    #[must_use]
    pub fn event(self) -> Option<EventRow> {
        Some(EventRow {
            server: self.chain_server,
            number: self.chain_number,
            at: self.at?,
            actor: self.actor,
            action: self.action?,
            register_id: self.register_id,
            subject: self.subject,
            detail: self.detail,
            mac: self.mac?,
            settled: self.settled,
            addressed: self.addressed,
            address: self.address,
            mac_key: self.mac_key,
        })
    }
}

row! {
    /// How far the chain was pruned.
    pub struct CheckpointRow {
        /// The last place that was pruned.
        pub position: i64,
        /// Its link.
        pub link: Vec<u8>,
        /// JSON: the last pruned number of each server that has entries left.
        pub numbers: String,
        /// When.
        pub at: i64,
        /// The MAC over all of it.
        pub mac: Vec<u8>,
        /// By which key it was made; none for the first.
        pub mac_key: Option<i64>,
    }
}

/// Says that a server has something for the chain.
pub async fn announce(tx: &mut Tx, server: &[u8], at: i64) -> Result<()> {
    execute!(tx, ANNOUNCE, server, at)?;
    Ok(())
}

/// Servers seen since a time that have entries beyond the chain, and their last number in it.
pub async fn waiting(tx: &mut Tx, seen_since: i64) -> Result<Vec<(Vec<u8>, i64)>> {
    rows!(tx, fetch_all, (Vec<u8>, i64), WAITING, seen_since)
}

/// A server's last number in the chain; 0 where it has none.
pub async fn last_of(tx: &mut Tx, server: &[u8]) -> Result<i64> {
    Ok(rows!(tx, fetch_one, (i64,), LAST_OF, server)?.0)
}

/// Adds a place to the chain.
pub async fn append(tx: &mut Tx, row: &LinkRow) -> Result<()> {
    execute!(
        tx,
        APPEND,
        row.position,
        row.server.as_slice(),
        row.number,
        row.link.as_slice(),
        row.mac_key
    )?;
    Ok(())
}

/// The chain's last place.
pub async fn head(tx: &mut Tx) -> Result<Option<LinkRow>> {
    rows!(tx, fetch_optional, LinkRow, HEAD)
}

/// The places after one, in order.
pub async fn walk(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<WalkRow>> {
    rows!(tx, fetch_all, WalkRow, WALK, after, limit)
}

/// The first of a server's numbers between two that the chain leaves out.
pub async fn left_out(tx: &mut Tx, server: &[u8], from: i64, to: i64) -> Result<Option<i64>> {
    let row = rows!(tx, fetch_optional, (i64,), LEFT_OUT, server, from, to)?;
    Ok(row.map(|(number,)| number))
}

/// How far the chain was pruned.
pub async fn checkpoint(tx: &mut Tx) -> Result<Option<CheckpointRow>> {
    rows!(tx, fetch_optional, CheckpointRow, CHECKPOINT)
}

/// Whether an entry, a link or the checkpoint names a key. `first` is the key of those that name none.
pub async fn names_key(tx: &mut Tx, key: i64, first: i64) -> Result<bool> {
    let by = |named: Option<i64>| named.unwrap_or(first) <= key;
    let link = rows!(tx, fetch_optional, (i64,), FIRST_KEY, first)?;
    let checkpoint = checkpoint(tx).await?;
    if link.is_some_and(|(link,)| link <= key) || checkpoint.is_some_and(|row| by(row.mac_key)) {
        return Ok(true);
    }
    let (entries,) = long_rows!(tx, fetch_one, (i64,), NAMES_KEY, key, first)?;
    Ok(entries > 0)
}

/// Deletes entries and places up to one.
pub async fn prune(tx: &mut Tx, position: i64) -> Result<()> {
    execute!(tx, PRUNE_EVENTS, position)?;
    execute!(tx, PRUNE_CHAIN, position)?;
    Ok(())
}

/// Records how far the chain is pruned.
pub async fn set_checkpoint(tx: &mut Tx, row: &CheckpointRow) -> Result<()> {
    execute!(
        tx,
        SET_CHECKPOINT,
        row.position,
        row.link.as_slice(),
        row.numbers.as_str(),
        row.at,
        row.mac.as_slice(),
        row.mac_key
    )?;
    Ok(())
}

/// Servers that have entries, or said since a time that they are alive.
pub async fn left(tx: &mut Tx, seen_since: i64) -> Result<Vec<(Vec<u8>,)>> {
    rows!(tx, fetch_all, (Vec<u8>,), LEFT, seen_since)
}

/// Forgets servers of which nothing is left.
pub async fn forget_servers(tx: &mut Tx, seen_before: i64) -> Result<()> {
    execute!(tx, PRUNE_SERVERS, seen_before)?;
    Ok(())
}
