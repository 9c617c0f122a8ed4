//! A gateway of the operator's own: each text is posted to one address as signed JSON.
mod secret;

pub use secret::{Secret, WebhookError};

use super::{Sms, SmsError, SmsSender};
use crate::{
    clock::{self, Clock},
    model::{address, id::Id},
    outbound::{cause, transport},
};
use async_trait::async_trait;
use jiff::tz::TimeZone;
use reqwest::{StatusCode, header, redirect};
use serde::Serialize;
use std::{fmt, sync::Arc, time::Duration};
use url::Url;

/// What is posted.
#[derive(Serialize)]
struct Message<'a> {
    phone: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    message_id: Id,
    sent_at: String,
}

/// Posts texts to one address.
pub struct Webhook {
    http: reqwest::Client,
    url: Url,
    secret: Secret,
    clock: Arc<dyn Clock>,
    zone: TimeZone,
}

impl Webhook {
    /// A gateway at an address, which has `timeout` for each message.
    ///
    /// # Errors
    /// When the address is no bare http(s) URL, or plain http to another machine.
    pub fn new(
        url: &str,
        secret: Secret,
        timeout: Duration,
        clock: Arc<dyn Clock>,
        zone: TimeZone,
    ) -> Result<Self, WebhookError> {
        let url = Url::parse(url).map_err(|_| WebhookError::NotUrl)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(WebhookError::NotBare);
        }
        match url.scheme() {
            "https" => {}
            "http" if address::is_this_machine(&url) => {}
            "http" => return Err(WebhookError::Plain),
            _ => return Err(WebhookError::NotUrl),
        }
        // No redirect is followed, and no proxy of the environment learns who is written to.
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(timeout)
            .timeout(timeout)
            .user_agent("tuantibu")
            .build()
            .map_err(|error| WebhookError::Client(cause(&error)))?;
        Ok(Self {
            http,
            url,
            secret,
            clock,
            zone,
        })
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(…)")
    }
}

#[async_trait]
impl SmsSender for Webhook {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, sms: Sms<'_>) -> Result<(), SmsError> {
        let now = self.clock.millis();
        let message = Message {
            phone: sms.phone.e164(),
            text: sms.text,
            code: sms.code,
            message_id: sms.id,
            sent_at: clock::rfc3339(now, &self.zone),
        };
        let body = serde_json::to_vec(&message)
            .map_err(|_| SmsError("the message has no JSON".to_owned()))?;
        let timestamp = now.div_euclid(1000).to_string();
        let response = self
            .http
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", sms.id.to_string())
            .header("x-tuantibu-signature", self.secret.sign(&timestamp, &body))
            .header("x-tuantibu-timestamp", timestamp)
            .body(body)
            .send()
            .await
            .map_err(|error| SmsError(transport(&error)))?;
        // The status says it all: the body, which might repeat the message, is dropped unread.
        taken(response.status())
    }
}

fn taken(status: StatusCode) -> Result<(), SmsError> {
    if status.is_success() {
        Ok(())
    } else if status.is_redirection() {
        Err(SmsError("it redirects".to_owned()))
    } else {
        Err(SmsError(format!("status {}", status.as_u16())))
    }
}
