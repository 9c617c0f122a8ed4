//! The SMS gateways.
use super::ConfigError;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// Which gateway sends SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsKind {
    /// None: every SMS fails, and says so.
    None,
    /// Kept in memory and shown on `/demo/sms`; the demo's alone.
    Outbox,
    /// Posted as signed JSON to an address of the operator's.
    Webhook,
    /// An SMS centre that speaks SMPP 3.4.
    Smpp,
    /// Alibaba Cloud, SendSms 2017-05-25.
    Aliyun,
    /// Tencent Cloud, SendSms 2021-01-11.
    Tencent,
}

/// What a text is for. Gateways that send templates of their own know it by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A code to sign in.
    SignIn,
    /// A code to sign in and leave.
    Leave,
    /// A code to join.
    Join,
    /// A code to confirm an action.
    Confirm,
    /// A waiting join can go on: no code.
    Invitation,
    /// A passkey was added in the place of others: no code.
    Passkey,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::SignIn,
        Self::Leave,
        Self::Join,
        Self::Confirm,
        Self::Invitation,
        Self::Passkey,
    ];

    /// Its name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Leave => "leave",
            Self::Join => "join",
            Self::Confirm => "confirm",
            Self::Invitation => "invitation",
            Self::Passkey => "passkey",
        }
    }
}

/// Ids of a gateway's templates by language and purpose.
pub type Templates = BTreeMap<String, BTreeMap<Purpose, String>>;

/// An SMS gateway.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sms {
    /// Which.
    pub kind: SmsKind,
    /// Webhook: where messages are posted. SMPP: `smpps://HOST:PORT`. The clouds: another endpoint.
    pub url: String,
    /// Webhook: the key that signs. SMPP: the password. The clouds: the secret key.
    pub secret_file: Option<PathBuf>,
    /// SMPP: the system id. The clouds: the id of the secret key.
    pub account: String,
    /// SMPP: the sender's number or name. The clouds: the approved signature.
    pub sender: String,
    /// SMPP: the system type. Tencent: the application's id.
    pub application: String,
    /// Tencent: the region.
    pub region: String,
    /// SMPP: certificates (PEM) that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// SMPP: seconds of silence after which the other side is asked whether it lives.
    pub enquire_seconds: u64,
    /// The clouds: ids of templates by language and purpose.
    pub templates: Templates,
    /// Seconds that the gateway may take for one message.
    pub timeout_seconds: u64,
    /// Messages a second at the most, from each server.
    pub per_second: u32,
    /// Failures one after another that open the circuit.
    pub circuit_failures: u32,
    /// Seconds that it stays open.
    pub circuit_seconds: u64,
    /// Another gateway, for what this one certainly did not take.
    pub fallback: Option<Box<Sms>>,
}

impl Default for Sms {
    fn default() -> Self {
        Self {
            kind: SmsKind::None,
            url: String::new(),
            secret_file: None,
            account: String::new(),
            sender: String::new(),
            application: String::new(),
            region: "ap-guangzhou".into(),
            ca_file: None,
            enquire_seconds: 30,
            templates: Templates::new(),
            timeout_seconds: 5,
            per_second: 50,
            circuit_failures: 5,
            circuit_seconds: 30,
            fallback: None,
        }
    }
}

/// An answer has 30 seconds, and the gateways share what is left of them.
const MOST_SECONDS: u64 = 25;

impl Sms {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_one("sms")?;
        let Some(fallback) = &self.fallback else {
            return Ok(());
        };
        fallback.check_one("sms.fallback")?;
        if fallback.fallback.is_some() {
            return Err(ConfigError::key("sms.fallback.fallback", "there is one"));
        }
        if matches!(self.kind, SmsKind::None | SmsKind::Outbox) {
            return Err(ConfigError::key("sms.fallback", "needs an sms.kind first"));
        }
        if matches!(fallback.kind, SmsKind::None | SmsKind::Outbox) {
            return Err(ConfigError::key("sms.fallback.kind", "names no gateway"));
        }
        if self.timeout_seconds + fallback.timeout_seconds > MOST_SECONDS {
            return Err(ConfigError::key(
                "sms.fallback.timeout_seconds",
                format!("with sms.timeout_seconds at most {MOST_SECONDS}"),
            ));
        }
        Ok(())
    }

    fn check_one(&self, section: &str) -> Result<(), ConfigError> {
        let within = |key: &str, fine: bool, range: &str| {
            if fine {
                return Ok(());
            }
            Err(ConfigError::key(&format!("{section}.{key}"), range))
        };
        let seconds = self.timeout_seconds;
        within("timeout_seconds", (1..=30).contains(&seconds), "1 to 30")?;
        let enquire = (1..=300).contains(&self.enquire_seconds);
        within("enquire_seconds", enquire, "1 to 300")?;
        let rate = (1..=10_000).contains(&self.per_second);
        within("per_second", rate, "1 to 10000")?;
        let failures = (1..=1000).contains(&self.circuit_failures);
        within("circuit_failures", failures, "1 to 1000")?;
        let open = (1..=3600).contains(&self.circuit_seconds);
        within("circuit_seconds", open, "1 to 3600")
    }
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sms")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
