//! `tuantibu refresh`: one refresh now, with progress on a terminal and its counts as the last line.
use super::{Failure, Where};
use crate::actions::refresh_health;
use indicatif::{ProgressBar, ProgressStyle};

pub(super) async fn refresh(place: &Where, json: bool) -> Result<(), Failure> {
    let app = place.open().await?;
    let bar = bar();
    let run = refresh_health::refresh_health(&app, "command", &|done, total| {
        bar.set_length(total.unsigned_abs());
        bar.set_position(done.unsigned_abs());
    })
    .await;
    bar.finish_and_clear();
    app.holder.let_go().await?;
    app.store.close().await;
    let run = run?;
    if json {
        let line =
            serde_json::to_string(&run).map_err(|error| Failure::Failed(error.to_string()))?;
        println!("{line}");
    } else {
        println!(
            "updated {}, unchanged {}, failed {}, unmatched {}",
            run.updated, run.unchanged, run.failed, run.unmatched
        );
    }
    Ok(())
}

/// A bar that draws on a terminal and stays silent elsewhere.
pub(super) fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}") {
        bar.set_style(style);
    }
    bar
}
