//! Requests and pages. No message holds a URL: they carry identifiers.
use super::{ConfigError, Credentials, FhirConfig, patient::Found};
use crate::{
    outbound::{self, BodyError},
    source::SourceError,
};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
};
use url::Url;

/// An entry of a bundle that matched.
pub(super) struct Entry {
    /// The server's own name of the resource.
    pub(super) full_url: Option<String>,
    /// The resource.
    pub(super) resource: Value,
}

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "resourceType")]
    resource_type: String,
    #[serde(default)]
    total: Option<u64>,
    #[serde(default)]
    link: Vec<Link>,
    #[serde(default)]
    entry: Vec<BundleEntry>,
}

#[derive(Deserialize)]
struct Link {
    relation: String,
    url: String,
}

#[derive(Deserialize)]
struct BundleEntry {
    #[serde(rename = "fullUrl", default)]
    full_url: Option<String>,
    #[serde(default)]
    resource: Value,
    #[serde(default)]
    search: Option<SearchMode>,
}

#[derive(Deserialize)]
struct SearchMode {
    #[serde(default)]
    mode: Option<String>,
}

/// A client of one server.
pub(super) struct Client {
    http: reqwest::Client,
    config: FhirConfig,
    /// Requests in a row that got no answer at all.
    unreached: AtomicUsize,
}

impl Client {
    pub(super) fn new(config: &FhirConfig) -> Result<Self, ConfigError> {
        let mut headers = header::HeaderMap::new();
        headers.insert(
            header::ACCEPT,
            header::HeaderValue::from_static("application/fhir+json"),
        );
        if let Credentials::Bearer(token) = &config.credentials {
            let mut value = header::HeaderValue::from_str(&format!("Bearer {}", **token))
                .map_err(|_| ConfigError::Credentials)?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let http = outbound::client(config.timeout)
            .default_headers(headers)
            .build()
            .map_err(|error| ConfigError::Client(outbound::cause(&error)))?;
        Ok(Self {
            http,
            config: config.clone(),
            unreached: AtomicUsize::new(0),
        })
    }

    /// Requests in a row that got no answer at all.
    pub(super) fn unreached(&self) -> usize {
        self.unreached.load(Ordering::Relaxed)
    }

    /// Forgets them, as a batch begins.
    pub(super) fn count_anew(&self) {
        self.unreached.store(0, Ordering::Relaxed);
    }

    /// Walks all pages of a search and hands over each matching entry of the type asked for.
    pub(super) async fn search(
        &self,
        kind: &'static str,
        query: &[(&'static str, String)],
        mut each: impl FnMut(Entry) -> Result<(), SourceError> + Send,
    ) -> Result<(), SourceError> {
        let mut seen = HashSet::new();
        let mut arrived: u64 = 0;
        let mut request = self.first(kind, query);
        loop {
            let body = self.fetch(request).await?;
            let bundle = read(&body)?;
            for entry in bundle.entry {
                arrived += u64::from(deliver(kind, entry, &mut each)?);
            }
            let next = bundle.link.iter().find(|link| link.relation == "next");
            let Some(next) = next else {
                // Half an answer could hide a positive test.
                return match bundle.total {
                    Some(total) if arrived < total => Err(garbage(
                        "fewer entries arrived than the search says it found",
                    )),
                    _ => Ok(()),
                };
            };
            let url = self.next_page(&next.url)?;
            if seen.len() + 1 >= self.config.max_pages {
                return Err(garbage("more pages than allowed"));
            }
            request = self.http.get(url.clone());
            if !seen.insert(url) {
                return Err(garbage("the pages run in a circle"));
            }
        }
    }

    /// Whether a reference names this patient: relative, absolute on our base, or by the
    /// `urn:uuid` under which the patient itself came.
    pub(super) fn is_patient(&self, reference: &str, patient: &Found) -> bool {
        if reference.starts_with("urn:") {
            return patient.urn.as_deref() == Some(reference);
        }
        let base = self.config.base.as_str().trim_end_matches('/');
        let relative = match reference.strip_prefix(base) {
            Some(rest) => rest.strip_prefix('/'),
            None => Some(reference),
        };
        let id = relative.and_then(|relative| relative.strip_prefix("Patient/"));
        let id = id.map(|id| id.split_once("/_history/").map_or(id, |(id, _)| id));
        id == Some(&*patient.id)
    }

    fn first(&self, kind: &str, query: &[(&'static str, String)]) -> RequestBuilder {
        let mut url = self.config.base.clone();
        let count = self
            .config
            .page_size
            .map(|size| ("_count", size.to_string()));
        let pairs = || {
            query
                .iter()
                .chain(&count)
                .map(|(name, value)| (*name, value.as_str()))
        };
        let path = format!("{}/{kind}", url.path().trim_end_matches('/'));
        if self.config.post_search {
            url.set_path(&format!("{path}/_search"));
            let form = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs())
                .finish();
            self.http
                .post(url)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form)
        } else {
            url.set_path(&path);
            url.query_pairs_mut().extend_pairs(pairs());
            self.http.get(url)
        }
    }

    /// A page's address, if it lies on the configured scheme, host, port and below the base path.
    fn next_page(&self, link: &str) -> Result<Url, SourceError> {
        let base = &self.config.base;
        let refused = || garbage("a next link leads away from the configured base");
        let folder = {
            let mut folder = base.clone();
            folder.set_path(&format!("{}/", base.path().trim_end_matches('/')));
            folder
        };
        let mut url = folder.join(link).map_err(|_| refused())?;
        url.set_fragment(None);
        let path = url.path().to_ascii_lowercase();
        // A server may decode what the URL's own rules leave encoded.
        let hidden = ["%2f", "%5c", "%2e"].iter().any(|code| path.contains(code));
        let below = url.path() == base.path() || url.path().starts_with(folder.path());
        let same = url.scheme() == base.scheme()
            && url.host() == base.host()
            && url.port_or_known_default() == base.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none();
        if same && below && !hidden {
            Ok(url)
        } else {
            Err(refused())
        }
    }

    async fn fetch(&self, request: RequestBuilder) -> Result<Vec<u8>, SourceError> {
        let request = match &self.config.credentials {
            Credentials::Basic { user, password } => request.basic_auth(user, Some(&**password)),
            _ => request,
        };
        let response = request.send().await.map_err(|error| {
            self.unreached.fetch_add(1, Ordering::Relaxed);
            transport(&error)
        })?;
        self.count_anew();
        let status = response.status();
        match status {
            StatusCode::OK => self.body(response).await,
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN => Err(unavailable(format!("status {}", status.as_u16()))),
            _ if status.is_server_error() => {
                Err(unavailable(format!("status {}", status.as_u16())))
            }
            _ if status.is_redirection() => Err(garbage("it redirects")),
            // Also 404: a search for nobody answers 200 with an empty bundle, so this is a wrong
            // address and not a missing person.
            _ => Err(garbage(format!("status {}", status.as_u16()))),
        }
    }

    async fn body(&self, response: Response) -> Result<Vec<u8>, SourceError> {
        let body = outbound::body(response, self.config.max_page_bytes).await;
        body.map_err(|error| match error {
            BodyError::Large => garbage("a page is larger than allowed"),
            BodyError::Broken(how) => unavailable(how),
        })
    }
}

/// Hands over an entry of the type asked for; whether it counts among the search's matches.
fn deliver(
    kind: &str,
    entry: BundleEntry,
    each: &mut impl FnMut(Entry) -> Result<(), SourceError>,
) -> Result<bool, SourceError> {
    let kind_of = entry.resource["resourceType"].as_str();
    let mode = entry
        .search
        .as_ref()
        .and_then(|search| search.mode.as_deref());
    if kind_of == Some("OperationOutcome") {
        return if is_error(&entry.resource) {
            Err(garbage("the search came with an error"))
        } else {
            Ok(false)
        };
    }
    if mode.is_some_and(|mode| mode != "match") {
        return Ok(false);
    }
    if kind_of == Some(kind) {
        each(Entry {
            full_url: entry.full_url,
            resource: entry.resource,
        })?;
    }
    Ok(true)
}

fn read(body: &[u8]) -> Result<Bundle, SourceError> {
    let bundle: Bundle =
        serde_json::from_slice(body).map_err(|_| garbage("the answer is no FHIR bundle"))?;
    if bundle.resource_type != "Bundle" {
        return Err(garbage("the answer is no FHIR bundle"));
    }
    Ok(bundle)
}

fn is_error(outcome: &Value) -> bool {
    let issues = outcome["issue"].as_array();
    issues
        .into_iter()
        .flatten()
        .any(|issue| matches!(issue["severity"].as_str(), Some("error" | "fatal")))
}

fn transport(error: &reqwest::Error) -> SourceError {
    unavailable(outbound::transport(error))
}

fn garbage(what: impl Into<String>) -> SourceError {
    SourceError::Garbage(what.into())
}

fn unavailable(what: impl Into<String>) -> SourceError {
    SourceError::Unavailable(what.into())
}

#[cfg(test)]
mod tests;
