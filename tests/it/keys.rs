//! The keys of SECURITY.md §4: rotation while people go on, both suites, cells that were moved or
//! changed, and what stops a start.
mod audit;
mod index;
mod moved;
mod receipts;
mod rotation;
mod source;
mod starts;
mod suites;

use crate::app::TestApp;
use tuantibu::actions::{
    list_keys::{KeyOutput, list_keys},
    tend_keys::tend_keys,
};

/// A quarter past an hour, in seconds: a key that nothing needs is destroyed after an hour.
const PAST_REST: i64 = 4500;

/// The keys of a purpose, oldest first.
async fn keys_of(app: &TestApp, purpose: &str) -> Vec<KeyOutput> {
    let all = list_keys(&app.app).await.unwrap();
    all.into_iter()
        .filter(|key| key.purpose == purpose)
        .collect()
}

async fn states(app: &TestApp, purpose: &str) -> Vec<&'static str> {
    let keys = keys_of(app, purpose).await;
    keys.iter().map(|key| key.state).collect()
}

async fn tend(app: &TestApp) {
    tend_keys(&app.app).await.unwrap();
}
