//! ACS3-HMAC-SHA256, by which Alibaba Cloud knows who asks.
use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use std::fmt::Write;

/// A request as it is signed.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The path, encoded.
    pub path: &'a str,
    /// The query's names and values, not encoded.
    pub query: &'a [(&'a str, &'a str)],
    /// The headers that are signed.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body's SHA-256 in hexadecimal digits.
    pub body_hash: &'a str,
}

/// SHA-256 in hexadecimal digits.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// A query as it is signed and sent: sorted by name, everything encoded but what RFC 3986 never does.
#[must_use]
pub fn query(pairs: &[(&str, &str)]) -> String {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    let encoded = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    encoded.collect::<Vec<_>>().join("&")
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The `Authorization` header of a request.
#[must_use]
pub fn authorization(key_id: &str, secret: &[u8], request: &Request<'_>) -> String {
    let mut headers: Vec<(String, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    headers.sort_unstable();
    let signed = headers.iter().map(|(name, _)| name.as_str());
    let signed = signed.collect::<Vec<_>>().join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{signed}\n{}",
        request.method,
        request.path,
        query(request.query),
        request.body_hash
    );
    let words = format!("ACS3-HMAC-SHA256\n{}", hash(canonical.as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = hex::encode(hmac::sign(&key, words.as_bytes()));
    format!("ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={signed},Signature={signature}")
}
