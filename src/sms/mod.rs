//! SMS gateways.
pub mod outbox;
pub mod webhook;

use crate::model::{id::Id, phone::Phone};
use async_trait::async_trait;

/// A text to send. It is never stored.
pub struct Sms<'a> {
    /// Its id. A text that is tried again keeps it, so that a gateway can send it once.
    pub id: Id,
    /// To whom.
    pub phone: &'a Phone,
    /// The words.
    pub text: &'a str,
    /// The code among them.
    pub code: Option<&'a str>,
}

/// Why a text was not sent. Holds neither number nor text.
#[derive(Debug, thiserror::Error)]
#[error("the SMS gateway did not take the message: {0}")]
pub struct SmsError(pub String);

/// An SMS gateway.
#[async_trait]
pub trait SmsSender: Send + Sync {
    /// Which gateway this is, for logs and metrics.
    fn kind(&self) -> &'static str;

    /// Hands one text to the gateway.
    ///
    /// # Errors
    /// When the gateway did not take it, so that a retry is allowed at once.
    async fn send(&self, sms: Sms<'_>) -> Result<(), SmsError>;
}

/// No gateway: every SMS fails, and the page says so.
#[derive(Debug)]
pub struct NoGateway;

#[async_trait]
impl SmsSender for NoGateway {
    fn kind(&self) -> &'static str {
        "none"
    }

    async fn send(&self, _: Sms<'_>) -> Result<(), SmsError> {
        Err(SmsError("sms.kind is none".into()))
    }
}
