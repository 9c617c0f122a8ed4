//! Logs: lines with time, level and fields; JSON for machines. Nothing personal is ever a field.
use crate::config::Log;
use tracing_subscriber::EnvFilter;

/// Sends logs to standard error, as the configuration says.
///
/// # Errors
/// Names `log.filter` where it cannot be read.
pub fn start(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| format!("log.filter: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Another subscriber may be there already, as in tests; then it stays.
    let _ = if log.json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
    Ok(())
}
