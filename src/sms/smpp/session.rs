//! One bound connection. A task owns it; who sends asks the task.
use super::{receipt, stream::Stream};
use crate::sms::{Handed, Receipt, smpp::words};
use futures_util::{SinkExt, StreamExt};
use rusmpp::{
    Command, CommandStatus, Pdu,
    pdus::{BindTransceiver, DeliverSmResp},
    tokio_codec::{CommandCodec, DecodeError},
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::codec::Framed;

type Wire = Framed<Box<dyn Stream>, CommandCodec>;

/// A peer that takes no octet for so long is none.
const WRITE: Duration = Duration::from_secs(10);
/// The greatest sequence number of SMPP.
const LAST: u32 = 0x7FFF_FFFF;
/// Requests that wait to be written.
const QUEUE: usize = 64;

/// What a centre answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// Whether it did what was asked.
    pub(super) status: CommandStatus,
    /// Its own name of the text.
    pub(super) message: String,
}

/// No answer came before the end of the connection.
#[derive(Debug)]
pub(super) struct Lost {
    /// Whether any of the request may have left.
    pub(super) written: bool,
}

struct Request {
    pdu: Pdu,
    written: Arc<AtomicBool>,
    answer: oneshot::Sender<Answer>,
}

/// A bound connection, while its task lives.
#[derive(Clone)]
pub(super) struct Session {
    requests: mpsc::Sender<Request>,
    other_side: Arc<str>,
}

impl Session {
    /// Binds as a transceiver. Receipts that come in go to `receipts`.
    pub(super) async fn bind(
        stream: Box<dyn Stream>,
        bind: BindTransceiver,
        enquire: Duration,
        receipts: mpsc::Sender<Receipt>,
    ) -> Result<Self, String> {
        let mut wire = Framed::new(stream, CommandCodec::new());
        let command = Command::new(CommandStatus::EsmeRok, 1, Pdu::BindTransceiver(bind));
        let hangs_up = || "it hangs up before the bind".to_owned();
        wire.send(command).await.map_err(|_| hangs_up())?;
        let answer = wire.next().await.ok_or_else(hangs_up)?;
        let answer = answer.map_err(|error| match error {
            DecodeError::Io(_) => hangs_up(),
            _ => "it does not speak SMPP".to_owned(),
        })?;
        if answer.status() != CommandStatus::EsmeRok {
            return Err(format!("the bind is refused: {}", words(answer.status())));
        }
        let Some(Pdu::BindTransceiverResp(response)) = answer.pdu() else {
            return Err("it answers the bind by something else".to_owned());
        };
        let other_side = response.system_id.as_str().into();
        let (requests, queue) = mpsc::channel(QUEUE);
        let task = Task {
            wire,
            waiting: HashMap::new(),
            sequence: 1,
            receipts,
        };
        tokio::spawn(task.run(queue, enquire));
        Ok(Self {
            requests,
            other_side,
        })
    }

    /// Whether the connection is up, as far as anybody knows.
    pub(super) fn is_up(&self) -> bool {
        !self.requests.is_closed()
    }

    /// What the centre calls itself.
    pub(super) fn other_side(&self) -> &str {
        &self.other_side
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&self, pdu: Pdu, handed: &Handed) -> Result<Answer, Lost> {
        let written = Arc::new(AtomicBool::new(false));
        let (answer, answered) = oneshot::channel();
        let request = Request {
            pdu,
            written: written.clone(),
            answer,
        };
        if self.requests.send(request).await.is_err() {
            return Err(Lost { written: false });
        }
        // From here on the task may write it at any time.
        handed.over();
        answered.await.map_err(|_| {
            let written = written.load(Ordering::SeqCst);
            if !written {
                handed.is_back();
            }
            Lost { written }
        })
    }
}

struct Task {
    wire: Wire,
    waiting: HashMap<u32, oneshot::Sender<Answer>>,
    sequence: u32,
    receipts: mpsc::Sender<Receipt>,
}

/// The connection is over.
struct Over;

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Request>, enquire: Duration) {
        let mut ticks = interval(enquire);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        // Whether the other side owes a sign of life.
        let mut asked = false;
        loop {
            let outcome = tokio::select! {
                request = queue.recv() => match request {
                    Some(request) => self.write(request).await,
                    None => {
                        // Nobody sends any more.
                        let _ = self.put(CommandStatus::EsmeRok, None, Pdu::Unbind).await;
                        Err(Over)
                    }
                },
                command = self.wire.next() => {
                    asked = false;
                    match command {
                        Some(Ok(command)) => self.read(command).await,
                        Some(Err(_)) | None => Err(Over),
                    }
                }
                _ = ticks.tick() => {
                    if asked {
                        Err(Over)
                    } else {
                        asked = true;
                        self.put(CommandStatus::EsmeRok, None, Pdu::EnquireLink).await
                    }
                }
            };
            if outcome.is_err() {
                return;
            }
        }
    }

    async fn write(&mut self, request: Request) -> Result<(), Over> {
        // Whoever asked has given up: nothing is sent that nobody records.
        if request.answer.is_closed() {
            return Ok(());
        }
        request.written.store(true, Ordering::SeqCst);
        self.waiting.retain(|_, waiting| !waiting.is_closed());
        let sequence = self.next_sequence();
        self.waiting.insert(sequence, request.answer);
        self.put(CommandStatus::EsmeRok, Some(sequence), request.pdu)
            .await
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = if self.sequence >= LAST {
            1
        } else {
            self.sequence + 1
        };
        self.sequence
    }

    async fn put(
        &mut self,
        status: CommandStatus,
        sequence: Option<u32>,
        pdu: Pdu,
    ) -> Result<(), Over> {
        let sequence = sequence.unwrap_or_else(|| self.next_sequence());
        let command = Command::new(status, sequence, pdu);
        match timeout(WRITE, self.wire.send(command)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over),
        }
    }

    async fn read(&mut self, command: Command) -> Result<(), Over> {
        let sequence = command.sequence_number();
        let answer = |message: &str| Answer {
            status: command.status(),
            message: message.to_owned(),
        };
        let answer = match command.pdu() {
            Some(Pdu::EnquireLink) => {
                let pdu = Pdu::EnquireLinkResp;
                return self.put(CommandStatus::EsmeRok, Some(sequence), pdu).await;
            }
            Some(Pdu::Unbind) => {
                let _ = self
                    .put(CommandStatus::EsmeRok, Some(sequence), Pdu::UnbindResp)
                    .await;
                return Err(Over);
            }
            Some(Pdu::DeliverSm(deliver)) => {
                let full = receipt::of(deliver)
                    .is_some_and(|receipt| self.receipts.try_send(receipt).is_err());
                let status = if full {
                    CommandStatus::EsmeRmsgqful
                } else {
                    CommandStatus::EsmeRok
                };
                let pdu = Pdu::DeliverSmResp(DeliverSmResp::default());
                return self.put(status, Some(sequence), pdu).await;
            }
            Some(Pdu::SubmitSmResp(response)) => answer(response.message_id().as_str()),
            // A refusal may come without a body.
            _ => answer(""),
        };
        if let Some(waiting) = self.waiting.remove(&sequence) {
            // Who asked may have given up.
            let _ = waiting.send(answer);
        }
        Ok(())
    }
}
