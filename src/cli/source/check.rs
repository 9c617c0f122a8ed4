//! `tuantibu source check`: the promises of the Health Source API, one after the other, in words that
//! whoever builds the server can act on.
mod promises;
mod sample;

use super::{Failure, serve::secret};
use crate::{
    clock::{Clock, SystemClock},
    source::http::client::Client,
};
use promises::{PROMISES, Promise};
use sample::Sample;
use std::{path::Path, sync::Arc, time::Duration};

/// Which server.
pub(super) struct Server<'a> {
    pub(super) url: &'a str,
    pub(super) client: &'a str,
    pub(super) secret_file: &'a Path,
    pub(super) timeout_seconds: u64,
}

/// A promise that is broken: what was promised, what came, what to do.
struct Broken {
    came: String,
    mend: &'static str,
}

impl Broken {
    fn new(came: impl Into<String>, mend: &'static str) -> Self {
        Self {
            came: came.into(),
            mend,
        }
    }
}

/// What a promise is checked with.
struct Checker {
    client: Client,
    clock: SystemClock,
    sample: Option<Sample>,
    /// Most people of one reading, as the server says.
    most: usize,
    /// Whether it tells what changed.
    changes: bool,
}

/// Checks every promise, until one is broken.
pub(super) async fn check(server: &Server<'_>, sample: Option<&Path>) -> Result<(), Failure> {
    let secret = secret(server.secret_file)?;
    let timeout = Duration::from_secs(server.timeout_seconds);
    let now = Arc::new(|| SystemClock.now());
    let client = Client::new(server.url, server.client, secret, timeout, now)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let mut checker = Checker {
        client,
        clock: SystemClock,
        sample: sample.map(Sample::read).transpose()?,
        most: 1,
        changes: false,
    };
    let mut left_out = 0;
    for Promise {
        words,
        needs_sample,
        check,
    } in PROMISES
    {
        if *needs_sample && checker.sample.is_none() {
            left_out += 1;
            continue;
        }
        match check(&mut checker).await {
            Ok(seen) if seen.is_empty() => println!("kept    {words}"),
            Ok(seen) => println!("kept    {words} ({seen})"),
            Err(Broken { came, mend }) => {
                println!("BROKEN  {words}\n        came: {came}\n        mend: {mend}");
                return Err(Failure::Failed(format!("a promise is broken: {words}")));
            }
        }
    }
    if left_out > 0 {
        println!(
            "{left_out} promises need somebody whom the server knows: name a record by --sample FILE"
        );
    }
    println!("every promise that was checked is kept");
    Ok(())
}
