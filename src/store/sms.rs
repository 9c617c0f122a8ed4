//! Outgoing SMS and the gates before phones.
use super::{Result, Tx, execute, long_execute, row, rows, statements};

statements! {
    /// Checks and reserves in one statement: no row comes back where the gate is shut.
    /// $3 day, $4 and $5 what it counts (ordinary, leaving), $6 ms between unused codes, $7 and $8 the limits.
    PASS_GATE = "insert into sms_gates (phone_hash, last_at, waiting, verification_hash, day, sent, sent_to_leave) \
        values ($1, $2, 1, $9, $3, $4, $5) on conflict (phone_hash) do update set \
        last_at = excluded.last_at, waiting = 1, verification_hash = excluded.verification_hash, day = excluded.day, \
        sent = case when sms_gates.day = excluded.day then sms_gates.sent else 0 end + excluded.sent, \
        sent_to_leave = case when sms_gates.day = excluded.day then sms_gates.sent_to_leave else 0 end + excluded.sent_to_leave \
        where (sms_gates.waiting = 0 or sms_gates.last_at <= $2 - $6) \
        and (sms_gates.day <> $3 or (sms_gates.sent + $4 <= $7 and sms_gates.sent_to_leave + $5 <= $8)) \
        returning last_at";
    GATE = "select last_at, waiting, day, sent, sent_to_leave from sms_gates where phone_hash = $1";
    FREE_GATE = "update sms_gates set waiting = case when verification_hash = $2 then 0 else waiting end \
                 where phone_hash = $1";
    REFUND_GATE = "update sms_gates set waiting = 0, sent = sent - $3, sent_to_leave = sent_to_leave - $4 \
                   where phone_hash = $1 and verification_hash = $2";
    GATES_OVER = "delete from sms_gates where last_at < $1";
    INSERT = "insert into sms_messages (id, kind, verification_hash, phone, state, code_salt, code_mac, reserved_at) \
              values ($1, $2, $3, $4, 0, $5, $6, $7)";
    /// A text without a secret may be tried again after a failure, and never while nobody knows what
    /// became of an earlier try.
    RESERVE_AGAIN = "insert into sms_messages (id, kind, phone, state, reserved_at) values ($1, 1, $2, 0, $3) \
        on conflict (id) do update set state = 0, phone = excluded.phone, reserved_at = excluded.reserved_at \
        where sms_messages.state = 2 returning reserved_at";
    RECORD = "update sms_messages set state = $2, recorded_at = $3, reason = $4, gateway = $5, gateway_message = $6 \
        where id = $1 and state = 0";
    /// A text that is unknown may well have arrived.
    RECEIPT = "update sms_messages set state = $3, recorded_at = $4, reason = $5 \
        where gateway_message = $2 and gateway = $1 and state in (1, 3)";
    /// By state and reason, since a time.
    COUNTS = "select state, kind, gateway, reason, count(*) as messages from sms_messages where reserved_at >= $1 \
        group by state, kind, gateway, reason order by state, kind, gateway, reason";
    /// The last two codes of a verification that may still be typed: also one that a gateway took
    /// and then told to be lost, since who types it has it.
    CODES = "select code_salt, code_mac from sms_messages where verification_hash = $1 and kind = 0 \
             and (state <> 2 or gateway_message is not null) and reserved_at > $2 order by reserved_at desc, id limit 2";
    MARK_UNKNOWN = "update sms_messages set state = 3 where state = 0 and reserved_at < $1";
    OVER = "delete from sms_messages where reserved_at < $1";
}

row! {
    /// A phone's gate.
    pub struct GateRow {
        /// When the last code was reserved.
        pub last_at: i64,
        /// 1 while that code is unused.
        pub waiting: i64,
        /// The day that the counts are of.
        pub day: String,
        /// Codes of that day.
        pub sent: i64,
        /// Codes of that day that only serve leaving.
        pub sent_to_leave: i64,
    }
}

/// What passing a gate takes.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    /// The phone's keyed hash.
    pub phone_hash: &'a [u8],
    /// The verification that the code is for.
    pub verification_hash: &'a [u8],
    /// Now, in milliseconds.
    pub now: i64,
    /// The local day.
    pub day: &'a str,
    /// Whether it counts among those that only serve leaving.
    pub to_leave: bool,
    /// Milliseconds between unused codes.
    pub apart: i64,
    /// Ordinary codes a day.
    pub most: i64,
    /// Codes a day that only serve leaving.
    pub most_to_leave: i64,
}

/// Passes a phone's gate, or is refused and changes nothing.
pub async fn pass_gate(tx: &mut Tx, gate: &Gate<'_>) -> Result<bool> {
    let (sent, to_leave) = if gate.to_leave {
        (0_i64, 1_i64)
    } else {
        (1, 0)
    };
    let row = rows!(
        tx,
        fetch_optional,
        (i64,),
        PASS_GATE,
        gate.phone_hash,
        gate.now,
        gate.day,
        sent,
        to_leave,
        gate.apart,
        gate.most,
        gate.most_to_leave,
        gate.verification_hash
    )?;
    Ok(row.is_some())
}

/// A phone's gate, to say why it is shut.
pub async fn gate(tx: &mut Tx, phone_hash: &[u8]) -> Result<Option<GateRow>> {
    rows!(tx, fetch_optional, GateRow, GATE, phone_hash)
}

/// A used code frees the phone at once. Holds the phone's gate, so that two codes of one phone are
/// never used at the same time.
pub async fn free_gate(tx: &mut Tx, phone_hash: &[u8], verification_hash: &[u8]) -> Result<()> {
    execute!(tx, FREE_GATE, phone_hash, verification_hash)?;
    Ok(())
}

/// An SMS that was not sent does not count.
pub async fn refund_gate(
    tx: &mut Tx,
    phone_hash: &[u8],
    verification_hash: &[u8],
    to_leave: bool,
) -> Result<()> {
    let (sent, leave) = if to_leave { (0_i64, 1_i64) } else { (1, 0) };
    execute!(tx, REFUND_GATE, phone_hash, verification_hash, sent, leave)?;
    Ok(())
}

/// An SMS to reserve. The text is not among it.
#[derive(Debug)]
pub struct NewSms<'a> {
    /// Its id.
    pub id: &'a [u8],
    /// 0 code, 1 invitation.
    pub kind: i64,
    /// The verification.
    pub verification_hash: Option<&'a [u8]>,
    /// The sealed number.
    pub phone: &'a [u8],
    /// The salt of the code's MAC.
    pub code_salt: Option<&'a [u8]>,
    /// The code's MAC.
    pub code_mac: Option<&'a [u8]>,
}

/// Reserves an SMS.
pub async fn insert(tx: &mut Tx, sms: &NewSms<'_>, now: i64) -> Result<()> {
    execute!(
        tx,
        INSERT,
        sms.id,
        sms.kind,
        sms.verification_hash,
        sms.phone,
        sms.code_salt,
        sms.code_mac,
        now
    )?;
    Ok(())
}

/// Reserves a text without a secret, for the first time or after a failure. False where an earlier
/// try has no record: then it may have gone out.
pub async fn reserve_again(tx: &mut Tx, id: &[u8], phone: &[u8], now: i64) -> Result<bool> {
    let row = rows!(tx, fetch_optional, (i64,), RESERVE_AGAIN, id, phone, now)?;
    Ok(row.is_some())
}

/// What became of a reserved SMS.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// 1 sent, 2 failed, 3 unknown.
    pub state: i64,
    /// Why it was not sent.
    pub reason: Option<&'a str>,
    /// The gateway that was asked last.
    pub gateway: &'a str,
    /// What that calls it.
    pub message: Option<&'a str>,
}

/// Records what became of a reserved SMS.
pub async fn record(tx: &mut Tx, id: &[u8], outcome: &Outcome<'_>, now: i64) -> Result<()> {
    execute!(
        tx,
        RECORD,
        id,
        outcome.state,
        now,
        outcome.reason,
        outcome.gateway,
        outcome.message
    )?;
    Ok(())
}

/// Records what a gateway tells later: 4 delivered, 2 failed with a reason. Whether there is such
/// a text.
pub async fn record_receipt(
    tx: &mut Tx,
    (gateway, message): (&str, &str),
    state: i64,
    reason: Option<&str>,
    now: i64,
) -> Result<bool> {
    Ok(execute!(tx, RECEIPT, gateway, message, state, now, reason)? > 0)
}

row! {
    /// How many texts came to one end.
    pub struct CountRow {
        /// 0 reserved, 1 sent, 2 failed, 3 unknown, 4 delivered.
        pub state: i64,
        /// 0 code, 1 invitation.
        pub kind: i64,
        /// The gateway that was asked last.
        pub gateway: Option<String>,
        /// Why.
        pub reason: Option<String>,
        /// How many.
        pub messages: i64,
    }
}

/// What became of the texts reserved since a time.
pub async fn counts(tx: &mut Tx, since: i64) -> Result<Vec<CountRow>> {
    rows!(tx, fetch_all, CountRow, COUNTS, since)
}

/// Salt and MAC of the last two codes of a verification reserved after a time.
pub async fn codes(
    tx: &mut Tx,
    verification_hash: &[u8],
    after: i64,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    rows!(
        tx,
        fetch_all,
        (Vec<u8>, Vec<u8>),
        CODES,
        verification_hash,
        after
    )
}

/// Reservations without a record since before a time become unknown and are never sent again.
pub async fn mark_unknown(tx: &mut Tx, before: i64) -> Result<u64> {
    long_execute!(tx, MARK_UNKNOWN, before)
}

/// Forgets messages and gates of before a time.
pub async fn forget_over(tx: &mut Tx, messages_before: i64, gates_before: i64) -> Result<u64> {
    long_execute!(tx, GATES_OVER, gates_before)?;
    long_execute!(tx, OVER, messages_before)
}
