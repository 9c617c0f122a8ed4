//! What a register's list shows at a moment: packed entries, counts and filters. Never a name, a
//! document or a phone.
mod entry;
mod wanted;

use entry::entry;
pub use entry::reading;
use wanted::in_departments;
pub use wanted::{Cursor, Filter, Sort, WantedVerdict};

use super::{
    health::{FRESH_FOR_MS, ItemRecord, ItemState, Items, Kind, Reading, TestResult},
    id::Id,
    requirement::{Requirement, Rule, Verdict},
};
use jiff::{civil::Date, tz::TimeZone};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, OnceLock},
};

/// A day of which no more is told than "four or more".
const DAYS_LUMPED: i32 = 4;

/// A member as the database holds them, the snapshot opened.
#[derive(Debug)]
pub struct Source {
    /// The authorization: the member's id in this register.
    pub id: Id,
    /// The person.
    pub person: Id,
    /// The items consented to.
    pub consented: Vec<String>,
    /// Whether only the verdict is shared.
    pub verdict_only: bool,
    /// The requirements consented to.
    pub requirements_version: i64,
    /// The department.
    pub department: Option<Arc<str>>,
    /// When the member joined, in milliseconds.
    pub joined_at: i64,
    /// What was read.
    pub items: Items,
    /// When and how.
    pub reading: Reading,
}

/// One item of one member, as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Whether there is a value, and if not, why not.
    pub state: ItemState,
    /// The value, in state `ok`.
    pub record: Option<ItemRecord>,
    /// Days since a negative test or the last dose.
    pub days: Option<i32>,
}

/// One member, as the list shows them.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The member's id in this register.
    pub id: Id,
    /// The person, for opening the profile.
    pub person: Id,
    /// The department.
    pub department: Option<Arc<str>>,
    /// When the member joined, in milliseconds.
    pub joined_at: i64,
    /// When the data was read from the source, in milliseconds.
    pub data_time: Option<i64>,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether the verdict would be another tomorrow; `None` where only the verdict is shared.
    pub expires_tomorrow: Option<bool>,
    /// Indexes of the items that fail; none where only the verdict is shared.
    pub failing: Box<[u8]>,
    /// The version of the requirements that the row is judged by.
    pub judged_by: i64,
    /// The register's items in order.
    pub items: Box<[Shown]>,
    /// The sealed profile, once the member was shown.
    pub profile: OnceLock<Box<[u8]>>,
    /// What is shown beside the profile, as JSON, once it was.
    pub json: OnceLock<Box<str>>,
}

/// What a register asks and requires, for building its view.
#[derive(Debug)]
pub struct Terms {
    /// The items, in the register's order, with their kinds.
    pub items: Vec<(String, Kind)>,
    /// Every version of the requirements.
    pub requirements: BTreeMap<i64, Vec<Requirement>>,
    /// The date of each version, as it is shown.
    pub judged_on: BTreeMap<i64, String>,
    /// The version in force.
    pub version: i64,
}

/// How the readings of the whole database went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Readings {
    /// When the last that read everybody began, in milliseconds.
    pub read_at: Option<i64>,
    /// Since when the source has not been reached.
    pub failing_since: Option<i64>,
}

/// The moment for which a view holds.
#[derive(Debug)]
pub struct Moment {
    /// Milliseconds since the epoch.
    pub now: i64,
    /// The local date.
    pub today: Date,
    /// When that date ends, in milliseconds.
    pub midnight: i64,
    /// The zone.
    pub zone: TimeZone,
}

/// The list of a register at a moment, sorted by what needs action first.
#[derive(Debug)]
pub struct View {
    /// The register's version that it was made from.
    pub version: i64,
    /// The shards' version that it was made from.
    pub shards: i64,
    /// When it was made.
    pub made_at: i64,
    /// From when on something in it would read otherwise: midnight, or a value growing old.
    pub holds_until: i64,
    /// The register's items.
    pub items: Vec<(String, Kind)>,
    /// Days that a test may be old before it is overdue, by item index.
    pub max_days: Vec<Option<u16>>,
    /// The date of each version of the requirements, as it is shown.
    pub judged_on: BTreeMap<i64, String>,
    /// How the readings went.
    pub readings: Readings,
    entries: Vec<Entry>,
    counts: OnceLock<Counts>,
}

impl View {
    /// Makes the view.
    #[must_use]
    pub fn make(
        terms: Terms,
        members: Vec<Source>,
        moment: &Moment,
        (version, shards): (i64, i64),
        readings: Readings,
    ) -> Self {
        let mut holds_until = moment.midnight;
        for member in &members {
            if let Some(read_at) = member.reading.read_at {
                let old_at = read_at.saturating_add(FRESH_FOR_MS);
                if old_at > moment.now {
                    holds_until = holds_until.min(old_at);
                }
            }
        }
        let mut entries: Vec<Entry> = members
            .into_iter()
            .map(|member| entry(&terms, member, moment))
            .collect();
        entries.sort_unstable_by_key(|entry| entry.cursor(Sort::Verdict));
        let max_days = terms
            .items
            .iter()
            .map(|(item, _)| {
                terms
                    .requirements
                    .get(&terms.version)?
                    .iter()
                    .find_map(|requirement| match requirement.rule {
                        Rule::MaxDays(days) if requirement.item == *item => Some(days),
                        _ => None,
                    })
            })
            .collect();
        Self {
            version,
            shards,
            made_at: moment.now,
            holds_until,
            items: terms.items,
            max_days,
            judged_on: terms.judged_on,
            readings,
            entries,
            counts: OnceLock::new(),
        }
    }

    /// Whether it still says what is.
    #[must_use]
    pub fn holds(&self, version: i64, shards: i64, now: i64) -> bool {
        self.version == version
            && self.shards == shards
            && (self.made_at..self.holds_until).contains(&now)
    }

    /// How many members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The memory that it takes once everybody was shown, roughly, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        const PROFILE: usize = 160;
        const JSON: usize = 600;
        let member = size_of::<Entry>() + self.items.len() * size_of::<Shown>() + PROFILE + JSON;
        size_of::<Self>() + self.entries.len() * member
    }

    /// Whether nobody has joined.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry at a place.
    ///
    /// # Panics
    /// Where there is no such place.
    #[must_use]
    pub fn at(&self, place: usize) -> &Entry {
        &self.entries[place]
    }

    /// A member's entry.
    #[must_use]
    pub fn get(&self, id: Id) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Every entry, those needing action first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The places of at most `limit` entries that pass the filter, after a cursor, and whether more
    /// follow.
    #[must_use]
    pub fn page(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<Cursor>,
        limit: usize,
        also: impl Fn(&Entry) -> bool,
    ) -> (Vec<usize>, Option<Cursor>) {
        let passes =
            |at: &usize| filter.passes(self, &self.entries[*at]) && also(&self.entries[*at]);
        let place = |at: usize| self.entries[at].cursor(sort);
        let judged = self.judged(filter);
        let mut found: Vec<usize> = if sort == Sort::Verdict {
            let start = after.map_or(0, |after| {
                self.entries
                    .partition_point(|entry| entry.cursor(sort) <= after)
            });
            (judged.start.max(start)..judged.end)
                .filter(passes)
                .take(limit + 1)
                .collect()
        } else {
            let mut all: Vec<usize> = judged
                .filter(|at| after.is_none_or(|after| place(*at) > after))
                .filter(passes)
                .collect();
            all.sort_unstable_by_key(|at| place(*at));
            all.truncate(limit + 1);
            all
        };
        let more = found.len() > limit;
        found.truncate(limit);
        let next = if more {
            found.last().map(|at| place(*at))
        } else {
            None
        };
        (found, next)
    }

    /// How many pass a filter.
    #[must_use]
    pub fn count(&self, filter: &Filter, also: impl Fn(&Entry) -> bool) -> usize {
        self.entries[self.judged(filter)]
            .iter()
            .filter(|entry| filter.passes(self, entry) && also(entry))
            .count()
    }

    /// Those of the wanted verdict: they stand together in the order of what needs action first.
    fn judged(&self, filter: &Filter) -> Range<usize> {
        let Some(WantedVerdict::Is(wanted)) = filter.verdict else {
            return 0..self.entries.len();
        };
        let place = |verdict| match verdict {
            Verdict::Fails => 0,
            Verdict::Unknown => 1,
            Verdict::Meets => 2,
        };
        let from = self
            .entries
            .partition_point(|entry| place(entry.verdict) < place(wanted));
        let to = self
            .entries
            .partition_point(|entry| place(entry.verdict) <= place(wanted));
        from..to
    }

    /// The counts of a summary, over members of some departments or all.
    #[must_use]
    pub fn counts(&self, departments: Option<&[String]>) -> Cow<'_, Counts> {
        match departments {
            None => Cow::Borrowed(self.counts.get_or_init(|| self.counted(None))),
            Some(_) => Cow::Owned(self.counted(departments)),
        }
    }

    fn counted(&self, departments: Option<&[String]>) -> Counts {
        let mut counts = Counts {
            items: self.items.iter().map(|_| BTreeMap::new()).collect(),
            ..Counts::default()
        };
        for entry in self
            .entries
            .iter()
            .filter(|entry| in_departments(entry, departments))
        {
            counts.members += 1;
            match entry.verdict {
                Verdict::Meets => counts.meets += 1,
                Verdict::Fails => counts.fails += 1,
                Verdict::Unknown => counts.unknown += 1,
            }
            if entry.expires_tomorrow == Some(true) {
                counts.expires_tomorrow += 1;
            }
            for (at, shown) in entry.items.iter().enumerate() {
                for key in self.keys_of(at, shown) {
                    match counts.items[at].get_mut(key) {
                        Some(count) => *count += 1,
                        None => {
                            counts.items[at].insert(key.to_owned(), 1);
                        }
                    }
                }
            }
        }
        counts
    }

    /// The counts that an item of a member goes into.
    fn keys_of<'a>(&self, at: usize, shown: &'a Shown) -> impl Iterator<Item = &'a str> {
        let mut overdue = false;
        let key = match &shown.record {
            None => shown.state.as_str(),
            Some(ItemRecord::Status { value, .. }) => value,
            Some(ItemRecord::Immunization { value, .. }) => value.as_str(),
            Some(ItemRecord::Certificate { .. }) if shown.days.is_some() => "expired",
            Some(ItemRecord::Certificate { .. }) => "valid",
            Some(ItemRecord::Test { result, .. }) => match (result, shown.days) {
                (TestResult::Positive, _) => "positive",
                (_, None) => "unknown",
                (_, Some(days)) => {
                    overdue = self.is_overdue(at, days);
                    days_key(days)
                }
            },
        };
        std::iter::once(key).chain(overdue.then_some("overdue"))
    }

    fn is_overdue(&self, at: usize, days: i32) -> bool {
        self.max_days
            .get(at)
            .copied()
            .flatten()
            .is_some_and(|most| days > i32::from(most))
    }
}

/// The key under which days are counted: `days.0` to `days.3`, `days.4+`.
fn days_key(days: i32) -> &'static str {
    match days {
        ..=0 => "days.0",
        1 => "days.1",
        2 => "days.2",
        3 => "days.3",
        DAYS_LUMPED.. => "days.4+",
    }
}

/// The counts of a summary. Those of an item are by value, by `days.N`, or by state.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// All members.
    pub members: usize,
    /// 符合, those of tomorrow included.
    pub meets: usize,
    /// 明天到期
    pub expires_tomorrow: usize,
    /// 不符合
    pub fails: usize,
    /// 无法判断
    pub unknown: usize,
    /// By item.
    pub items: Vec<BTreeMap<String, usize>>,
}

impl Entry {
    /// Its place in an order.
    #[must_use]
    pub fn cursor(&self, sort: Sort) -> Cursor {
        let rank = match sort {
            Sort::Verdict => match (self.verdict, self.expires_tomorrow) {
                (Verdict::Fails, _) => 0,
                (Verdict::Unknown, _) => 1,
                (Verdict::Meets, Some(true)) => 2,
                (Verdict::Meets, _) => 3,
            },
            Sort::Joined => 0,
            Sort::JoinedLast => -self.joined_at,
            Sort::DataTime => self.data_time.unwrap_or(i64::MIN),
        };
        Cursor {
            rank,
            joined_at: self.joined_at,
            id: self.id,
        }
    }
}
