//! Signed requests. No message holds a URL, a cursor or a body.
use super::HttpSourceError;
use crate::{
    crypto::SharedSecret,
    outbound::{self, BodyError},
    source::{
        Now, SourceError,
        contract::{API, About, CLIENT, ChangesAnswer, SIGNATURE, Signed, TIMESTAMP, sign},
    },
};
use reqwest::{
    Method, Response, StatusCode,
    header::{self, HeaderValue},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use url::Url;

/// Most bytes of an answer: 1,000 records of some kilobytes each.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Most characters of a cursor, which is handed back as it came.
const CURSOR_CHARACTERS: usize = 500;

/// A client of one server of the Health Source API.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    name: HeaderValue,
    secret: SharedSecret,
    now: Now,
}

impl Client {
    /// A client of the server at a base URL.
    ///
    /// # Errors
    /// When the address is refused, or no client can be made.
    pub fn new(
        url: &str,
        name: &str,
        secret: SharedSecret,
        timeout: Duration,
        now: Now,
    ) -> Result<Self, HttpSourceError> {
        let base = outbound::address(url)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(HttpSourceError::Client);
        }
        let http = outbound::client(timeout)
            .build()
            .map_err(|error| HttpSourceError::Http(outbound::cause(&error)))?;
        Ok(Self {
            http,
            base,
            name: HeaderValue::from_str(name).map_err(|_| HttpSourceError::Client)?,
            secret,
            now,
        })
    }

    /// What the server says of itself.
    ///
    /// # Errors
    /// When it gave no readable answer, or is something else.
    pub async fn about(&self) -> Result<About, SourceError> {
        let about: About =
            parse(&taken(self.ask(Method::GET, "about", None, Vec::new()).await?).await?)?;
        if about.api != API || !about.version.starts_with("1.") {
            return Err(garbage("it is no Health Source API of version 1"));
        }
        Ok(about)
    }

    /// What changed since a cursor, or where its changes stand now; `None` where it cannot tell.
    ///
    /// # Errors
    /// When it gave no readable answer.
    pub async fn changes(&self, since: Option<&str>) -> Result<Option<ChangesAnswer>, SourceError> {
        let query = since.map(|since| ("since", since));
        let response = self.ask(Method::GET, "changes", query, Vec::new()).await?;
        if let StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::NOT_IMPLEMENTED =
            response.status()
        {
            return Ok(None);
        }
        let answer: ChangesAnswer = parse(&taken(response).await?)?;
        if answer.cursor.is_empty() || answer.cursor.len() > CURSOR_CHARACTERS {
            return Err(garbage("its cursor is empty or too long"));
        }
        Ok(Some(answer))
    }

    /// Posts a question; the body of the answer.
    ///
    /// # Errors
    /// When it gave none.
    pub async fn post(&self, path: &str, asked: &impl Serialize) -> Result<Vec<u8>, SourceError> {
        let body = serde_json::to_vec(asked).map_err(|_| garbage("the question has no JSON"))?;
        taken(self.ask(Method::POST, path, None, body).await?).await
    }

    /// Sends a signed request.
    ///
    /// # Errors
    /// When no answer came at all.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        query: Option<(&str, &str)>,
        body: Vec<u8>,
    ) -> Result<Response, SourceError> {
        let timestamp = (self.now)().as_second().to_string();
        self.ask_at(method, path, query, body, &timestamp, None)
            .await
    }

    /// The same at another time, or with another signature.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn ask_at(
        &self,
        method: Method,
        path: &str,
        query: Option<(&str, &str)>,
        body: Vec<u8>,
        timestamp: &str,
        signature: Option<&str>,
    ) -> Result<Response, SourceError> {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}/{path}",
            self.base.path().trim_end_matches('/')
        ));
        if let Some((name, value)) = query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let signed = Signed {
            timestamp,
            method: method.as_str(),
            target: &target,
            body: &body,
        };
        let signature = signature.map_or_else(|| sign(&self.secret, signed), str::to_owned);
        let mut request = self
            .http
            .request(method.clone(), url)
            .header(header::ACCEPT, "application/json")
            .header(CLIENT, self.name.clone())
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature);
        if method == Method::POST {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        let sent = request.send().await;
        sent.map_err(|error| SourceError::Unavailable(outbound::transport(&error)))
    }
}

/// The body of an answer that is one.
pub(in crate::source) async fn taken(response: Response) -> Result<Vec<u8>, SourceError> {
    let status = response.status();
    let later = status.is_server_error()
        || matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
        );
    if later {
        let status = status.as_u16();
        return Err(SourceError::Unavailable(format!("status {status}")));
    }
    if status.is_redirection() {
        return Err(garbage("it redirects"));
    }
    if status != StatusCode::OK {
        return Err(garbage(format!("status {}", status.as_u16())));
    }
    let body = outbound::body(response, MOST_BYTES).await;
    body.map_err(|error| match error {
        BodyError::Large => garbage("an answer is larger than 16 MiB"),
        BodyError::Broken(how) => SourceError::Unavailable(how),
    })
}

/// Reads an answer. The parser's own words quote values: none of them is passed on.
pub(in crate::source) fn parse<'de, T: Deserialize<'de>>(
    body: &'de [u8],
) -> Result<T, SourceError> {
    serde_json::from_slice(body).map_err(|_| garbage("the answer is not what the contract says"))
}

pub(in crate::source) fn garbage(what: impl Into<String>) -> SourceError {
    SourceError::Garbage(what.into())
}
