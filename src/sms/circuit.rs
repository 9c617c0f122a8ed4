//! Spares users the wait for a gateway that is down: after some failures nothing is tried for a
//! while, then one text is the trial.
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Opens after failures one after another, and closes at the first success.
#[derive(Debug)]
pub struct Circuit {
    most: u32,
    open_ms: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// When the next trial may be made.
    opens_at: i64,
}

impl Circuit {
    /// A closed circuit that opens after `most` failures for `seconds`.
    #[must_use]
    pub fn new(most: u32, seconds: u64) -> Self {
        Self {
            most,
            open_ms: i64::try_from(seconds).unwrap_or(i64::MAX / 2000) * 1000,
            state: Mutex::default(),
        }
    }

    /// Whether something may be tried now. Of an open circuit it lets one trial through at a time.
    pub fn lets_through(&self, now: i64) -> bool {
        let mut state = self.lock();
        if state.failures < self.most {
            return true;
        }
        if now < state.opens_at {
            return false;
        }
        state.opens_at = now + self.open_ms;
        true
    }

    /// The gateway answered.
    pub fn works(&self) {
        self.lock().failures = 0;
    }

    /// It did not. Whether the circuit opens by it.
    pub fn fails(&self, now: i64) -> bool {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= self.most {
            state.opens_at = now + self.open_ms;
        }
        state.failures == self.most
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.lock().failures >= self.most
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_and_closes_after_one_trial() {
        let circuit = Circuit::new(3, 30);
        assert!(!circuit.fails(0) && !circuit.fails(0));
        circuit.works();
        assert!(!circuit.fails(0) && !circuit.fails(0) && circuit.lets_through(0));
        assert!(circuit.fails(0), "the third opens it");
        assert!(circuit.is_open() && !circuit.lets_through(29_999));
        assert!(circuit.lets_through(30_000), "a trial");
        assert!(!circuit.lets_through(30_001), "one at a time");
        assert!(!circuit.fails(31_000), "open already");
        assert!(!circuit.lets_through(60_999) && circuit.lets_through(61_000));
        circuit.works();
        assert!(!circuit.is_open() && circuit.lets_through(61_000));
    }
}
