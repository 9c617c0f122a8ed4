//! Receipts that can be kept and verified: what they say, signed, in one line of text.
//!
//! `tbr1.KEY.PAYLOAD.SIGNATURE`: the number of the key, the receipt's JSON and the Ed25519 signature
//! of all before it, the last two in base64 for URLs.
use crate::{
    app::App,
    crypto::is_signed_by,
    error::{Error, Result},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};

const VERSION: &str = "tbr1";
/// No receipt is longer.
const LONGEST: usize = 16 * 1024;

/// Why something is no receipt of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
) -> std::result::Result<Map<String, Value>, ReceiptError> {
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
        if shown.contains_key(field) && shown.get(field) != signed.get(field) {
            return Err(ReceiptError::Differs(field));
        }
    }
    Ok(signed)
}

fn verify_line(
    app: Option<&App>,
    line: &str,
    public: Option<&[u8]>,
) -> std::result::Result<Map<String, Value>, ReceiptError> {
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
    serde_json::from_slice(&payload).map_err(|_| malformed())
}
