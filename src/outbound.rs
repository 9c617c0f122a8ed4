//! Requests of ours to other servers: to which addresses they go, how, and what failed of them in
//! words that name neither address nor content.
use crate::model::address::is_this_machine;
use futures_util::StreamExt;
use reqwest::{ClientBuilder, Response, redirect};
use std::{error::Error, time::Duration};
use url::Url;

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("is not an http or https URL")]
    NotUrl,
    /// It carries something that belongs elsewhere.
    #[error("must have no user, password, query or fragment")]
    NotBare,
    /// What is sent would travel in clear.
    #[error("must be https: plain http is for this machine only")]
    Plain,
}

/// Why an answer has no body for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than allowed.
    Large,
    /// It broke off, or came too late.
    Broken(String),
}

/// An address that we send to: https, or plain http on this machine, and nothing besides the path.
/// A closing slash is dropped.
///
/// # Errors
/// When it is no such address.
pub fn address(text: &str) -> Result<Url, AddressError> {
    let mut url = Url::parse(text).map_err(|_| AddressError::NotUrl)?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "https" | "http" if !bare => return Err(AddressError::NotBare),
        "https" => {}
        "http" if is_this_machine(&url) => {}
        "http" => return Err(AddressError::Plain),
        _ => return Err(AddressError::NotUrl),
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// A client with `timeout` for connecting and for the whole of a request. It follows no redirect,
/// and no proxy of the environment learns whom we ask for.
pub fn client(timeout: Duration) -> ClientBuilder {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(timeout)
        .timeout(timeout)
        .user_agent("tuantibu")
}

/// The body of an answer, of at most so many bytes.
///
/// # Errors
/// When it is larger, or breaks off.
pub async fn body(response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let length = response.content_length();
    if length.is_some_and(|length| length > limit as u64) {
        return Err(BodyError::Large);
    }
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| BodyError::Broken(transport(&error)))?;
        if body.len() + chunk.len() > limit {
            return Err(BodyError::Large);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_https_or_loopback_addresses_are_taken() {
        let of = |text: &str| address(text).map(|url| url.to_string());
        assert_eq!(of("https://h/fhir/").unwrap(), "https://h/fhir");
        assert_eq!(of("http://127.0.0.1:80/a").unwrap(), "http://127.0.0.1/a");
        assert_eq!(of("http://[::1]/").unwrap(), "http://[::1]/");
        assert_eq!(of("http://10.0.0.1/fhir"), Err(AddressError::Plain));
        assert_eq!(of("http://localhost.example/"), Err(AddressError::Plain));
        assert_eq!(of("ftp://h/"), Err(AddressError::NotUrl));
        assert_eq!(of("fhir"), Err(AddressError::NotUrl));
        let more = ["u@h/", "u:p@h/", "h/?q", "h/#f"];
        for bad in more.map(|rest| format!("https://{rest}")) {
            assert_eq!(of(&bad), Err(AddressError::NotBare), "{bad}");
        }
    }
}
