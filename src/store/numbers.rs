//! The numbers of this server's audit entries, and how the transactions ended that took them.
//!
//! A number is taken when its entry is written, so transactions that are undone leave gaps. What an
//! entry tells of the numbers before its own makes a gap mean something: all below `settled` were
//! committed, so one of those that is missing was removed.
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A server's numbers, from 1.
#[derive(Clone, Default)]
pub struct Numbers(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    last: i64,
    /// Taken by transactions that are under way.
    open: BTreeSet<i64>,
    /// Taken by transactions that were undone, or whose end nobody knows.
    burnt: BTreeSet<i64>,
}

/// A number that was taken. Dropped while its transaction is not committed, it is burnt.
pub struct Number {
    numbers: Numbers,
    number: i64,
    settled: i64,
}

impl Numbers {
    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic may have left is a number too many among the open ones.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next number.
    #[must_use]
    pub fn take(&self) -> Number {
        let mut state = self.state();
        state.last += 1;
        let number = state.last;
        state.open.insert(number);
        let lowest = [state.open.first(), state.burnt.first()];
        Number {
            numbers: self.clone(),
            number,
            settled: lowest
                .into_iter()
                .flatten()
                .min()
                .copied()
                .unwrap_or(number),
        }
    }

    /// Whether any was taken.
    #[must_use]
    pub fn any(&self) -> bool {
        self.state().last > 0
    }

    /// The numbers that no entry bears yet, or whose transaction's end nobody knows.
    #[must_use]
    pub fn burnt(&self) -> Vec<i64> {
        self.state().burnt.iter().copied().collect()
    }

    /// An entry bears these numbers now.
    pub fn settle(&self, numbers: &[i64]) {
        let mut state = self.state();
        for number in numbers {
            state.burnt.remove(number);
        }
    }
}

impl Number {
    /// The number.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.number
    }

    /// Entries bear all numbers below this one.
    #[must_use]
    pub fn settled(&self) -> i64 {
        self.settled
    }

    /// Its transaction is committed.
    pub(super) fn committed(self) {
        self.numbers.state().open.remove(&self.number);
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        let mut state = self.numbers.state();
        if state.open.remove(&self.number) {
            state.burnt.insert(self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_tells_the_lowest_that_is_not_settled() {
        let numbers = Numbers::default();
        let first = numbers.take();
        let second = numbers.take();
        assert_eq!(
            (first.settled(), second.number(), second.settled()),
            (1, 2, 1)
        );
        second.committed();
        assert_eq!(numbers.take().settled(), 1, "the first is open");
        first.committed();
        assert_eq!(numbers.take().settled(), 3, "the third was undone");
        assert_eq!(numbers.burnt(), [3, 4]);
        numbers.settle(&[3]);
        assert_eq!(numbers.take().settled(), 4);
        numbers.settle(&[4, 5]);
        assert_eq!(numbers.take().settled(), 6);
    }
}
