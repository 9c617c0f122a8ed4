//! What runs by itself: the refresh at its times, waiting joins, due texts, erasure, the audit
//! chain, keys on their way.
//!
//! Every server runs the same loop; leases in the database decide who does what.
use crate::{
    actions::{
        chain_audit, chores, erasures, overwrite_erased, refresh_health, sms_outcomes, tend_keys,
    },
    app::App,
    error::Result,
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// Between two looks at what is due.
const TICK: Duration = Duration::from_secs(5);
/// Between two looks at what the audit chain lacks.
const CHAIN_TICK: Duration = Duration::from_secs(1);
/// Between two looks at whether overwriting is due.
const OVERWRITE_TICK: Duration = Duration::from_secs(60);
/// Every how many looks erasure runs.
const ERASE_EVERY: u64 = 12;

/// Starts the loops; they end soon after `stop` says so.
#[must_use]
pub fn start(app: &Arc<App>, stop: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    let refresh = tokio::spawn(every(
        app.clone(),
        stop.clone(),
        ("refresh", TICK),
        |app, _| async move {
            if refresh_health::is_due(&app).await? {
                let run =
                    refresh_health::refresh_health(&app, refresh_health::SCHEDULED, &|_, _| {})
                        .await?;
                tracing::info!(
                    updated = run.updated,
                    unchanged = run.unchanged,
                    failed = run.failed,
                    unmatched = run.unmatched,
                    "refreshed"
                );
            }
            Ok(())
        },
    ));
    let chores = tokio::spawn(every(
        app.clone(),
        stop.clone(),
        ("chores", TICK),
        |app, round| async move { chores::chores(&app, round.is_multiple_of(ERASE_EVERY)).await },
    ));
    let chain = tokio::spawn(every(
        app.clone(),
        stop.clone(),
        ("audit chain", CHAIN_TICK),
        |app, _| async move { chain_audit::chain_audit(&app).await.map(|_| ()) },
    ));
    let list = tokio::spawn(every(
        app.clone(),
        stop.clone(),
        ("the list of erasures", TICK),
        |app, _| async move { erasures::list_erasures(&app).await },
    ));
    let keys = tokio::spawn(every(
        app.clone(),
        stop.clone(),
        ("keys", TICK),
        |app, _| async move { tend_keys::tend_keys(&app).await },
    ));
    let overwrite = tokio::spawn(every(
        app.clone(),
        stop.clone(),
        ("overwriting", OVERWRITE_TICK),
        |app, _| async move {
            overwrite_erased::overwrite_erased(&app).await?;
            Ok(())
        },
    ));
    let gateways = tokio::spawn(every(
        app.clone(),
        stop.clone(),
        ("SMS gateways", TICK),
        |app, _| async move { sms_outcomes::tend(&app).await },
    ));
    vec![refresh, chores, chain, list, keys, overwrite, gateways]
}

/// Waits until the program is told to end.
async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that the teller is gone: then it ends too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn every<F, R>(
    app: Arc<App>,
    mut stop: watch::Receiver<bool>,
    (name, tick): (&'static str, Duration),
    work: F,
) where
    F: Fn(Arc<App>, u64) -> R + Send,
    R: Future<Output = Result<()>> + Send,
{
    for round in 0_u64.. {
        tokio::select! {
            biased;
            () = told(&mut stop) => return,
            outcome = work(app.clone(), round) => if let Err(error) = outcome {
                tracing::error!(work = name, %error, "a chore failed; it is tried again");
            }
        }
        tokio::select! {
            biased;
            () = told(&mut stop) => return,
            () = tokio::time::sleep(tick) => {}
        }
    }
}
