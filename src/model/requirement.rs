//! Requirements: a register's own rules on items, and the verdict that they give.
use super::catalogue::{Catalogue, Item};
use super::health::{ItemRecord, ItemState, Kind, Progress, TestResult, UNKNOWN, days_between};
use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most days that a requirement may allow: ten years.
pub const MAX_DAYS: u16 = 3660;

/// A rule on one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// At most so many calendar days since a negative test's sampling, or since the last dose.
    MaxDays(u16),
    /// One of these values.
    Allowed(Vec<String>),
    /// At least this far with a vaccine: `incomplete`, `complete` or `booster`.
    AtLeast(String),
}

/// A requirement of a register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Requirement {
    /// The item.
    pub item: String,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
}

impl Requirement {
    /// Checks that the rule fits its item.
    ///
    /// # Errors
    /// A stable code: `unknown_item`, `wrong_rule`, `unknown_value`, `range`.
    pub fn check(&self, catalogue: &Catalogue) -> Result<(), &'static str> {
        let item = catalogue.get(&self.item).ok_or("unknown_item")?;
        match (&self.rule, item.kind) {
            (Rule::MaxDays(days), Kind::Test | Kind::Immunization) => {
                if *days > MAX_DAYS {
                    Err("range")
                } else {
                    Ok(())
                }
            }
            (
                Rule::Allowed(values),
                kind @ (Kind::Status | Kind::Immunization | Kind::Certificate),
            ) => {
                let known = |value: &String| match kind {
                    Kind::Status => item.values.iter().any(|v| v.value == *value),
                    Kind::Immunization => Progress::parse(value).is_some(),
                    _ => value == "valid",
                };
                if values.is_empty() || !values.iter().all(known) {
                    return Err("unknown_value");
                }
                Ok(())
            }
            (Rule::AtLeast(value), Kind::Immunization) => {
                let known = Progress::parse(value).and_then(Progress::step).is_some();
                if known { Ok(()) } else { Err("unknown_value") }
            }
            _ => Err("wrong_rule"),
        }
    }
}

/// What one requirement says of one person at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Met; `expires_tomorrow`: not any more tomorrow if nothing changes.
    Meets {
        /// Whether tomorrow's verdict would differ.
        expires_tomorrow: bool,
    },
    /// Not met.
    Fails,
    /// 无法判断
    Unknown,
}

/// The overall verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// 符合
    Meets,
    /// 不符合
    Fails,
    /// 无法判断
    Unknown,
}

impl Verdict {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meets => "meets",
            Self::Fails => "fails",
            Self::Unknown => "unknown",
        }
    }
}

/// Judges one requirement. `state` and `record` are the item's; `today` is the local date.
///
/// No record at a source that answered fails; every other state without a value is unknown; so
/// is a value that cannot be read or lies in the future (PRODUCT.md, Health information).
#[must_use]
pub fn judge(
    rule: &Rule,
    state: ItemState,
    record: Option<&ItemRecord>,
    today: Date,
    zone: &TimeZone,
) -> Judgement {
    match state {
        ItemState::None => return Judgement::Fails,
        ItemState::Ok => {}
        _ => return Judgement::Unknown,
    }
    let Some(record) = record else {
        return Judgement::Unknown;
    };
    match (rule, record) {
        (
            Rule::MaxDays(_),
            ItemRecord::Test {
                result: TestResult::Positive,
                ..
            },
        ) => Judgement::Fails,
        (
            Rule::MaxDays(_),
            ItemRecord::Test {
                result: TestResult::Unknown,
                ..
            },
        ) => Judgement::Unknown,
        (
            Rule::MaxDays(_),
            ItemRecord::Immunization {
                value: Progress::Unknown,
                ..
            },
        ) => Judgement::Unknown,
        (Rule::MaxDays(max), ItemRecord::Test { .. } | ItemRecord::Immunization { .. }) => {
            match record
                .counted_from(zone)
                .map(|from| days_between(from, today))
            {
                None => Judgement::Unknown,
                Some(days) if days < 0 => Judgement::Unknown,
                Some(days) if days > i32::from(*max) => Judgement::Fails,
                Some(days) => Judgement::Meets {
                    expires_tomorrow: days == i32::from(*max),
                },
            }
        }
        (Rule::Allowed(values), ItemRecord::Status { value, .. }) => {
            if value == UNKNOWN {
                Judgement::Unknown
            } else {
                meets(values.contains(value))
            }
        }
        (Rule::Allowed(values), ItemRecord::Immunization { value, .. }) => match value {
            Progress::Unknown => Judgement::Unknown,
            value => meets(values.iter().any(|allowed| allowed == value.as_str())),
        },
        (Rule::Allowed(_), ItemRecord::Certificate { valid_until }) => {
            if *valid_until < today {
                Judgement::Fails
            } else {
                Judgement::Meets {
                    expires_tomorrow: *valid_until == today,
                }
            }
        }
        (Rule::AtLeast(wanted), ItemRecord::Immunization { value, .. }) => {
            match (
                value,
                value.step(),
                Progress::parse(wanted).and_then(Progress::step),
            ) {
                (Progress::Unknown, ..) => Judgement::Unknown,
                (_, Some(is), Some(wanted)) => meets(is >= wanted),
                _ => Judgement::Fails,
            }
        }
        _ => Judgement::Unknown,
    }
}

fn meets(yes: bool) -> Judgement {
    if yes {
        Judgement::Meets {
            expires_tomorrow: false,
        }
    } else {
        Judgement::Fails
    }
}

/// The verdict over all requirements: one that fails makes it fail, else one that is unknown makes
/// it unknown, else it is met. Without requirements there is nothing to fail.
#[must_use]
pub fn overall(judgements: impl IntoIterator<Item = Judgement>) -> (Verdict, bool) {
    let (mut verdict, mut tomorrow) = (Verdict::Meets, false);
    for judgement in judgements {
        match judgement {
            Judgement::Fails => verdict = Verdict::Fails,
            Judgement::Unknown if verdict == Verdict::Meets => verdict = Verdict::Unknown,
            Judgement::Meets {
                expires_tomorrow: true,
            } => tomorrow = true,
            Judgement::Unknown | Judgement::Meets { .. } => {}
        }
    }
    (verdict, tomorrow && verdict == Verdict::Meets)
}

/// What the days of a test or of a last dose are today: `None` for a positive or unreadable test,
/// without a time, or for a time that lies ahead.
#[must_use]
pub fn days_shown(record: &ItemRecord, today: Date, zone: &TimeZone) -> Option<i32> {
    if matches!(record, ItemRecord::Test { result, .. } if *result != TestResult::Negative) {
        return None;
    }
    record
        .counted_from(zone)
        .map(|from| days_between(from, today))
        .filter(|days| *days >= 0)
}

/// Whether the record's day lies ahead of today, so that its value is not believed.
#[must_use]
pub fn lies_ahead(record: &ItemRecord, today: Date, zone: &TimeZone) -> bool {
    record
        .counted_from(zone)
        .is_some_and(|from| days_between(from, today) < 0)
}

/// The values that a rule of this item may allow, for forms.
#[must_use]
pub fn values_of(item: &Item) -> Vec<&str> {
    match item.kind {
        Kind::Status => item.values.iter().map(|v| v.value.as_str()).collect(),
        Kind::Immunization => vec!["booster", "complete", "incomplete", "unsuitable"],
        Kind::Certificate => vec!["valid"],
        Kind::Test => vec!["negative", "positive"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(result: TestResult, sampled: &str) -> ItemRecord {
        ItemRecord::Test {
            result,
            sampled_at: Some(sampled.parse().unwrap()),
            reported_at: None,
        }
    }

    fn shanghai() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    #[test]
    fn within_three_days_holds_on_day_three_and_fails_on_day_four() {
        let record = test(TestResult::Negative, "2022-11-11T23:59:00+08:00");
        let on = |day: &str| {
            judge(
                &Rule::MaxDays(3),
                ItemState::Ok,
                Some(&record),
                day.parse().unwrap(),
                &shanghai(),
            )
        };
        assert_eq!(
            on("2022-11-13"),
            Judgement::Meets {
                expires_tomorrow: false
            }
        );
        assert_eq!(
            on("2022-11-14"),
            Judgement::Meets {
                expires_tomorrow: true
            }
        );
        assert_eq!(on("2022-11-15"), Judgement::Fails);
        assert_eq!(on("2022-11-10"), Judgement::Unknown);
    }

    #[test]
    fn a_report_before_six_counts_from_the_day_before() {
        let report = |time: &str| ItemRecord::Test {
            result: TestResult::Negative,
            sampled_at: None,
            reported_at: Some(time.parse().unwrap()),
        };
        let days =
            |time: &str| days_shown(&report(time), "2022-11-15".parse().unwrap(), &shanghai());
        assert_eq!(days("2022-11-15T05:59:59+08:00"), Some(1));
        assert_eq!(days("2022-11-15T06:00:00+08:00"), Some(0));
        assert_eq!(days("2022-11-14T21:59:59Z"), Some(1));
    }

    #[test]
    fn no_record_fails_and_every_other_state_is_unknown() {
        let today = "2022-11-15".parse().unwrap();
        for state in ItemState::ALL {
            let judgement = judge(&Rule::MaxDays(3), state, None, today, &shanghai());
            let expected = if state == ItemState::None {
                Judgement::Fails
            } else {
                Judgement::Unknown
            };
            assert_eq!(judgement, expected, "{state:?}");
        }
    }

    #[test]
    fn one_failure_outweighs_the_unknown_and_tomorrow_belongs_to_those_who_meet() {
        let meets = Judgement::Meets {
            expires_tomorrow: true,
        };
        assert_eq!(
            overall([meets, Judgement::Unknown, Judgement::Fails]),
            (Verdict::Fails, false)
        );
        assert_eq!(
            overall([meets, Judgement::Unknown]),
            (Verdict::Unknown, false)
        );
        assert_eq!(overall([meets]), (Verdict::Meets, true));
        assert_eq!(overall([]), (Verdict::Meets, false));
    }
}
