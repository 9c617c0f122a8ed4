//! Which members of a view are wanted, and in which order.
use super::{DAYS_LUMPED, Entry, Shown, View};
use crate::model::{
    health::{ItemRecord, ItemState, TestResult},
    id::Id,
    requirement::Verdict,
};

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

impl Filter {
    pub(super) fn passes(&self, view: &View, entry: &Entry) -> bool {
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
                    && (view.keys_of(at, shown).any(|key| key == value)
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

pub(super) fn in_departments(entry: &Entry, departments: Option<&[String]>) -> bool {
    departments.is_none_or(|wanted| {
        entry
            .department
            .as_deref()
            .is_some_and(|own| wanted.iter().any(|name| name == own))
    })
}
