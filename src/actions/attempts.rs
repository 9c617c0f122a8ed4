//! Tries at matching: each is counted before the source is asked, and taken back when it matches,
//! so that no number of requests at once gets more guesses than the limits allow.
use super::{
    Actor,
    limits::{self, Limit, Window},
};
use crate::{app::App, error::Result, source::Identity, store::Tx};

/// What the mismatches of an address are counted as, a passkey's too.
pub(crate) const OF_ADDRESS: &str = "addr";

/// Posts that begin something, of an address.
pub(crate) fn posts<'a>(app: &App, address: &'a [&'a [u8]]) -> Limit<'a> {
    Limit {
        kind: "posts",
        of: address,
        window: Window::FiveMinutes,
        most: app.config.limits.posts_address,
    }
}

/// A try that was counted.
pub(crate) struct Attempt<'a> {
    identity: &'a Identity,
    address: String,
    to_leave: bool,
    /// Tries that are left today, this one counted.
    pub(crate) tries_left: i64,
}

impl<'a> Attempt<'a> {
    /// Counts a try per document, phone and address. Tries that only serve leaving are counted
    /// apart, so that nobody is kept in by others' guesses.
    ///
    /// # Errors
    /// [`crate::error::Error::TooManyAttempts`]; what is refused does not count.
    pub(crate) async fn reserve(
        app: &App,
        actor: &Actor,
        identity: &'a Identity,
        to_leave: bool,
    ) -> Result<Self> {
        let mut attempt = Self {
            identity,
            address: actor.origin(),
            to_leave,
            tries_left: i64::MAX,
        };
        let address = [attempt.address.as_bytes()];
        let posts = posts(app, &address);
        let limits = attempt.limits(app);
        let days = limits
            .iter()
            .filter(|(_, _, window)| *window == Window::Day);
        attempt.tries_left = days.map(|(_, most, _)| *most).min().unwrap_or(i64::MAX);
        if !posts.counts() && !limits.iter().any(|(_, most, _)| limits::counts(*most)) {
            return Ok(attempt);
        }
        let mut tx = app.store.write().await?;
        limits::take(app, &mut tx, posts).await?;
        for (at, (kind, most, window)) in limits.into_iter().enumerate() {
            let parts = attempt.parts(at);
            let of: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            let left = limits::take(
                app,
                &mut tx,
                Limit {
                    kind,
                    of: &of,
                    window,
                    most,
                },
            )
            .await?;
            if window == Window::Day {
                attempt.tries_left = attempt.tries_left.min(left);
            }
        }
        tx.commit().await?;
        Ok(attempt)
    }

    /// Takes the try back: it matched, or the source could not say.
    pub(crate) async fn give_back(&self, app: &App, tx: &mut Tx) -> Result<()> {
        for (at, (kind, most, window)) in self.limits(app).into_iter().enumerate() {
            let parts = self.parts(at);
            let of: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            limits::give_back(
                app,
                tx,
                Limit {
                    kind,
                    of: &of,
                    window,
                    most,
                },
            )
            .await?;
        }
        Ok(())
    }

    fn limits(&self, app: &App) -> [(&'static str, i64, Window); 5] {
        let most = &app.config.limits;
        let kinds = if self.to_leave {
            [
                "leave-doc-addr",
                "leave-doc",
                "leave-phone-addr",
                "leave-phone",
                "leave-addr",
            ]
        } else {
            ["doc-addr", "doc", "phone-addr", "phone", OF_ADDRESS]
        };
        [
            (kinds[0], most.mismatches_document_address, Window::Day),
            (kinds[1], most.mismatches_document, Window::Day),
            (kinds[2], most.mismatches_phone_address, Window::Day),
            (kinds[3], most.mismatches_phone, Window::Day),
            (kinds[4], most.mismatches_address_hour, Window::Hour),
        ]
    }

    fn parts(&self, at: usize) -> Vec<String> {
        let document = &self.identity.document;
        let document = format!("{} {}", document.kind().as_str(), document.number());
        let phone = self.identity.phone.e164().to_owned();
        match at {
            0 => vec![document, self.address.clone()],
            1 => vec![document],
            2 => vec![phone, self.address.clone()],
            3 => vec![phone],
            _ => vec![self.address.clone()],
        }
    }
}
