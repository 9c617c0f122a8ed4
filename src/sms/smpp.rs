//! An SMS centre that speaks SMPP 3.4, over one connection that is kept up.
mod parts;
mod receipt;
mod session;
mod stream;

use super::{Handed, NotSent, Receipt, Sms, SmsSender, Taken, Wrong, http};
use crate::config;
use async_trait::async_trait;
use parts::Part;
use rusmpp::{
    CommandStatus, Pdu,
    pdus::{BindTransceiver, SubmitSm},
    types::COctetString,
    values::{EsmClass, InterfaceVersion, Npi, RegisteredDelivery, Ton},
};
use session::{Lost, Session};
use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
    time::Duration,
};
use stream::Peer;
use tokio::{
    sync::{Mutex, Semaphore, mpsc},
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

/// Receipts that wait to be taken; more are told to come again.
const RECEIPTS: usize = 1000;
/// Texts that wait for an answer at once.
const WINDOW: usize = 10;
/// After a first refusal for speed; doubled after each further one.
const PAUSE: Duration = Duration::from_millis(250);

/// Sends by an SMS centre.
pub struct Smpp {
    peer: Peer,
    system_id: COctetString<1, 16>,
    password: Zeroizing<String>,
    system_type: COctetString<1, 13>,
    sender: Sender,
    timeout: Duration,
    enquire: Duration,
    /// The connection, while there is one. Who connects keeps the others waiting.
    session: Mutex<Option<Session>>,
    window: Semaphore,
    /// Held by who waits out a refusal for speed: nobody else goes on meanwhile.
    pace: Mutex<()>,
    incoming: mpsc::Sender<Receipt>,
    receipts: Mutex<mpsc::Receiver<Receipt>>,
    reference: AtomicU8,
    /// Whether the last look found a connection, so that only changes are told.
    was_up: AtomicBool,
}

/// The sender's address and its kind.
struct Sender {
    ton: Ton,
    npi: Npi,
    address: COctetString<1, 21>,
}

impl Sender {
    fn new(text: &str) -> Result<Self, Wrong> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let (ton, npi) = match text {
            "" => (Ton::Unknown, Npi::Unknown),
            _ if is_number => (Ton::Unknown, Npi::Isdn),
            _ => (Ton::Alphanumeric, Npi::Unknown),
        };
        let longest = if is_number { 20 } else { 11 };
        let address = COctetString::from_string(text.to_owned());
        match address {
            Ok(address) if text.len() <= longest => Ok(Self { ton, npi, address }),
            _ => {
                let words = "a number of at most 20 digits or a name of at most 11 letters";
                Err(Wrong::new("sender", words))
            }
        }
    }
}

impl Smpp {
    /// The gateway that the settings describe.
    ///
    /// # Errors
    /// The key that is wrong.
    pub fn new(settings: &config::Sms) -> Result<Self, Wrong> {
        let secret = http::secret(settings.secret_file.as_deref())?;
        let password = std::str::from_utf8(&secret)
            .ok()
            .filter(|password| password.len() <= 8 && password.is_ascii())
            .ok_or_else(|| Wrong::new("secret_file", "a password has at most 8 characters"))?;
        let system_id = COctetString::from_string(settings.account.clone())
            .ok()
            .filter(|id| !id.is_empty())
            .ok_or_else(|| Wrong::new("account", "the system id, at most 15 characters"))?;
        let system_type = COctetString::from_string(settings.application.clone())
            .map_err(|_| Wrong::new("application", "a system type has at most 12 characters"))?;
        let (incoming, receipts) = mpsc::channel(RECEIPTS);
        Ok(Self {
            peer: Peer::new(&settings.url, settings.ca_file.as_deref())?,
            system_id,
            password: Zeroizing::new(password.to_owned()),
            system_type,
            sender: Sender::new(&settings.sender)?,
            timeout: Duration::from_secs(settings.timeout_seconds),
            enquire: Duration::from_secs(settings.enquire_seconds),
            session: Mutex::new(None),
            window: Semaphore::new(WINDOW),
            pace: Mutex::new(()),
            incoming,
            receipts: Mutex::new(receipts),
            reference: AtomicU8::new(0),
            was_up: AtomicBool::new(false),
        })
    }

    /// The connection that is up, or a new one.
    async fn session(&self) -> Result<Session, String> {
        let mut held = self.session.lock().await;
        if let Some(session) = held.as_ref().filter(|session| session.is_up()) {
            return Ok(session.clone());
        }
        *held = None;
        let session = self.connect().await?;
        *held = Some(session.clone());
        Ok(session)
    }

    async fn connect(&self) -> Result<Session, String> {
        let bind = BindTransceiver::builder()
            .system_id(self.system_id.clone())
            .password(
                COctetString::from_string(self.password.to_string())
                    .map_err(|_| "the password is none".to_owned())?,
            )
            .system_type(self.system_type.clone())
            .interface_version(InterfaceVersion::Smpp3_4)
            .build();
        let stream = self.peer.connect().await?;
        Session::bind(stream, bind, self.enquire, self.incoming.clone()).await
    }

    /// One part of a text, as it is submitted.
    fn submit(&self, sms: &Sms<'_>, part: Part, is_last: bool) -> Result<SubmitSm, NotSent> {
        let number = sms.phone.e164().trim_start_matches('+').to_owned();
        let number = COctetString::from_string(number);
        Ok(SubmitSm::builder()
            .source_addr_ton(self.sender.ton)
            .source_addr_npi(self.sender.npi)
            .source_addr(self.sender.address.clone())
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(number.map_err(|_| NotSent::Refused("no such number".into()))?)
            .esm_class(EsmClass::from(part.esm_class))
            // The last part's receipt is the text's.
            .registered_delivery(RegisteredDelivery::from(u8::from(is_last)))
            .data_coding(part.coding)
            .short_message(part.octets)
            .build())
    }

    /// Hands over one part, as often as the centre asks for more time.
    async fn submit_patiently(
        &self,
        pdu: &SubmitSm,
        is_first: bool,
        handed: &Handed,
    ) -> Result<String, NotSent> {
        let mut pause = PAUSE;
        let mut lost = 0;
        loop {
            drop(self.pace.lock().await);
            let session = self.session().await.map_err(NotSent::Down)?;
            let answer = match session.ask(Pdu::SubmitSm(pdu.clone()), handed).await {
                Ok(answer) => answer,
                // It ended while nobody looked: a new one is made.
                Err(Lost { written: false }) if lost < 2 => {
                    lost += 1;
                    continue;
                }
                Err(Lost { written: false }) => {
                    return Err(NotSent::Down("it hangs up after the bind".to_owned()));
                }
                Err(Lost { written: true }) => {
                    return Err(NotSent::Unknown("the connection broke off".to_owned()));
                }
            };
            let not_sent = match answer.status {
                CommandStatus::EsmeRok => return Ok(answer.message),
                CommandStatus::EsmeRthrottled | CommandStatus::EsmeRmsgqful => {
                    if is_first {
                        handed.is_back();
                    }
                    let _pace = self.pace.lock().await;
                    sleep(pause).await;
                    pause *= 2;
                    continue;
                }
                status if is_of_the_text(status) => NotSent::Refused(words(status)),
                status => NotSent::Down(words(status)),
            };
            return Err(not_sent);
        }
    }
}

impl fmt::Debug for Smpp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Smpp(…)")
    }
}

#[async_trait]
impl SmsSender for Smpp {
    fn kind(&self) -> &'static str {
        "smpp"
    }

    async fn send(&self, sms: &Sms<'_>, handed: &Handed) -> Result<Taken, NotSent> {
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let parts = parts::of(sms.text, reference)
            .ok_or_else(|| NotSent::Refused("a text that SMS cannot carry".to_owned()))?;
        let last = parts.len() - 1;
        let Ok(_place) = self.window.acquire().await else {
            return Err(NotSent::Down("the program ends".to_owned()));
        };
        let mut message = String::new();
        for (at, part) in parts.into_iter().enumerate() {
            let pdu = self.submit(sms, part, at == last)?;
            message = match self.submit_patiently(&pdu, at == 0, handed).await {
                Ok(message) => message,
                Err(why) if at == 0 => return Err(why),
                Err(why) => return Err(NotSent::Unknown(format!("taken in part: {why}"))),
            };
        }
        Ok(Taken {
            message: (!message.is_empty()).then_some(message),
        })
    }

    async fn check(&self) -> Result<Vec<String>, String> {
        let session = self.connect().await?;
        let answer = session.ask(Pdu::EnquireLink, &Handed::default()).await;
        answer.map_err(|_| "it hangs up after the bind".to_owned())?;
        Ok(vec![
            format!("connected, {}", self.peer.words()),
            format!("bound to {:?}, and it answers", session.other_side()),
        ])
    }

    async fn tend(&self) -> Vec<Receipt> {
        let up = timeout(self.timeout, self.session()).await;
        let up = up.unwrap_or_else(|_| Err("no connection in time".to_owned()));
        match (&up, self.was_up.swap(up.is_ok(), Ordering::Relaxed)) {
            (Ok(_), false) => tracing::info!("bound to the SMS centre"),
            (Err(reason), true) => tracing::warn!(reason, "the SMS centre is away"),
            _ => {}
        }
        let mut receipts = self.receipts.lock().await;
        std::iter::from_fn(|| receipts.try_recv().ok()).collect()
    }
}

/// Whether a status is about this text and number, and says nothing of the centre.
fn is_of_the_text(status: CommandStatus) -> bool {
    matches!(
        status,
        CommandStatus::EsmeRinvdstadr
            | CommandStatus::EsmeRinvdstton
            | CommandStatus::EsmeRinvdstnpi
            | CommandStatus::EsmeRinvmsglen
            | CommandStatus::EsmeRinvdcs
            | CommandStatus::EsmeRxRAppn
            | CommandStatus::EsmeRprohibited
    )
}

fn words(status: CommandStatus) -> String {
    format!("status 0x{:08X}", u32::from(status))
}
