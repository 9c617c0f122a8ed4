//! How a member's entry is made from what the database holds.
use super::{Entry, Moment, Shown, Source, Terms};
use crate::model::{
    health::{ItemRecord, ItemState, Miss, Reading, days_between},
    requirement::{Judgement, days_shown, judge, lies_ahead, overall},
};
use std::sync::OnceLock;

pub(super) fn entry(terms: &Terms, member: Source, moment: &Moment) -> Entry {
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
            Box::default()
        } else {
            failing.into()
        },
        judged_by,
        items: if member.verdict_only {
            vec![hidden; terms.items.len()].into()
        } else {
            shown.into()
        },
        profile: OnceLock::new(),
        json: OnceLock::new(),
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
            Some(days_between(*valid_until, moment.today)).filter(|days| *days > 0)
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
    if lies_ahead(&record, moment.today, &moment.zone) {
        record.of_unknown_value()
    } else {
        record
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
