//! Receipts that can be kept and verified: what they say, signed, in one line of text.
//!
//! `tbr1.KEY.PAYLOAD.SIGNATURE`: the number of the key, the receipt's JSON and the Ed25519 signature
//! of all before it, the last two in base64 for URLs.
use super::list_keys::{KeyOutput, list_keys};
use crate::{
    app::App,
    clock,
    crypto::is_signed_by,
    error::{Error, Result},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

const VERSION: &str = "tbr1";
/// Servers go over to another key within seconds; after so long nobody signs by the old one, in
/// milliseconds.
const OVER_MS: i64 = 24 * 60 * 60_000;
/// No receipt is longer.
const LONGEST: usize = 16 * 1024;

/// Why something is no receipt of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It is none, or not whole.
    #[error("not a receipt: it must hold the line that begins with tbr1., whole")]
    Malformed,
    /// Its key is not here.
    #[error("signed by key {0}, which is not here: give the public key of then by --key")]
    UnknownKey(u32),
    /// It was changed, or another signed it.
    #[error("the signature is not right: the receipt was changed, or another signed it")]
    Wrong,
    /// What is written beside the signed line is not what was signed.
    #[error("`{0}` is not what was signed")]
    Differs(&'static str),
    /// Its key signed nothing at that time.
    #[error("the receipt is of {at}, and its key {key} signed none then")]
    OtherTime {
        /// The key.
        key: u32,
        /// When the receipt says that it was signed.
        at: String,
    },
    /// The database failed.
    #[error("the keys cannot be read: {0}")]
    Failed(String),
}

/// A receipt that is ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The key that signed it.
    pub key: u32,
    /// What it says.
    pub says: Map<String, Value>,
}

/// A key of receipts, for whoever verifies without the database.
#[derive(Clone, Debug, Serialize)]
pub struct PublicKey {
    /// Its number, which each receipt names.
    pub key: u32,
    /// How it stands: the active one signs.
    pub state: &'static str,
    /// Since when it is there.
    pub drawn_at: String,
    /// Since when it signs no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub put_aside_at: Option<String>,
    /// Its public part, in hexadecimal.
    pub public: String,
}

/// The keys of receipts, the one that signs now first.
///
/// # Errors
/// When the database fails.
pub async fn public_keys(app: &App) -> Result<Vec<PublicKey>> {
    let rows = list_keys(app).await?;
    let of = |(key, public): (u32, Vec<u8>)| {
        let row = rows.iter().find(|row| row.id == key)?;
        Some(PublicKey {
            key,
            state: row.state,
            drawn_at: clock::rfc3339(row.created_at, &app.zone),
            put_aside_at: put_aside(row).map(|at| clock::rfc3339(at, &app.zone)),
            public: hex::encode(public),
        })
    };
    let keys = app.keys.receipt_public_keys();
    Ok(keys.into_iter().filter_map(of).collect())
}

fn put_aside(key: &KeyOutput) -> Option<i64> {
    (key.state == "old").then_some(key.changed_at)
}

/// What a receipt says, where a key of this database signed it at a time when that key signed; and
/// that key.
///
/// # Errors
/// As [`verify`].
pub async fn verify_here(
    app: &App,
    text: &str,
) -> std::result::Result<(Verified, Option<PublicKey>), ReceiptError> {
    let verified = verify(Some(app), text, None)?;
    let failed = |error: Error| ReceiptError::Failed(error.to_string());
    let rows = list_keys(app).await.map_err(failed)?;
    let at = verified.says.get("at").and_then(Value::as_str);
    let at = at.unwrap_or_default();
    let row = rows.iter().find(|row| row.id == verified.key);
    let signed_then = |row: &KeyOutput| {
        let at = at.parse::<Timestamp>().ok()?.as_millisecond();
        let over = put_aside(row).is_some_and(|over| at > over + OVER_MS);
        // Times of receipts are whole seconds.
        Some(at >= row.created_at - 1000 && !over)
    };
    if row.and_then(signed_then) != Some(true) {
        let (key, at) = (verified.key, at.to_owned());
        return Err(ReceiptError::OtherTime { key, at });
    }
    let keys = public_keys(app).await.map_err(failed)?;
    let key = keys.into_iter().find(|key| key.key == verified.key);
    Ok((verified, key))
}

/// A receipt in one line, signed: where it comes from stands in it too.
pub(crate) fn sign(app: &App, receipt: &impl Serialize) -> Result<String> {
    let bad = || Error::unexpected("a receipt's JSON");
    let mut value = serde_json::to_value(receipt).map_err(|_| bad())?;
    let fields = value.as_object_mut().ok_or_else(bad)?;
    fields.insert("from".into(), app.public_url().into());
    let payload = serde_json::to_vec(&value).map_err(|_| bad())?;
    let payload = URL_SAFE_NO_PAD.encode(payload);
    Ok(app
        .keys
        .sign_receipt(|key| format!("{VERSION}.{key}.{payload}")))
}

/// What a receipt says, where it is ours: of the line itself, or of JSON with the line in `signed`,
/// whose other fields must then be those that were signed. `public` is the key of another time or
/// place.
///
/// # Errors
/// [`ReceiptError`] says what is not right.
pub fn verify(
    app: Option<&App>,
    text: &str,
    public: Option<&[u8]>,
) -> std::result::Result<Verified, ReceiptError> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(ReceiptError::Malformed);
    }
    if !text.starts_with('{') {
        return verify_line(app, text, public);
    }
    let shown: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| ReceiptError::Malformed)?;
    let line = shown.get("signed").and_then(Value::as_str);
    let signed = verify_line(app, line.ok_or(ReceiptError::Malformed)?, public)?;
    for field in ["organisation", "erased", "kept", "at"] {
        if shown.contains_key(field) && shown.get(field) != signed.says.get(field) {
            return Err(ReceiptError::Differs(field));
        }
    }
    Ok(signed)
}

fn verify_line(
    app: Option<&App>,
    line: &str,
    public: Option<&[u8]>,
) -> std::result::Result<Verified, ReceiptError> {
    let malformed = || ReceiptError::Malformed;
    let (text, signature) = line.rsplit_once('.').ok_or_else(malformed)?;
    let mut parts = text.split('.');
    if parts.next() != Some(VERSION) {
        return Err(malformed());
    }
    let key: u32 = parts
        .next()
        .and_then(|key| key.parse().ok())
        .ok_or_else(malformed)?;
    let payload = parts.next().ok_or_else(malformed)?;
    let decode = |text| URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed());
    let (payload, signature) = (decode(payload)?, decode(signature)?);
    if parts.next().is_some() {
        return Err(malformed());
    }
    let held = app.and_then(|app| app.keys.receipt_key(key));
    let public = public.map(<[u8]>::to_vec).or(held);
    let public = public.ok_or(ReceiptError::UnknownKey(key))?;
    if !is_signed_by(&public, text.as_bytes(), &signature) {
        return Err(ReceiptError::Wrong);
    }
    let says = serde_json::from_slice(&payload).map_err(|_| malformed())?;
    Ok(Verified { key, says })
}
