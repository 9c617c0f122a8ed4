//! The Health Source API over the embedded source: what `tuantibu source serve` answers. Whoever
//! builds a server of their own can ask this one, and break it on purpose.
mod document;
mod faults;

pub use faults::Faults;

use crate::{
    clock::{Clock, date, rfc3339},
    crypto::{SharedSecret, random::Random},
    model::{
        catalogue::Catalogue,
        document::{Document, DocumentType},
        name::Name,
    },
    source::{
        contract::{
            API, About, CLIENT, ChangesAnswer, MOST, MatchAnswer, MatchAsked, Matching,
            PersonAnswer, PersonAsked, REQUEST_BYTES, ReadAnswer, ReadAsked, Reading, Refusal,
            Refused, SIGNATURE, Signed, TIMESTAMP, VERSION, verify,
        },
        embedded::EmbeddedSource,
        record::WireHealthRecord,
    },
};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::{civil::Date, tz::TimeZone};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::HashSet, sync::Arc};
use url::form_urlencoded;

/// Seconds after which whoever was told "later" may ask again.
const LATER_SECONDS: u32 = 2;

/// A server of the Health Source API.
pub struct HealthSourceServer {
    /// What it answers from.
    pub source: EmbeddedSource,
    /// What requests are signed with.
    pub secret: SharedSecret,
    /// The items that it knows.
    pub catalogue: Arc<Catalogue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for faults.
    pub random: Arc<dyn Random>,
    /// The zone of days and of the times that it tells.
    pub zone: TimeZone,
    /// What is wrong with it.
    pub faults: Faults,
}

type Served = State<Arc<HealthSourceServer>>;

/// The routes, below `/v1`.
pub fn router(server: Arc<HealthSourceServer>) -> Router {
    let signed = Router::new()
        .route("/v1/about", get(about))
        .route("/v1/match", post(match_one))
        .route("/v1/read", post(read))
        .route("/v1/changes", get(changes))
        .method_not_allowed_fallback(async || refuse(StatusCode::METHOD_NOT_ALLOWED))
        .layer(from_fn_with_state(server.clone(), check))
        .with_state(server);
    Router::new()
        .merge(signed)
        .route("/v1/openapi.json", get(document::show))
        .fallback(async || refuse(StatusCode::NOT_FOUND))
}

/// Checks size and signature, hands the body on, and does what is wrong on purpose.
async fn check(State(server): Served, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, REQUEST_BYTES).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let header = |name: &str| header(&parts.headers, name);
    let signed = Signed {
        timestamp: header(TIMESTAMP),
        method: parts.method.as_str(),
        target: parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str()),
        body: &body,
    };
    let now = server.now_seconds();
    if let Err(refused) = verify(&server.secret, signed, header(SIGNATURE), now) {
        return Problem::unsigned(refused).into_response();
    }
    if header(CLIENT).is_empty() {
        return Problem::bad("client_missing", "X-Tuantibu-Client is missing").into_response();
    }
    if let Some(refusal) = server.faults.before(&*server.random).await {
        return refusal;
    }
    let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    server.faults.after(&*server.random, answer).await
}

/// What the server is and can.
#[utoipa::path(get, path = "/v1/about", responses(
    (status = 200, body = About),
    (status = 401, body = Refusal, content_type = "application/problem+json", description = "not_signed, clock"),
))]
async fn about(State(server): Served) -> Response {
    let about = About {
        api: API.to_owned(),
        version: VERSION.to_owned(),
        time: rfc3339(server.now_millis(), &server.zone),
        items: server
            .catalogue
            .items
            .iter()
            .map(|item| item.id.clone())
            .collect(),
        most: MOST,
        changes: true,
    };
    json(&about)
}

/// Whether name, document and phone stand in one record.
#[utoipa::path(post, path = "/v1/match", request_body = MatchAsked, responses(
    (status = 200, body = MatchAnswer),
    (status = 400, body = Refusal, content_type = "application/problem+json", description = "bad_json, bad_field"),
    (status = 401, body = Refusal, content_type = "application/problem+json", description = "not_signed, clock"),
    (status = 503, body = Refusal, content_type = "application/problem+json", description = "try_later, with Retry-After"),
))]
async fn match_one(State(server): Served, headers: HeaderMap, body: Bytes) -> Response {
    let matched = server.match_one(&headers, &body).await;
    matched.map_or_else(IntoResponse::into_response, |answer| json(&answer))
}

/// The records of up to 1,000 people, one answer for each, in their order.
#[utoipa::path(post, path = "/v1/read", request_body = ReadAsked, responses(
    (status = 200, body = ReadAnswer),
    (status = 400, body = Refusal, content_type = "application/problem+json", description = "bad_json, bad_field, unknown_item, twice"),
    (status = 401, body = Refusal, content_type = "application/problem+json", description = "not_signed, clock"),
    (status = 413, body = Refusal, content_type = "application/problem+json", description = "too_many, too_large"),
    (status = 503, body = Refusal, content_type = "application/problem+json", description = "try_later, with Retry-After"),
))]
async fn read(State(server): Served, headers: HeaderMap, body: Bytes) -> Response {
    let read = server.read(&headers, &body).await;
    read.map_or_else(IntoResponse::into_response, |answer| json(&answer))
}

/// The documents whose records changed since a cursor; without one, where the changes stand now.
#[utoipa::path(get, path = "/v1/changes",
    params(("since" = Option<String>, Query, description = "A cursor of an earlier answer")),
    responses(
    (status = 200, body = ChangesAnswer),
    (status = 401, body = Refusal, content_type = "application/problem+json", description = "not_signed, clock"),
    (status = 410, body = Refusal, content_type = "application/problem+json", description = "cursor_gone: everybody is read anew"),
    (status = 503, body = Refusal, content_type = "application/problem+json", description = "try_later, with Retry-After"),
))]
async fn changes(State(server): Served, RawQuery(query): RawQuery) -> Response {
    let mut since = None;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "since" || since.is_some() || value.is_empty() {
            return Problem::bad("bad_query", "One parameter is known: since").into_response();
        }
        since = Some(value.into_owned());
    }
    match server.source.changed(since).await {
        Ok(Some(answer)) => json(&answer),
        Ok(None) => Problem::new(
            StatusCode::GONE,
            "cursor_gone",
            "Nothing is known of this cursor",
        )
        .into_response(),
        Err(error) => later(&error),
    }
}

impl HealthSourceServer {
    fn now_millis(&self) -> i64 {
        self.clock.millis() + self.faults.clock_skew_seconds * 1000
    }

    fn now_seconds(&self) -> i64 {
        self.now_millis().div_euclid(1000)
    }

    fn today(&self) -> Date {
        date(self.clock.millis(), &self.zone)
    }

    async fn match_one(&self, headers: &HeaderMap, body: &[u8]) -> Result<MatchAnswer, Problem> {
        let asked: MatchAsked = question(headers, body)?;
        let document = document_of(asked.document_type, &asked.document_number, self.today())
            .map_err(|error| error.at("document_number"))?;
        let name = name_of(&asked.name).map_err(|error| error.at("name"))?;
        let outcome = match self.records(&[document]).await?.pop().flatten() {
            None => Matching::NoRecord,
            Some(Err(())) => return Err(Problem::later()),
            Some(Ok(record)) => {
                let matched = is_named(&record, &name) & record.phones.contains(&asked.phone);
                if matched {
                    Matching::Matched
                } else {
                    Matching::NotMatched
                }
            }
        };
        Ok(MatchAnswer { outcome })
    }

    async fn read(&self, headers: &HeaderMap, body: &[u8]) -> Result<ReadAnswer, Problem> {
        let asked: ReadAsked = question(headers, body)?;
        if asked.people.len() > MOST {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Problem::new(
                status,
                "too_many",
                "At most 1000 people at once",
            ));
        }
        let today = self.today();
        let mut documents = Vec::with_capacity(asked.people.len());
        let mut names = Vec::with_capacity(asked.people.len());
        let mut seen = HashSet::new();
        for (at, person) in asked.people.iter().enumerate() {
            let at = |field: &str| format!("people[{at}].{field}");
            let document = document_of(person.document_type, &person.document_number, today)
                .map_err(|error| error.at(&at("document_number")))?;
            names.push(name_of(&person.name).map_err(|error| error.at(&at("name")))?);
            if !seen.insert(document.clone()) {
                return Err(
                    Problem::bad("twice", "A document stands twice").at(&at("document_number"))
                );
            }
            if person
                .items
                .iter()
                .any(|item| self.catalogue.get(item).is_none())
            {
                return Err(Problem::bad("unknown_item", "No such item").at(&at("items")));
            }
            documents.push(document);
        }
        let records = self.records(&documents).await?;
        let people = asked.people.into_iter().zip(names).zip(records);
        let answers = people.map(|((asked, name), record)| answer(asked, &name, record));
        let answers = self.faults.answers(&*self.random, answers.collect());
        Ok(ReadAnswer { answers })
    }

    /// The records of documents; `Err` for one that does not open.
    async fn records(
        &self,
        documents: &[Document],
    ) -> Result<Vec<Option<Result<WireHealthRecord, ()>>>, Problem> {
        let records = self.source.records(documents).await.map_err(|error| {
            tracing::error!(%error, "the source does not answer");
            Problem::later()
        })?;
        let told = |record: Option<Result<_, _>>| {
            record.map(|record| {
                record.map_err(|error| tracing::error!(%error, "a record does not open"))
            })
        };
        Ok(records.into_iter().map(told).collect())
    }
}

fn answer(
    asked: PersonAsked,
    name: &Name,
    record: Option<Result<WireHealthRecord, ()>>,
) -> PersonAnswer {
    let (outcome, record) = match record {
        None => (Reading::NoRecord, None),
        Some(Err(())) => (Reading::TryLater, None),
        Some(Ok(record)) if !is_named(&record, name) => (Reading::NotMatched, None),
        Some(Ok(mut record)) => {
            record.items.retain(|id, _| asked.items.contains(id));
            (Reading::Found, Some(record))
        }
    };
    PersonAnswer {
        document_type: asked.document_type,
        document_number: asked.document_number,
        outcome,
        record,
    }
}

fn is_named(record: &WireHealthRecord, name: &Name) -> bool {
    Name::parse(&record.name).is_ok_and(|own| own.key() == name.key())
}

fn document_of(kind: DocumentType, number: &str, today: Date) -> Result<Document, Problem> {
    Document::parse(kind, number, today)
        .map_err(|_| Problem::bad("bad_field", "Not a number of this type of document"))
}

fn name_of(name: &str) -> Result<Name, Problem> {
    Name::parse(name).map_err(|_| Problem::bad("bad_field", "Not a name"))
}

/// Why a request is refused.
struct Problem {
    status: StatusCode,
    code: &'static str,
    title: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &str) -> Self {
        let title = title.to_owned();
        Self {
            status,
            code,
            title,
        }
    }

    fn bad(code: &'static str, title: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, title)
    }

    fn later() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "try_later", "Try later")
    }

    fn unsigned(refused: Refused) -> Self {
        let (code, title) = match refused {
            Refused::Signature => ("not_signed", "The signature is missing or wrong"),
            Refused::Clock => ("clock", "Signed more than 300 seconds ago or ahead"),
        };
        Self::new(StatusCode::UNAUTHORIZED, code, title)
    }

    fn at(mut self, field: &str) -> Self {
        self.title = format!("{field}: {}", self.title);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let refusal = Refusal {
            kind: "about:blank".to_owned(),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code.to_owned(),
        };
        let mut response = (self.status, json(&refusal)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, kind);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, LATER_SECONDS.into());
        }
        response
    }
}

fn later(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "the source does not answer");
    Problem::later().into_response()
}

fn refuse(status: StatusCode) -> Response {
    let code = match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        _ => "too_large",
    };
    let title = status.canonical_reason().unwrap_or_default();
    Problem::new(status, code, title).into_response()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// Reads a question; what cannot be read is named by its place, never by its value.
fn question<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    if !super::json::is_json(headers) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(
            status,
            "unsupported_media_type",
            "JSON alone is read",
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader);
    let question = read.map_err(|error| {
        let problem = Problem::bad("bad_json", "cannot be read");
        problem.at(&error.path().to_string())
    })?;
    reader
        .end()
        .map_err(|_| Problem::bad("bad_json", "Something follows the JSON"))?;
    Ok(question)
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let kind = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
