//! The demo's gateway: the last messages, in memory only.
use super::{Handed, NotSent, Sms, SmsSender, Taken};
use crate::clock::Clock;
use async_trait::async_trait;
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// How many messages are kept.
const KEPT: usize = 5000;

/// A message that was "sent".
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Message {
    /// The number, without +86 where it is a mainland one.
    pub phone: String,
    /// The words.
    pub text: String,
    /// The code among them.
    pub code: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub at: i64,
}

/// Keeps messages instead of sending them.
pub struct Outbox {
    messages: Mutex<VecDeque<Message>>,
    failing: AtomicBool,
    clock: Arc<dyn Clock>,
}

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            messages: Mutex::default(),
            failing: AtomicBool::new(false),
            clock,
        }
    }

    /// Breaks the gateway until it is mended.
    pub fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// Whether it is broken.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::SeqCst)
    }

    /// The last code that went to a number.
    #[must_use]
    pub fn code(&self, phone: &str) -> Option<String> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages
            .iter()
            .find(|message| message.phone == phone && message.code.is_some())
            .and_then(|message| message.code.clone())
    }

    /// The last messages, newest first, to one number or to all.
    #[must_use]
    pub fn messages(&self, phone: Option<&str>) -> Vec<Message> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages
            .iter()
            .filter(|message| phone.is_none_or(|phone| message.phone == phone))
            .cloned()
            .collect()
    }
}

#[async_trait]
impl SmsSender for Outbox {
    fn kind(&self) -> &'static str {
        "outbox"
    }

    async fn send(&self, sms: &Sms<'_>, _: &Handed) -> Result<Taken, NotSent> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(NotSent::Down("told to fail".into()));
        }
        let message = Message {
            phone: sms.phone.national().to_owned(),
            text: sms.text.to_owned(),
            code: sms.code.map(str::to_owned),
            at: self.clock.millis(),
        };
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push_front(message);
        messages.truncate(KEPT);
        Ok(Taken::default())
    }

    async fn check(&self) -> Result<Vec<String>, String> {
        Ok(vec!["messages are shown on /demo/sms".to_owned()])
    }
}
