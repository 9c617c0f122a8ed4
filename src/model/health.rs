//! Health items: what a source holds of a person, and what may be shown of it at a moment.
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Reports issued before this local hour belong to the day before (PRODUCT.md, Health information).
const REPORT_DAY_BEGINS: i8 = 6;

/// How long a value stays a value after it was read from the source: 24 hours, in milliseconds.
pub const FRESH_FOR_MS: i64 = 24 * 60 * 60 * 1000;

/// The value of a status that tells nothing.
pub const UNKNOWN: &str = "unknown";

/// The kinds of health items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A value of a list, each with a severity.
    Status,
    /// A test: result, sampled at, reported at.
    Test,
    /// Doses of a vaccine and the state that they amount to.
    Immunization,
    /// A paper with a last day.
    Certificate,
}

/// The result of a test. What no rule maps is [`TestResult::Unknown`], never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestResult {
    /// 阴性
    Negative,
    /// Not to be read: inconclusive, an unmapped code, a date in the future.
    Unknown,
    /// 阳性
    Positive,
}

/// How far somebody is with a vaccine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// 未完成基础免疫
    Incomplete,
    /// 完成基础免疫
    Complete,
    /// 完成加强免疫
    Booster,
    /// 不适宜接种
    Unsuitable,
    /// Not to be read.
    Unknown,
}

impl Progress {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Complete => "complete",
            Self::Booster => "booster",
            Self::Unsuitable => "unsuitable",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the name on the wire; what a source may say, so not `unknown`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Incomplete,
            Self::Complete,
            Self::Booster,
            Self::Unsuitable,
        ]
        .into_iter()
        .find(|progress| progress.as_str() == text)
    }

    /// The step on the way from none to booster; `None` where there is no such step.
    #[must_use]
    pub fn step(self) -> Option<u8> {
        match self {
            Self::Incomplete => Some(0),
            Self::Complete => Some(1),
            Self::Booster => Some(2),
            Self::Unsuitable | Self::Unknown => None,
        }
    }
}

/// What a source holds of one item of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum ItemRecord {
    /// A value of the catalogue's list, or `unknown`.
    Status {
        /// The value.
        value: String,
        /// Since when, where the source says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// The newest test by sampling time.
    Test {
        /// Its result.
        result: TestResult,
        /// When the sample was taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sampled_at: Option<Timestamp>,
        /// When the result was issued.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reported_at: Option<Timestamp>,
    },
    /// The doses so far.
    Immunization {
        /// What they amount to.
        value: Progress,
        /// How many.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doses: Option<u16>,
        /// The day of the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_on: Option<Date>,
    },
    /// A certificate's last valid day.
    Certificate {
        /// That day, included.
        valid_until: Date,
    },
}

/// The items of one person as read: an item that was asked for and has no record maps to `None`,
/// an item that was not asked for is absent.
pub type Items = BTreeMap<String, Option<ItemRecord>>;

impl ItemRecord {
    /// The same, of which nothing but its times is believed.
    #[must_use]
    pub fn of_unknown_value(mut self) -> Self {
        match &mut self {
            Self::Status { value, .. } => *value = UNKNOWN.to_owned(),
            Self::Test { result, .. } => *result = TestResult::Unknown,
            Self::Immunization { value, .. } => *value = Progress::Unknown,
            // A certificate is its day.
            Self::Certificate { .. } => {}
        }
        self
    }

    /// Which kind of item this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Status { .. } => Kind::Status,
            Self::Test { .. } => Kind::Test,
            Self::Immunization { .. } => Kind::Immunization,
            Self::Certificate { .. } => Kind::Certificate,
        }
    }

    /// The local day from which days are counted: the sampling day, or the report's day and one
    /// day more before it when it was issued before 06:00; the last dose's day. `None` where the
    /// source gave no time.
    #[must_use]
    pub fn counted_from(&self, zone: &TimeZone) -> Option<Date> {
        match self {
            Self::Test {
                sampled_at: Some(at),
                ..
            } => Some(at.to_zoned_datetime(zone.clone()).date()),
            Self::Test {
                reported_at: Some(at),
                ..
            } => {
                let local = at.to_zoned_datetime(zone.clone());
                if local.hour() < REPORT_DAY_BEGINS {
                    local.date().yesterday().ok()
                } else {
                    Some(local.date())
                }
            }
            Self::Immunization { last_on, .. } => *last_on,
            Self::Status { .. } | Self::Test { .. } | Self::Certificate { .. } => None,
        }
    }

    /// Of two tests the one that counts: the newer by sampling time (by report time where no
    /// sampling time is known); at the same moment the worse result.
    #[must_use]
    pub fn newer_test(self, other: Self) -> Self {
        match (self.test_order(), other.test_order()) {
            (Some(a), Some(b)) if b > a => other,
            _ => self,
        }
    }

    fn test_order(&self) -> Option<(Option<Timestamp>, TestResult)> {
        match self {
            Self::Test {
                result,
                sampled_at,
                reported_at,
            } => Some((sampled_at.or(*reported_at), *result)),
            _ => None,
        }
    }
}

/// Why an item has a value to show, or why it has none. Never confused with a value.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// A value read less than 24 hours ago.
    Ok,
    /// 无记录: the source answered and has none.
    None,
    /// 未匹配: the source does not know this person (any more).
    NotMatched,
    /// 信息源暂不可用: never read, or old and the last attempt failed.
    SourceUnavailable,
    /// 已过时: read more than 24 hours ago.
    Stale,
    /// 未授权: the member did not consent to this item.
    NotShared,
    /// 仅显示是否符合: the member shares the verdict alone.
    VerdictOnly,
}

impl ItemState {
    /// Every state, in the order in which pages list them.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::None,
        Self::NotMatched,
        Self::SourceUnavailable,
        Self::Stale,
        Self::NotShared,
        Self::VerdictOnly,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::None => "none",
            Self::NotMatched => "not_matched",
            Self::SourceUnavailable => "source_unavailable",
            Self::Stale => "stale",
            Self::NotShared => "not_shared",
            Self::VerdictOnly => "verdict_only",
        }
    }
}

/// How the last reading of one person went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// It was read.
    Hit,
    /// The source failed for this person, or for the whole batch.
    Failed,
    /// The source knows no such person by that document and name.
    NotMatched,
}

/// When and how the data of one person was read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Milliseconds since the epoch of the last good reading; `None` if there was none.
    pub read_at: Option<i64>,
    /// How the last attempt went.
    pub miss: Miss,
}

impl Reading {
    /// The state of one item whose record is `record` (outer `None`: never asked for).
    /// `now` in milliseconds since the epoch.
    #[must_use]
    pub fn state_of(&self, record: Option<&Option<ItemRecord>>, now: i64) -> ItemState {
        if self.miss == Miss::NotMatched {
            return ItemState::NotMatched;
        }
        let (Some(read_at), Some(record)) = (self.read_at, record) else {
            return ItemState::SourceUnavailable;
        };
        if now - read_at >= FRESH_FOR_MS {
            return match self.miss {
                Miss::Failed => ItemState::SourceUnavailable,
                _ => ItemState::Stale,
            };
        }
        if record.is_some() {
            ItemState::Ok
        } else {
            ItemState::None
        }
    }
}

/// Whole calendar days from `from` to `today`; negative when `from` lies ahead.
#[must_use]
pub fn days_between(from: Date, today: Date) -> i32 {
    // cannot fail: the span between two dates of jiff's range, in days, fits an i32.
    (today - from).get_days()
}
