//! A FHIR server that answers anything: bundles, resources, next links.
use super::import::{assert_known, catalogue};
use axum::{Router, extract::State, http::header, response::IntoResponse};
use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime};
use tuantibu::{
    model::{
        document::{Document, DocumentType},
        health::ItemRecord,
        name::Name,
        phone::Regions,
    },
    source::{
        Answer, Ask, HealthSource,
        fhir::{FhirConfig, FhirSource},
    },
};

const NOW: &str = "2022-11-14T23:58:00+08:00";
const ITEMS: [&str; 2] = ["nucleic_acid", "vaccination"];

/// The answers to be given, in turn and then again.
type Script = Arc<Mutex<(Vec<Vec<u8>>, usize)>>;

struct Server {
    runtime: Runtime,
    source: FhirSource,
    script: Script,
    /// Requests outside the base, and connections elsewhere.
    strayed: Arc<AtomicUsize>,
    /// Where nobody may connect; the input names it as `http://ELSEWHERE`.
    elsewhere: String,
    base: String,
}

async fn answer(
    State((script, strayed)): State<(Script, Arc<AtomicUsize>)>,
    request: axum::extract::Request,
) -> impl IntoResponse {
    if !request.uri().path().starts_with("/fhir") {
        strayed.fetch_add(1, Ordering::SeqCst);
    }
    let mut script = script.lock().unwrap();
    let at = script.1 % script.0.len().max(1);
    script.1 += 1;
    let body = script.0.get(at).cloned().unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/fhir+json")], body)
}

impl Server {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let script = Script::default();
        let strayed = Arc::new(AtomicUsize::new(0));
        let state = (script.clone(), strayed.clone());
        let (base, elsewhere) = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}/fhir", listener.local_addr().unwrap());
            let router = Router::new().fallback(answer).with_state(state);
            tokio::spawn(async move { axum::serve(listener, router).await });
            let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let elsewhere = other.local_addr().unwrap().to_string();
            let heard = strayed.clone();
            tokio::spawn(async move {
                while other.accept().await.is_ok() {
                    heard.fetch_add(1, Ordering::SeqCst);
                }
            });
            (base, elsewhere)
        });
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        let mut config = FhirConfig::new(&base, zone, Regions::default()).unwrap();
        config.timeout = Duration::from_secs(5);
        config.max_pages = 5;
        let now = NOW.parse().unwrap();
        let source = FhirSource::new(config, catalogue(), Arc::new(move || now)).unwrap();
        Self {
            runtime,
            source,
            script,
            strayed,
            elsewhere,
            base,
        }
    }
}

/// Answers apart by U+001E, or two bytes that stand for it where the input is no text.
pub(super) fn bundles(data: &[u8]) {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(Server::start);
    let replaced = String::from_utf8_lossy(data)
        .replace("ELSEWHERE", &server.elsewhere)
        .replace("BASE", &server.base);
    let answers = replaced
        .split('\u{1E}')
        .map(|part| part.as_bytes().to_vec());
    *server.script.lock().unwrap() = (answers.collect(), 0);
    let asked = Ask {
        name: Name::parse("王小王伟").unwrap(),
        document: Document::parse(
            DocumentType::ResidentId,
            "110100195001010010",
            super::today(),
        )
        .unwrap_or_else(|error| panic!("{error}")),
        items: ITEMS.map(str::to_owned).to_vec(),
    };
    let answers = server.runtime.block_on(server.source.read(&[asked]));
    assert_eq!(
        server.strayed.load(Ordering::SeqCst),
        0,
        "it asked elsewhere"
    );
    let Ok(answers) = answers else { return };
    assert_eq!(answers.len(), 1);
    if let [Answer::Found { items, .. }] = &*answers {
        assert!(
            items.keys().all(|item| ITEMS.contains(&item.as_str())),
            "nobody asked"
        );
        assert_known(
            items
                .iter()
                .filter_map(|(id, record)| Some((id, record.as_ref()?))),
        );
        for record in items.values().flatten() {
            if let ItemRecord::Immunization {
                doses: Some(doses), ..
            } = record
            {
                assert!(*doses > 0);
            }
        }
    }
}
