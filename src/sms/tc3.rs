//! TC3-HMAC-SHA256, by which Tencent Cloud knows who asks.
use super::acs3::hash;
use aws_lc_rs::hmac;
use jiff::{Timestamp, tz::TimeZone};

/// Whose request it is.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The SecretId.
    pub key_id: &'a str,
    /// The SecretKey.
    pub secret: &'a [u8],
    /// The product, `sms`.
    pub service: &'a str,
}

/// The `Authorization` header of a `POST /` with a JSON body.
#[must_use]
pub fn authorization(
    signer: &Signer<'_>,
    (content_type, host): (&str, &str),
    at: Timestamp,
    body: &[u8],
) -> String {
    const SIGNED: &str = "content-type;host";
    let canonical = format!(
        "POST\n/\n\ncontent-type:{content_type}\nhost:{host}\n\n{SIGNED}\n{}",
        hash(body)
    );
    let date = at.to_zoned_datetime(TimeZone::UTC).date().to_string();
    let scope = format!("{date}/{}/tc3_request", signer.service);
    let words = format!(
        "TC3-HMAC-SHA256\n{}\n{scope}\n{}",
        at.as_second(),
        hash(canonical.as_bytes())
    );
    let mac = |key: &[u8], message: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes())
    };
    let of_date = mac(&[b"TC3", signer.secret].concat(), &date);
    let of_service = mac(of_date.as_ref(), signer.service);
    let of_request = mac(of_service.as_ref(), "tc3_request");
    let signature = hex::encode(mac(of_request.as_ref(), &words));
    format!(
        "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={SIGNED}, Signature={signature}",
        signer.key_id
    )
}
