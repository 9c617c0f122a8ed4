//! The HTTP client of gateways, their secret files, and what an HTTP failure says of a text.
use super::{NotSent, Wrong};
use crate::{
    crypto,
    model::address,
    outbound::{self, cause, transport},
};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{Client, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use std::{path::Path, time::Duration};
use url::Url;
use zeroize::Zeroizing;

/// More of an answer is not read.
const MOST_BYTES: usize = 64 << 10;

/// A bare address to which numbers and codes may be sent.
pub(super) fn address(text: &str) -> Result<Url, Wrong> {
    let wrong = |problem: &str| Err(Wrong::new("url", problem));
    let Ok(url) = Url::parse(text) else {
        return wrong("not an http or https URL");
    };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return wrong("must have no user, password or fragment");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if address::is_this_machine(&url) => Ok(url),
        "http" => wrong("must be https; plain http is for this machine only"),
        _ => wrong("not an http or https URL"),
    }
}

/// What a file holds, without white space at its ends, where nobody else may read it.
pub(super) fn secret(path: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let wrong = |problem: &dyn std::fmt::Display| Wrong::new("secret_file", problem);
    let path = path.ok_or_else(|| wrong(&"this gateway needs one"))?;
    crypto::secret_bytes(path).map_err(|error| wrong(&error))
}

/// A client that follows no redirect; no proxy of the environment learns who is written to.
pub(super) fn client(timeout: Duration) -> Result<Client, Wrong> {
    outbound::client(timeout)
        // Shorter than the whole: what has no connection was certainly not taken.
        .connect_timeout(timeout / 2)
        .build()
        .map_err(|error| {
            let words = format!("no HTTP client can be made: {}", cause(&error));
            Wrong::new("kind", words)
        })
}

/// What a request that got no answer says of its text.
pub(super) fn not_sent(error: &reqwest::Error) -> NotSent {
    if error.is_connect() {
        NotSent::Down(transport(error))
    } else {
        NotSent::Unknown(transport(error))
    }
}

/// An answer's JSON, or nothing where it is too long, breaks off or is none.
pub(super) async fn json<T: DeserializeOwned>(response: Response) -> Option<T> {
    let body = outbound::body(response, MOST_BYTES).await.ok()?;
    serde_json::from_slice(&body).ok()
}

/// The host as a client writes it into the `Host` header.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// What an answer that is none of theirs says: before the status of success, nobody took it.
pub(super) fn unreadable(status: StatusCode) -> NotSent {
    let words = format!("status {} and an unreadable answer", status.as_u16());
    if status.is_success() || status.is_server_error() {
        NotSent::Unknown(words)
    } else {
        NotSent::Down(words)
    }
}

/// How far the other side's clock is from ours, in words.
pub(super) fn clocks(response: &Response, now: Timestamp) -> String {
    let there = response
        .headers()
        .get(header::DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
    match there.map(|there| there.as_second() - now.as_second()) {
        None => "it does not tell its time".to_owned(),
        Some(0) => "its clock agrees with ours".to_owned(),
        Some(ahead @ 1..) => format!("its clock is {ahead} s ahead of ours"),
        Some(behind) => format!("its clock is {} s behind ours", -behind),
    }
}
