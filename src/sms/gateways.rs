//! The gateway, and the one that stands in for it.
use super::{Handed, NotSent, Receipt, Sms, SmsSender, Taken, circuit::Circuit};
use crate::{
    clock::Clock,
    config::{self, SmsKind},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// Between a message and the next that takes its place in the rate.
const SECOND: Duration = Duration::from_secs(1);

/// A gateway with its rate, its time and its circuit.
struct Guarded {
    /// `smpp`, or `fallback-smpp`.
    name: String,
    sender: Arc<dyn SmsSender>,
    limit: Duration,
    rate: Arc<Semaphore>,
    circuit: Circuit,
}

/// A text that a gateway took.
#[derive(Debug)]
pub struct Sent {
    /// Which.
    pub gateway: String,
    /// The gateway's own name of it.
    pub message: Option<String>,
}

/// A text that none took, or of which that cannot be known.
#[derive(Debug)]
pub struct Unsent {
    /// The last that was asked.
    pub gateway: String,
    /// Why.
    pub why: NotSent,
}

/// How a gateway stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Which.
    pub gateway: String,
    /// Whether its circuit is open, so that texts are not even tried.
    pub is_open: bool,
}

/// All gateways, the first first.
pub struct Gateways {
    clock: Arc<dyn Clock>,
    all: Vec<Guarded>,
}

impl Gateways {
    /// A gateway by its settings, and the one that stands in for it.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        senders: impl IntoIterator<Item = (Arc<dyn SmsSender>, config::Sms)>,
    ) -> Self {
        let guarded = |(at, (sender, settings)): (usize, (Arc<dyn SmsSender>, config::Sms))| {
            let kind = sender.kind();
            // The outbox is in memory: there is nothing to spare, it or anybody.
            let (rate, circuit) = match settings.kind {
                SmsKind::Outbox => (Semaphore::MAX_PERMITS, Circuit::new(u32::MAX, 0)),
                _ => (
                    settings.per_second as usize,
                    Circuit::new(settings.circuit_failures, settings.circuit_seconds),
                ),
            };
            Guarded {
                name: if at == 0 {
                    kind.to_owned()
                } else {
                    format!("fallback-{kind}")
                },
                sender,
                limit: Duration::from_secs(settings.timeout_seconds),
                rate: Arc::new(Semaphore::new(rate)),
                circuit,
            }
        };
        Self {
            clock,
            all: senders.into_iter().enumerate().map(guarded).collect(),
        }
    }

    /// Hands a text to the first gateway that takes it. Another is asked only where the one before
    /// certainly did not take it.
    ///
    /// # Errors
    /// What the last that was asked said.
    pub async fn send(&self, sms: &Sms<'_>) -> Result<Sent, Unsent> {
        let mut last = None;
        for gateway in &self.all {
            let why = match gateway.send(sms, &*self.clock).await {
                Ok(taken) => {
                    return Ok(Sent {
                        gateway: gateway.name.clone(),
                        message: taken.message,
                    });
                }
                Err(why) => why,
            };
            tracing::warn!(gateway = %gateway.name, outcome = why.word(), reason = %why, "an SMS was not sent");
            let ends = matches!(why, NotSent::Unknown(_));
            last = Some(Unsent {
                gateway: gateway.name.clone(),
                why,
            });
            if ends {
                break;
            }
        }
        Err(last.unwrap_or_else(|| Unsent {
            gateway: "none".to_owned(),
            why: NotSent::Refused("there is no gateway".to_owned()),
        }))
    }

    /// How each stands.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        let standing = |gateway: &Guarded| Standing {
            gateway: gateway.name.clone(),
            is_open: gateway.circuit.is_open(),
        };
        self.all.iter().map(standing).collect()
    }

    /// Tries each: its name, and what was seen or why it does not work.
    pub async fn check(&self) -> Vec<(String, Result<Vec<String>, String>)> {
        let mut seen = Vec::new();
        for gateway in &self.all {
            let answer = timeout(gateway.limit, gateway.sender.check()).await;
            let answer = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
            seen.push((gateway.name.clone(), answer));
        }
        seen
    }

    /// Keeps connections up; what came in on them, by the gateway's name.
    pub async fn tend(&self) -> Vec<(String, Receipt)> {
        let mut receipts = Vec::new();
        for gateway in &self.all {
            let all = gateway.sender.tend().await;
            receipts.extend(all.into_iter().map(|each| (gateway.name.clone(), each)));
        }
        receipts
    }
}

impl Guarded {
    async fn send(&self, sms: &Sms<'_>, clock: &dyn Clock) -> Result<Taken, NotSent> {
        if !self.circuit.lets_through(clock.millis()) {
            self.count("open");
            return Err(NotSent::Down("the circuit is open".to_owned()));
        }
        let (placed, handed) = (AtomicBool::new(false), Handed::default());
        let outcome = match timeout(self.limit, self.try_send(sms, &placed, &handed)).await {
            Ok(outcome) => outcome,
            Err(_) if handed.is_over() => Err(NotSent::Unknown("no answer in time".to_owned())),
            Err(_) if placed.load(Ordering::SeqCst) => {
                Err(NotSent::Down("not taken in time".to_owned()))
            }
            Err(_) => {
                // That is our own doing: it says nothing of the gateway.
                self.count("no_place");
                return Err(NotSent::Down("more than sms.per_second".to_owned()));
            }
        };
        match &outcome {
            Ok(_) => self.count("taken"),
            Err(why) => self.count(why.word()),
        }
        match &outcome {
            Ok(_) | Err(NotSent::Refused(_)) => self.circuit.works(),
            Err(NotSent::Down(_) | NotSent::Unknown(_)) => {
                if self.circuit.fails(clock.millis()) {
                    tracing::error!(gateway = %self.name, "the circuit opens: no SMS is tried here for a while");
                }
            }
        }
        outcome
    }

    async fn try_send(
        &self,
        sms: &Sms<'_>,
        placed: &AtomicBool,
        handed: &Handed,
    ) -> Result<Taken, NotSent> {
        let Ok(place) = self.rate.clone().acquire_owned().await else {
            return Err(NotSent::Down("the program ends".to_owned()));
        };
        placed.store(true, Ordering::SeqCst);
        // The place comes free a second later, whatever became of this message.
        tokio::spawn(async move {
            tokio::time::sleep(SECOND).await;
            drop(place);
        });
        self.sender.send(sms, handed).await
    }

    fn count(&self, outcome: &'static str) {
        let gateway = self.name.clone();
        metrics::counter!("tuantibu_sms_total", "gateway" => gateway, "outcome" => outcome)
            .increment(1);
    }
}
