//! A member as pages, the API and exports show them: masks and states applied, types closed.
use super::profile::Profile;
use crate::{
    app::App,
    clock,
    model::{
        health::{ItemRecord, ItemState, Kind, Progress, TestResult},
        requirement::Verdict,
        view::{Entry, Shown, View},
    },
};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A row of the list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Member {
    /// The member's id in this register; another in each register.
    pub id: String,
    /// The full name.
    pub name: String,
    /// The document number, masked.
    pub document_masked: String,
    /// The phone, masked.
    pub phone_masked: String,
    /// The department.
    pub department: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether it would be another tomorrow; null where only the verdict is shared.
    pub expires_tomorrow: Option<bool>,
    /// The items that fail.
    pub failing: Vec<String>,
    /// Each item of the register.
    pub items: BTreeMap<String, ItemOutput>,
    /// When the data was read from the source.
    pub data_time: Option<String>,
    /// When the member joined.
    pub joined_at: String,
    /// The date of the requirements that the row is judged by.
    pub judged_by: Option<String>,
}

/// One item of one member.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum ItemOutput {
    /// A test.
    Test {
        /// Whether there is a value, and if not, why not.
        state: ItemState,
        /// The result.
        #[schema(required)]
        result: Option<TestResult>,
        /// Calendar days since the sampling; null for a positive one.
        #[schema(required)]
        days: Option<i32>,
        /// When the sample was taken.
        #[schema(required)]
        sampled_at: Option<String>,
        /// When the result was issued.
        #[schema(required)]
        reported_at: Option<String>,
    },
    /// Doses of a vaccine.
    Immunization {
        /// Whether there is a value, and if not, why not.
        state: ItemState,
        /// How far.
        #[schema(required)]
        value: Option<Progress>,
        /// How many doses.
        #[schema(required)]
        doses: Option<u16>,
        /// The day of the last.
        #[schema(required)]
        last_on: Option<String>,
        /// Calendar days since the last.
        #[schema(required)]
        days: Option<i32>,
    },
    /// A certificate.
    Certificate {
        /// Whether there is a value, and if not, why not.
        state: ItemState,
        /// `valid` or `expired`.
        #[schema(required)]
        value: Option<String>,
        /// Its last day.
        #[schema(required)]
        valid_until: Option<String>,
    },
    /// A status.
    Status {
        /// Whether there is a value, and if not, why not.
        state: ItemState,
        /// The value.
        #[schema(required)]
        value: Option<String>,
        /// Since when.
        #[schema(required)]
        since: Option<String>,
    },
}

impl ItemOutput {
    /// Whether there is a value, and if not, why not.
    #[must_use]
    pub fn state(&self) -> ItemState {
        match self {
            Self::Test { state, .. }
            | Self::Immunization { state, .. }
            | Self::Certificate { state, .. }
            | Self::Status { state, .. } => *state,
        }
    }
}

/// Makes the row of an entry whose profile was opened.
pub(crate) fn member(app: &App, view: &View, entry: &Entry, profile: &Profile) -> Member {
    let name_of = |at: &u8| {
        view.items
            .get(usize::from(*at))
            .map(|(item, _)| item.clone())
    };
    Member {
        id: entry.id.to_string(),
        name: profile.name().to_owned(),
        document_masked: profile.document_masked(),
        phone_masked: profile.phone_masked(),
        department: entry.department.as_deref().map(str::to_owned),
        verdict: entry.verdict,
        expires_tomorrow: entry.expires_tomorrow,
        failing: entry.failing.iter().filter_map(name_of).collect(),
        items: items(app, view, entry),
        data_time: entry.data_time.map(|at| clock::rfc3339(at, &app.zone)),
        joined_at: clock::rfc3339(entry.joined_at, &app.zone),
        judged_by: view.judged_on.get(&entry.judged_by).cloned(),
    }
}

/// The items of an entry, by name.
pub(crate) fn items(app: &App, view: &View, entry: &Entry) -> BTreeMap<String, ItemOutput> {
    view.items
        .iter()
        .zip(&entry.items)
        .map(|((item, kind), shown)| (item.clone(), item_output(app, *kind, shown)))
        .collect()
}

fn item_output(app: &App, kind: Kind, shown: &Shown) -> ItemOutput {
    let state = shown.state;
    let time = |at: &Option<Timestamp>| at.map(|at| clock::rfc3339(at.as_millisecond(), &app.zone));
    match (&shown.record, kind) {
        (Some(ItemRecord::Status { value, since }), _) => ItemOutput::Status {
            state,
            value: Some(value.clone()),
            since: time(since),
        },
        (
            Some(ItemRecord::Test {
                result,
                sampled_at,
                reported_at,
            }),
            _,
        ) => ItemOutput::Test {
            state,
            result: Some(*result),
            days: shown.days,
            sampled_at: time(sampled_at),
            reported_at: time(reported_at),
        },
        (
            Some(ItemRecord::Immunization {
                value,
                doses,
                last_on,
            }),
            _,
        ) => ItemOutput::Immunization {
            state,
            value: Some(*value),
            doses: *doses,
            last_on: last_on.map(|day| day.to_string()),
            days: shown.days,
        },
        (Some(ItemRecord::Certificate { valid_until }), _) => ItemOutput::Certificate {
            state,
            value: Some(
                if shown.days.is_some() {
                    "expired"
                } else {
                    "valid"
                }
                .to_owned(),
            ),
            valid_until: Some(valid_until.to_string()),
        },
        (None, Kind::Status) => ItemOutput::Status {
            state,
            value: None,
            since: None,
        },
        (None, Kind::Test) => ItemOutput::Test {
            state,
            result: None,
            days: None,
            sampled_at: None,
            reported_at: None,
        },
        (None, Kind::Immunization) => ItemOutput::Immunization {
            state,
            value: None,
            doses: None,
            last_on: None,
            days: None,
        },
        (None, Kind::Certificate) => ItemOutput::Certificate {
            state,
            value: None,
            valid_until: None,
        },
    }
}
