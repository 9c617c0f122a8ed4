//! What a register's list shows at a moment: packed entries, counts and filters. Never a name, a
//! document or a phone.
use super::{
    health::{FRESH_FOR_MS, ItemRecord, ItemState, Items, Kind, Miss, Reading, TestResult},
    id::Id,
    requirement::{Judgement, Requirement, Rule, Verdict, days_shown, judge, lies_ahead, overall},
};
use jiff::{civil::Date, tz::TimeZone};
use std::{collections::BTreeMap, sync::Arc};

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
    pub failing: Vec<u8>,
    /// The version of the requirements that the row is judged by.
    pub judged_by: i64,
    /// The register's items in order.
    pub items: Vec<Shown>,
}

/// What a register asks and requires, for building its view.
#[derive(Debug)]
pub struct Terms {
    /// The items, in the register's order, with their kinds.
    pub items: Vec<(String, Kind)>,
    /// Every version of the requirements.
    pub requirements: BTreeMap<i64, Vec<Requirement>>,
    /// The version in force.
    pub version: i64,
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
    entries: Vec<Entry>,
}

/// Which members are wanted. Empty wants all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A verdict; with `expires_tomorrow` only those.
    pub verdict: Option<WantedVerdict>,
    /// An item's index.
    pub item: Option<usize>,
    /// A value of that item.
    pub value: Option<String>,
    /// Days of that item: 0 to 3, or 4 for more.
    pub days: Option<i32>,
    /// A state of that item, or of any.
    pub state: Option<ItemState>,
    /// Departments; one of these.
    pub departments: Option<Vec<String>>,
}

/// A verdict to filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedVerdict {
    /// 符合, 不符合, 无法判断
    Is(Verdict),
    /// 明天到期
    ExpiresTomorrow,
}

/// In which order members stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Those needing action first.
    #[default]
    Verdict,
    /// Oldest first.
    Joined,
    /// Newest first.
    JoinedLast,
    /// The oldest data first.
    DataTime,
}

/// Where a page ended: the place of its last member in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The order's first key.
    pub rank: i64,
    /// The second.
    pub joined_at: i64,
    /// The third, which is unique.
    pub id: Id,
}

impl View {
    /// Makes the view.
    #[must_use]
    pub fn make(
        terms: Terms,
        members: Vec<Source>,
        moment: &Moment,
        version: i64,
        shards: i64,
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
            entries,
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

    /// Whether nobody has joined.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
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

    /// At most `limit` entries that pass the filter, after a cursor, and whether more follow.
    #[must_use]
    pub fn page(
        &self,
        filter: &Filter,
        sort: Sort,
        after: Option<Cursor>,
        limit: usize,
        also: impl Fn(&Entry) -> bool,
    ) -> (Vec<&Entry>, Option<Cursor>) {
        let passes = |entry: &&Entry| filter.passes(self, entry) && also(entry);
        let mut found: Vec<&Entry> = if sort == Sort::Verdict {
            let start = after.map_or(0, |after| {
                self.entries
                    .partition_point(|entry| entry.cursor(sort) <= after)
            });
            self.entries[start..]
                .iter()
                .filter(passes)
                .take(limit + 1)
                .collect()
        } else {
            let mut all: Vec<&Entry> = self
                .entries
                .iter()
                .filter(|entry| after.is_none_or(|after| entry.cursor(sort) > after))
                .filter(passes)
                .collect();
            all.sort_unstable_by_key(|entry| entry.cursor(sort));
            all.truncate(limit + 1);
            all
        };
        let more = found.len() > limit;
        found.truncate(limit);
        let next = if more {
            found.last().map(|entry| entry.cursor(sort))
        } else {
            None
        };
        (found, next)
    }

    /// How many pass a filter.
    #[must_use]
    pub fn count(&self, filter: &Filter, also: impl Fn(&Entry) -> bool) -> usize {
        self.entries
            .iter()
            .filter(|entry| filter.passes(self, entry) && also(entry))
            .count()
    }

    /// The counts of a summary, over members of some departments or all.
    #[must_use]
    pub fn counts(&self, departments: Option<&[String]>) -> Counts {
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
                    *counts.items[at].entry(key).or_default() += 1;
                }
            }
        }
        counts
    }

    /// The counts that an item of a member goes into.
    fn keys_of(&self, at: usize, shown: &Shown) -> Vec<String> {
        let Some(record) = &shown.record else {
            return vec![shown.state.as_str().to_owned()];
        };
        match record {
            ItemRecord::Status { value, .. } => vec![value.clone()],
            ItemRecord::Immunization { value, .. } => vec![value.as_str().to_owned()],
            ItemRecord::Certificate { .. } => {
                vec![
                    if shown.days.is_some() {
                        "expired"
                    } else {
                        "valid"
                    }
                    .to_owned(),
                ]
            }
            ItemRecord::Test {
                result: TestResult::Positive,
                ..
            } => vec!["positive".to_owned()],
            ItemRecord::Test { .. } => match shown.days {
                None => vec!["unknown".to_owned()],
                Some(days) => {
                    let mut keys = vec![days_key(days)];
                    if self.is_overdue(at, days) {
                        keys.push("overdue".to_owned());
                    }
                    keys
                }
            },
        }
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
fn days_key(days: i32) -> String {
    if days >= DAYS_LUMPED {
        "days.4+".to_owned()
    } else {
        format!("days.{days}")
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

impl Filter {
    fn passes(&self, view: &View, entry: &Entry) -> bool {
        let verdict = match self.verdict {
            None => true,
            Some(WantedVerdict::Is(verdict)) => entry.verdict == verdict,
            Some(WantedVerdict::ExpiresTomorrow) => entry.expires_tomorrow == Some(true),
        };
        verdict
            && in_departments(entry, self.departments.as_deref())
            && self.items_pass(view, entry)
    }

    fn items_pass(&self, view: &View, entry: &Entry) -> bool {
        if self.value.is_none() && self.days.is_none() && self.state.is_none() {
            // An item alone wants those who have a value of it.
            return self
                .item
                .is_none_or(|at| entry.items[at].state == ItemState::Ok);
        }
        let one = |at: usize| {
            let shown = &entry.items[at];
            let value = self.value.as_deref().is_none_or(|value| {
                shown.record.is_some()
                    && (view.keys_of(at, shown).iter().any(|key| key == value)
                        || is_negative(shown) && value == "negative")
            });
            let days = self.days.is_none_or(|wanted| {
                let is_test = matches!(shown.record, Some(ItemRecord::Test { .. }));
                is_test
                    && shown
                        .days
                        .is_some_and(|days| days.min(DAYS_LUMPED) == wanted)
            });
            value && days && self.state.is_none_or(|state| shown.state == state)
        };
        match self.item {
            Some(at) => one(at),
            None => (0..entry.items.len()).any(one),
        }
    }
}

fn is_negative(shown: &Shown) -> bool {
    matches!(
        shown.record,
        Some(ItemRecord::Test {
            result: TestResult::Negative,
            ..
        })
    )
}

fn in_departments(entry: &Entry, departments: Option<&[String]>) -> bool {
    departments.is_none_or(|wanted| {
        entry
            .department
            .as_deref()
            .is_some_and(|own| wanted.iter().any(|name| name == own))
    })
}

fn entry(terms: &Terms, member: Source, moment: &Moment) -> Entry {
    let judged_by = if member.verdict_only {
        member.requirements_version
    } else {
        terms.version
    };
    let shown: Vec<Shown> = terms
        .items
        .iter()
        .map(|(item, _)| show(item, &member, moment))
        .collect();
    let mut failing = Vec::new();
    let requirements = terms
        .requirements
        .get(&judged_by)
        .map_or(&[][..], Vec::as_slice);
    let judgements: Vec<Judgement> = requirements
        .iter()
        .map(|requirement| {
            let at = terms
                .items
                .iter()
                .position(|(item, _)| *item == requirement.item);
            // An item that the register no longer asks for is judged by what was consented to.
            let shown = at.map_or_else(
                || show(&requirement.item, &member, moment),
                |at| shown[at].clone(),
            );
            let record = shown.record.as_ref();
            let judgement = judge(
                &requirement.rule,
                shown.state,
                record,
                moment.today,
                &moment.zone,
            );
            if let (Judgement::Fails, Some(at)) = (judgement, at) {
                failing.push(u8::try_from(at).unwrap_or(u8::MAX));
            }
            judgement
        })
        .collect();
    let (verdict, tomorrow) = overall(judgements);
    let hidden = Shown {
        state: ItemState::VerdictOnly,
        record: None,
        days: None,
    };
    Entry {
        id: member.id,
        person: member.person,
        department: member.department,
        joined_at: member.joined_at,
        data_time: member.reading.read_at,
        verdict,
        expires_tomorrow: (!member.verdict_only).then_some(tomorrow),
        failing: if member.verdict_only {
            Vec::new()
        } else {
            failing
        },
        judged_by,
        items: if member.verdict_only {
            vec![hidden; terms.items.len()]
        } else {
            shown
        },
    }
}

fn show(item: &str, member: &Source, moment: &Moment) -> Shown {
    if !member.consented.iter().any(|consented| consented == item) {
        return Shown {
            state: ItemState::NotShared,
            record: None,
            days: None,
        };
    }
    let held = member.items.get(item);
    let state = member.reading.state_of(held, moment.now);
    if state != ItemState::Ok {
        return Shown {
            state,
            record: None,
            days: None,
        };
    }
    let record = held
        .cloned()
        .flatten()
        .map(|record| believed(record, moment));
    let days = record.as_ref().and_then(|record| match record {
        // A certificate that ran out counts the days since then.
        ItemRecord::Certificate { valid_until } => {
            Some(super::health::days_between(*valid_until, moment.today)).filter(|days| *days > 0)
        }
        record => days_shown(record, moment.today, &moment.zone),
    });
    Shown {
        state,
        record,
        days,
    }
}

/// A record whose day lies ahead is not believed: its value reads as unknown.
fn believed(record: ItemRecord, moment: &Moment) -> ItemRecord {
    if !lies_ahead(&record, moment.today, &moment.zone) {
        return record;
    }
    match record {
        ItemRecord::Test {
            sampled_at,
            reported_at,
            ..
        } => ItemRecord::Test {
            result: TestResult::Unknown,
            sampled_at,
            reported_at,
        },
        ItemRecord::Immunization { doses, last_on, .. } => ItemRecord::Immunization {
            value: super::health::Progress::Unknown,
            doses,
            last_on,
        },
        other => other,
    }
}

/// The data time of a person and how their last reading went, from snapshot and shard.
///
/// The newer of the snapshot's and the shard's time holds, unless the person was missed; then the
/// time kept with the miss.
#[must_use]
pub fn reading(
    read_at: Option<i64>,
    miss: i64,
    seen_at: Option<i64>,
    shard_read_at: Option<i64>,
    shard_failed_at: Option<i64>,
) -> Reading {
    match miss {
        1 => Reading {
            read_at: seen_at,
            miss: Miss::Failed,
        },
        2 => Reading {
            read_at: seen_at,
            miss: Miss::NotMatched,
        },
        _ => {
            let newest = read_at.map(|own| own.max(shard_read_at.unwrap_or(own)));
            let failed = shard_failed_at.is_some_and(|failed| newest.is_none_or(|at| failed > at));
            Reading {
                read_at: newest,
                miss: if failed { Miss::Failed } else { Miss::Hit },
            }
        }
    }
}
