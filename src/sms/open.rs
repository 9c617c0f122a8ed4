//! The gateways that the configuration names.
use super::{
    NoGateway, SmsSender, Wrong, aliyun::Aliyun, gateways::Gateways, http, outbox::Outbox,
    smpp::Smpp, tencent::Tencent, webhook::Webhook,
};
use crate::{
    clock::Clock,
    config::{self, SmsKind},
    crypto::{SharedSecret, random::Random},
};
use jiff::tz::TimeZone;
use std::{sync::Arc, time::Duration};

/// What a gateway may need of the program.
pub struct Means<'a> {
    /// The time.
    pub clock: &'a Arc<dyn Clock>,
    /// Randomness.
    pub random: &'a Arc<dyn Random>,
    /// The zone of what is told.
    pub zone: &'a TimeZone,
    /// The demo's outbox; none elsewhere.
    pub outbox: Option<&'a Arc<Outbox>>,
}

/// Opens the gateway and the one that stands in for it. No connection is made yet.
///
/// # Errors
/// The whole key that is wrong, and the problem.
pub fn open(settings: &config::Sms, means: &Means<'_>) -> Result<Gateways, String> {
    let mut senders = vec![(
        one(settings, means).map_err(under("sms"))?,
        settings.clone(),
    )];
    if let Some(fallback) = &settings.fallback {
        let sender = one(fallback, means).map_err(under("sms.fallback"))?;
        senders.push((sender, (**fallback).clone()));
    }
    Ok(Gateways::new(means.clock.clone(), senders))
}

fn under(section: &'static str) -> impl Fn(Wrong) -> String {
    move |wrong| format!("{section}.{}: {}", wrong.key, wrong.problem)
}

fn one(settings: &config::Sms, means: &Means<'_>) -> Result<Arc<dyn SmsSender>, Wrong> {
    let clock = means.clock.clone();
    Ok(match settings.kind {
        SmsKind::None => Arc::new(NoGateway),
        SmsKind::Outbox => match means.outbox {
            Some(outbox) => outbox.clone(),
            None => return Err(Wrong::new("kind", "the outbox is the demo's alone")),
        },
        SmsKind::Webhook => {
            let secret = SharedSecret::new(&http::secret(settings.secret_file.as_deref())?)
                .map_err(|error| Wrong::new("secret_file", error))?;
            let timeout = Duration::from_secs(settings.timeout_seconds);
            let zone = means.zone.clone();
            Arc::new(Webhook::new(&settings.url, secret, timeout, clock, zone)?)
        }
        SmsKind::Smpp => Arc::new(Smpp::new(settings)?),
        SmsKind::Aliyun => Arc::new(Aliyun::new(settings, clock, means.random.clone())?),
        SmsKind::Tencent => Arc::new(Tencent::new(settings, clock)?),
    })
}
