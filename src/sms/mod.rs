//! SMS gateways: what they are handed, and what they say became of it.
pub mod acs3;
pub mod aliyun;
pub mod circuit;
pub mod gateways;
pub mod open;
pub mod outbox;
pub mod smpp;
pub mod tc3;
pub mod tencent;
pub mod webhook;

mod http;
mod templates;

use crate::{
    config::Purpose,
    model::{id::Id, phone::Phone},
};
use async_trait::async_trait;
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

/// A text to send. It is never stored.
pub struct Sms<'a> {
    /// Its id. A text that is tried again keeps it, so that a gateway can send it once.
    pub id: Id,
    /// What it is for.
    pub purpose: Purpose,
    /// The tag of its language, as `zh-CN`.
    pub language: &'a str,
    /// To whom.
    pub phone: &'a Phone,
    /// The words.
    pub text: &'a str,
    /// The code among them.
    pub code: Option<&'a str>,
}

/// What a gateway says of a text that it took.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The gateway's own name of it, by which it tells of the delivery.
    pub message: Option<String>,
}

/// Why a text was not sent. Holds neither number nor text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// The gateway works and does not want this text.
    Refused(String),
    /// The gateway does not work, and certainly did not take the text.
    Down(String),
    /// The gateway may have taken it. It is not sent again, here or elsewhere.
    Unknown(String),
}

impl NotSent {
    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused(reason) | Self::Down(reason) | Self::Unknown(reason) => reason,
        }
    }

    /// One word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Down(_) => "down",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

/// What became of a text after it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The gateway's own name of it.
    pub message: String,
    /// Why it did not arrive; none where it did.
    pub failure: Option<String>,
}

/// Remembers whether anything of a text was handed over: then nobody knows what became of it
/// should no answer come.
#[derive(Debug, Default)]
pub struct Handed(AtomicBool);

impl Handed {
    /// From here on the text may be taken.
    pub fn over(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// The other side said that it did not take it.
    pub fn is_back(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// Whether it may have been taken.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// An SMS gateway.
#[async_trait]
pub trait SmsSender: Send + Sync {
    /// Which gateway this is, for logs and metrics.
    fn kind(&self) -> &'static str;

    /// Hands one text to the gateway, and notes in `handed` when the first of it leaves.
    ///
    /// # Errors
    /// When the gateway did not take it, or when that cannot be known.
    async fn send(&self, sms: &Sms<'_>, handed: &Handed) -> Result<Taken, NotSent>;

    /// Tries the gateway without sending anything: what was seen, a line each.
    ///
    /// # Errors
    /// Why it does not work.
    async fn check(&self) -> Result<Vec<String>, String>;

    /// Keeps a connection up where the gateway is one, and takes what came in on it.
    async fn tend(&self) -> Vec<Receipt> {
        Vec::new()
    }
}

/// What is wrong with a gateway's settings: the key within its section, and the problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The key.
    pub key: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Wrong {
    /// A key and its problem.
    pub fn new(key: &'static str, problem: impl fmt::Display) -> Self {
        Self {
            key,
            problem: problem.to_string(),
        }
    }
}

/// No gateway: every SMS fails, and the page says so.
#[derive(Debug)]
pub struct NoGateway;

#[async_trait]
impl SmsSender for NoGateway {
    fn kind(&self) -> &'static str {
        "none"
    }

    async fn send(&self, _: &Sms<'_>, _: &Handed) -> Result<Taken, NotSent> {
        Err(NotSent::Refused("sms.kind is none".into()))
    }

    async fn check(&self) -> Result<Vec<String>, String> {
        Err("nobody can sign in until sms.kind names a gateway".into())
    }
}

/// A code of another program's, where it is a plain word: it goes to logs and the database, and
/// what answers there might repeat a number or a text.
#[must_use]
pub(crate) fn plain_code(code: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut digits = 0;
    let is_number = code.chars().any(|c| {
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        digits > 4
    });
    let is_word = code.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_word && code.len() <= 64 && code.chars().all(plain) && !is_number {
        code
    } else {
        "an unreadable code"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateways_code_is_told_only_where_it_is_a_plain_word() {
        for code in ["isv.BUSINESS_LIMIT_CONTROL", "FailedOperation.SignNotExist"] {
            assert_eq!(plain_code(code), code);
        }
        for code in [
            "",
            "13800000000",
            "to 13800000000",
            "x13800000000",
            "验证码",
        ] {
            assert_eq!(plain_code(code), "an unreadable code");
        }
    }
}
