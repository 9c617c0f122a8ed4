//! Verifying the audit log: entries, chain, numbers, and the heads that were published.
//!
//! What it proves, and what it cannot, is told in docs/adr/0011-the-audit-chain.md.
use super::{
    audit::{address_place, mac_of},
    chain_audit::{hex, link_of},
    prune_audit::{is_right, numbers_of},
};
use crate::{
    anchor::Anchor,
    app::App,
    crypto::same,
    error::Result,
    model::id::Id,
    store::{
        Tx,
        audit::{self, EventRow},
        audit_chain::{self, WalkRow},
    },
};
use std::collections::BTreeMap;

/// Entries looked at in one go.
const BATCH: i64 = 1000;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// Pruning goes on meanwhile: then it is begun anew, so often.
const TRIES: usize = 5;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Entries that are right.
    pub events: u64,
    /// Those of them that wait for the chain.
    pub waiting: u64,
    /// Entries that were pruned when their time was over.
    pub pruned: i64,
    /// Numbers that a server took with it when it was killed: nobody can tell what they were for.
    pub lost: u64,
    /// Published heads that stand.
    pub anchors: u64,
    /// The first entry that is bad, and why.
    pub first_bad: Option<Bad>,
}

/// An entry that is bad.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Bad {
    /// Its server and number, or its place in the chain.
    pub entry: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What ends a verification early.
enum Stop {
    Bad(Bad),
    Failed(crate::error::Error),
}

impl<E: Into<crate::error::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Numbers that no entry of the chain bears.
struct Gap {
    server: Vec<u8>,
    after: i64,
    before: i64,
}

struct Walk<'a> {
    app: &'a App,
    found: Verified,
    anchors: std::iter::Peekable<std::slice::Iter<'a, Anchor>>,
    position: i64,
    link: Vec<u8>,
    /// The last number of each server.
    last: BTreeMap<Vec<u8>, i64>,
    /// Below what all of a server's numbers must have entries.
    settled: BTreeMap<Vec<u8>, i64>,
    gaps: Vec<Gap>,
    /// The key of the last link: none after it is by an older one.
    link_key: Option<i64>,
    keys: KeysOfEntries,
}

/// Which keys entries may still be by. Servers go over to a new key within seconds, and what was
/// written before gets chained within minutes; who had the old key a day later has no use for it.
#[derive(Default)]
struct KeysOfEntries {
    newest: Option<i64>,
    /// When the first entry by it was written.
    since: i64,
    /// No older key than this.
    oldest: Option<i64>,
}

impl KeysOfEntries {
    fn may_be_by(&mut self, event: &EventRow) -> bool {
        if event.mac_key > self.newest {
            (self.newest, self.since) = (event.mac_key, event.at);
        } else if event.mac_key == self.newest && event.at > self.since + DAY {
            self.oldest = self.newest;
        }
        event.mac_key >= self.oldest
    }
}

/// Checks everything, in the order of the chain. `anchors` are sorted by their entries.
///
/// # Errors
/// When the database fails. A bad entry is in the answer.
pub async fn verify_audit(app: &App, anchors: &[Anchor]) -> Result<Verified> {
    let mut tried = 0;
    loop {
        tried += 1;
        let mut tx = app.store.read().await?;
        let from = audit_chain::checkpoint(&mut tx).await?.map(|row| row.mac);
        let verified = verify(app, &mut tx, anchors).await?;
        let to = audit_chain::checkpoint(&mut tx).await?.map(|row| row.mac);
        if verified.first_bad.is_none() || from == to || tried == TRIES {
            return Ok(verified);
        }
    }
}

async fn verify(app: &App, tx: &mut Tx, anchors: &[Anchor]) -> Result<Verified> {
    let mut walk = Walk {
        app,
        found: Verified::default(),
        anchors: anchors.iter().peekable(),
        position: 0,
        link: Vec::new(),
        last: BTreeMap::new(),
        settled: BTreeMap::new(),
        gaps: Vec::new(),
        link_key: None,
        keys: KeysOfEntries::default(),
    };
    match walk.all(tx).await {
        Ok(()) => {}
        Err(Stop::Bad(bad)) => walk.found.first_bad = Some(bad),
        Err(Stop::Failed(error)) => return Err(error),
    }
    Ok(walk.found)
}

impl Walk<'_> {
    async fn all(&mut self, tx: &mut Tx) -> std::result::Result<(), Stop> {
        self.begin(tx).await?;
        loop {
            let rows = audit_chain::walk(tx, self.position, BATCH).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                self.place(row)?;
            }
        }
        if self.anchors.peek().is_some() {
            let next = format!("#{}", self.position + 1);
            return Err(bad(next, "was published and is gone"));
        }
        self.waiting(tx).await?;
        self.numbers(tx).await
    }

    /// From the checkpoint, where there is one.
    async fn begin(&mut self, tx: &mut Tx) -> std::result::Result<(), Stop> {
        let Some(row) = audit_chain::checkpoint(tx).await? else {
            return Ok(());
        };
        if !is_right(self.app, &row) {
            return Err(bad(
                format!("#{}", row.position),
                "is a checkpoint that was changed",
            ));
        }
        for (server, number) in numbers_of(&row)? {
            if let Some(server) = Id::parse(&server) {
                self.last.insert(server.bytes().to_vec(), number);
            }
        }
        self.found.pruned = row.position;
        self.position = row.position;
        self.link = row.link;
        while self
            .anchors
            .next_if(|anchor| anchor.entries < self.position)
            .is_some()
        {}
        self.anchored()
    }

    /// One place of the chain.
    fn place(&mut self, row: WalkRow) -> std::result::Result<(), Stop> {
        let entry = name(&row.chain_server, row.chain_number);
        if row.position != self.position + 1 {
            return Err(bad(
                format!("#{}", self.position + 1),
                "is gone from the chain",
            ));
        }
        let (link, key) = (row.link.clone(), row.link_key);
        let Some(event) = row.event() else {
            return Err(bad(entry, "was removed"));
        };
        self.entry(&event)?;
        self.position += 1;
        if key < self.link_key {
            return Err(bad(entry, "is linked by a key that was put aside"));
        }
        self.link_key = key;
        let right = link_of(self.app, key, &self.link, self.position, &event);
        if !right.is_some_and(|right| same(&right, &link)) {
            return Err(bad(entry, "is not linked to the entry before"));
        }
        self.link = link;
        self.anchored()
    }

    /// Whether the heads that were published at this place are this one.
    fn anchored(&mut self) -> std::result::Result<(), Stop> {
        while let Some(anchor) = self.anchors.next_if(|one| one.entries == self.position) {
            if anchor.head != hex(&self.link) {
                return Err(bad(
                    format!("#{}", self.position),
                    "is not what was published",
                ));
            }
            self.found.anchors += 1;
        }
        Ok(())
    }

    /// What an entry says of itself, and its number after the one before.
    fn entry(&mut self, event: &EventRow) -> std::result::Result<(), Stop> {
        let entry = || name(&event.server, event.number);
        if !mac_of(self.app, event).is_some_and(|mac| same(&mac, &event.mac)) {
            return Err(bad(entry(), "was changed"));
        }
        if !self.keys.may_be_by(event) {
            return Err(bad(entry(), "is by a key that was put aside"));
        }
        let number = event.number.to_be_bytes();
        let place = address_place(&event.server, &number);
        match (&event.address, event.addressed) {
            (Some(sealed), Some(1)) if self.app.keys.open(&place, sealed).is_ok() => {}
            (Some(_), _) => return Err(bad(entry(), "has an address that was changed")),
            (None, Some(1)) if self.app.now() - event.at < self.keeps_addresses() => {
                return Err(bad(entry(), "has lost its address before the time"));
            }
            (None, _) => {}
        }
        let last = self.last.entry(event.server.clone()).or_insert(0);
        if event.number > *last + 1 {
            self.gaps.push(Gap {
                server: event.server.clone(),
                after: *last,
                before: event.number,
            });
        }
        if event.number <= *last {
            return Err(bad(entry(), "stands after a later one of its server"));
        }
        *last = event.number;
        let settled = self.settled.entry(event.server.clone()).or_insert(0);
        *settled = (*settled).max(event.settled.unwrap_or(0));
        self.found.events += 1;
        Ok(())
    }

    /// The job that erases addresses comes about once a minute; a day is more than it needs.
    fn keeps_addresses(&self) -> i64 {
        (self.app.config.audit.keep_addresses_days - 1) * DAY
    }

    /// Entries that are not in the chain yet.
    async fn waiting(&mut self, tx: &mut Tx) -> std::result::Result<(), Stop> {
        let chained = self.last.clone();
        for (server,) in audit::servers(tx).await? {
            let mut after = chained.get(&server).copied().unwrap_or(0);
            loop {
                let events = audit::after(tx, &server, after, BATCH).await?;
                let Some(last) = events.last() else { break };
                after = last.number;
                for event in &events {
                    self.entry(event)?;
                    self.found.waiting += 1;
                }
            }
        }
        Ok(())
    }

    /// What the gaps between numbers are.
    async fn numbers(&mut self, tx: &mut Tx) -> std::result::Result<(), Stop> {
        for gap in std::mem::take(&mut self.gaps) {
            let settled = self.settled.get(&gap.server).copied().unwrap_or(0);
            for number in gap.after + 1..gap.before.min(settled) {
                // It may have been committed since its neighbours were read.
                if !audit::is_there(tx, &gap.server, number).await? {
                    return Err(bad(name(&gap.server, number), "was removed"));
                }
            }
            let left_out = audit_chain::left_out(tx, &gap.server, gap.after, gap.before).await?;
            let chained = audit_chain::last_of(tx, &gap.server).await?;
            if let Some(number) = left_out.filter(|_| gap.before <= chained) {
                return Err(bad(name(&gap.server, number), "was left out of the chain"));
            }
            let open = gap.before - gap.after.max(settled - 1) - 1;
            self.found.lost += u64::try_from(open).unwrap_or(0);
        }
        Ok(())
    }
}

fn bad(entry: String, why: &'static str) -> Stop {
    Stop::Bad(Bad { entry, why })
}

/// An entry's name: its server and number.
fn name(server: &[u8], number: i64) -> String {
    match Id::from_slice(server) {
        Some(server) => format!("{server}/{number}"),
        None => format!("{}/{number}", hex(server)),
    }
}
