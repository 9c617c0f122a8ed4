//! A gateway of the operator's own: each text is posted to one address as signed JSON.
use super::{Handed, NotSent, Sms, SmsSender, Taken, Wrong, http};
use crate::{
    clock::{self, Clock},
    crypto::SharedSecret,
    model::id::Id,
    outbound::transport,
};
use async_trait::async_trait;
use jiff::tz::TimeZone;
use reqwest::{StatusCode, header};
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
    secret: SharedSecret,
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
        secret: SharedSecret,
        timeout: Duration,
        clock: Arc<dyn Clock>,
        zone: TimeZone,
    ) -> Result<Self, Wrong> {
        Ok(Self {
            url: http::address(url)?,
            http: http::client(timeout)?,
            secret,
            clock,
            zone,
        })
    }

    /// `sha256=` and the HMAC of timestamp, a full stop and body, in hexadecimal digits.
    fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let mac = self.secret.mac(&[timestamp.as_bytes(), body]);
        format!("sha256={}", hex::encode(mac))
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

    async fn send(&self, sms: &Sms<'_>, handed: &Handed) -> Result<Taken, NotSent> {
        let now = self.clock.millis();
        let message = Message {
            phone: sms.phone.e164(),
            text: sms.text,
            code: sms.code,
            message_id: sms.id,
            sent_at: clock::rfc3339(now, &self.zone),
        };
        let body = serde_json::to_vec(&message)
            .map_err(|_| NotSent::Refused("the message has no JSON".to_owned()))?;
        let timestamp = now.div_euclid(1000).to_string();
        handed.over();
        let response = self
            .http
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", sms.id.to_string())
            .header("x-tuantibu-signature", self.sign(&timestamp, &body))
            .header("x-tuantibu-timestamp", timestamp)
            .body(body)
            .send()
            .await
            .map_err(|error| http::not_sent(&error))?;
        // The status says it all: the body, which might repeat the message, is dropped unread.
        taken(response.status())
    }

    /// A `HEAD` carries nothing to send, so whatever answers it is there.
    async fn check(&self) -> Result<Vec<String>, String> {
        let timestamp = self.clock.millis().div_euclid(1000).to_string();
        let response = self
            .http
            .head(self.url.clone())
            .header("x-tuantibu-signature", self.sign(&timestamp, b""))
            .header("x-tuantibu-timestamp", timestamp)
            .send()
            .await
            .map_err(|error| transport(&error))?;
        let status = response.status().as_u16();
        Ok(vec![
            format!("connected; a HEAD is answered with {status}"),
            http::clocks(&response, self.clock.now()),
        ])
    }
}

fn taken(status: StatusCode) -> Result<Taken, NotSent> {
    let words = format!("status {}", status.as_u16());
    match status {
        status if status.is_success() => Ok(Taken::default()),
        status if status.is_redirection() => Err(NotSent::Down("it redirects".to_owned())),
        // A proxy on the way lost the answer: the program behind may have had the message.
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Err(NotSent::Unknown(words)),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Err(NotSent::Refused(words)),
        _ => Err(NotSent::Down(words)),
    }
}
