//! A FHIR server that answers whatever a test wants, and a listener that must hear nothing.
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

/// A request.
pub(crate) struct Asked {
    /// The server's own base.
    pub(crate) base: String,
    /// The path below the base.
    pub(crate) path: String,
    /// The query, of a repeated name the last.
    pub(crate) query: BTreeMap<String, String>,
}

/// An answer.
pub(crate) enum Reply {
    /// 200 with JSON.
    Json(Value),
    /// A status, a content type and a body.
    Raw(u16, &'static str, Vec<u8>),
    /// A redirect.
    Redirect(String),
    /// Half a body, then the connection ends.
    Half(&'static str),
    /// A body without length and end.
    Endless,
    /// An answer that is late.
    Late(Duration),
}

type Answer = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The server.
pub(crate) struct FakeFhir {
    /// Its base.
    pub(crate) base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Shared {
    base: String,
    answer: Arc<Answer>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FakeFhir {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/fhir", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            base: base.clone(),
            answer: Arc::new(answer),
            requests: requests.clone(),
        };
        let router = Router::new().fallback(reply).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, requests }
    }

    /// The paths and queries asked for so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn reply(State(shared): State<Shared>, request: Request) -> Response {
    let uri = request.uri();
    shared.requests.lock().unwrap().push(uri.to_string());
    let query = url::form_urlencoded::parse(uri.query().unwrap_or("").as_bytes());
    let asked = Asked {
        base: shared.base.clone(),
        path: uri.path().trim_start_matches("/fhir").to_owned(),
        query: query.into_owned().collect(),
    };
    let response = |status: u16, kind: &str, body: Body| {
        let builder = Response::builder().status(status);
        builder.header("content-type", kind).body(body).unwrap()
    };
    match (shared.answer)(&asked) {
        Reply::Json(value) => response(200, "application/fhir+json", value.to_string().into()),
        Reply::Raw(status, kind, body) => response(status, kind, body.into()),
        Reply::Redirect(to) => Response::builder()
            .status(302)
            .header("location", to)
            .body(Body::empty())
            .unwrap(),
        Reply::Half(text) => {
            let parts = [
                Ok(text.to_owned()),
                Err(std::io::Error::other("the cable is cut")),
            ];
            let body = Body::from_stream(futures_util::stream::iter(parts));
            response(200, "application/fhir+json", body)
        }
        Reply::Endless => {
            let parts = futures_util::stream::repeat_with(|| {
                Ok::<_, std::io::Error>(" ".repeat(64 * 1024))
            });
            let body = Body::from_stream(parts);
            response(200, "application/fhir+json", body)
        }
        Reply::Late(by) => {
            tokio::time::sleep(by).await;
            response(
                200,
                "application/fhir+json",
                bundle(&[], None).to_string().into(),
            )
        }
    }
}

/// A page of a search.
pub(crate) fn bundle(resources: &[Value], next: Option<&str>) -> Value {
    let entries: Vec<Value> = resources
        .iter()
        .map(|resource| json!({"resource": resource, "search": {"mode": "match"}}))
        .collect();
    let links: Vec<Value> = next
        .into_iter()
        .map(|url| json!({"relation": "next", "url": url}))
        .collect();
    json!({"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": links})
}

/// A listener that counts who connects.
pub(crate) struct Sentinel {
    /// Its address.
    pub(crate) url: String,
    heard: Arc<AtomicUsize>,
}

impl Sentinel {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(AtomicUsize::new(0));
        let counter = heard.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { url, heard }
    }

    /// How often somebody connected.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}
