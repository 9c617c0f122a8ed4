//! What a request of ours to another server failed of, in words that name neither address nor content.
use std::error::Error;

/// What kept an answer from coming.
#[must_use]
pub fn transport(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        format!("no connection: {}", cause(error))
    } else {
        "the connection broke off".to_owned()
    }
}

/// The innermost cause, which names no URL.
#[must_use]
pub fn cause(error: &reqwest::Error) -> String {
    let mut inner: Option<&(dyn Error + 'static)> = error.source();
    while let Some(deeper) = inner.and_then(Error::source) {
        inner = Some(deeper);
    }
    inner.map_or_else(|| "unknown".to_owned(), ToString::to_string)
}
