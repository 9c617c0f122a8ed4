//! A FHIR server of many people, which both servers ask under paths of their own, so that it knows
//! who asked for whom; it can hold a server's request until a test lets it go.
use crate::{app::Person, support::fake_fhir::bundle};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::get,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{net::TcpListener, sync::watch};
use tuantibu::{
    clock::{Clock, SystemClock},
    source::fhir::RESIDENT_ID_SYSTEM,
};

/// How many people it knows, from number 1 on.
pub(crate) const KNOWN: usize = 999;

/// Which of a server's requests for a patient are held.
#[derive(Clone, Copy, Debug)]
struct Hold {
    after: usize,
}

/// What it was asked since the last time, by server.
#[derive(Default)]
struct Asked {
    /// Documents asked for, in order.
    asked: Vec<String>,
    /// Documents of which everything was answered.
    answered: Vec<String>,
}

struct Shared {
    base: String,
    people: HashMap<String, Person>,
    sampled_at: String,
    positive: AtomicBool,
    asked: Mutex<BTreeMap<String, Asked>>,
    holds: watch::Sender<BTreeMap<String, Hold>>,
    held: watch::Sender<BTreeMap<String, bool>>,
}

/// The server.
pub(crate) struct Hospital(Arc<Shared>);

impl Hospital {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let people = (1..=KNOWN).map(Person::number);
        let two_days_ago = SystemClock.millis() - 2 * 86_400_000;
        let zone = crate::support::shanghai();
        let shared = Arc::new(Shared {
            base: format!("http://{}", listener.local_addr().unwrap()),
            people: people.map(|one| (one.document.clone(), one)).collect(),
            sampled_at: tuantibu::clock::rfc3339(two_days_ago, &zone),
            positive: AtomicBool::new(false),
            asked: Mutex::default(),
            holds: watch::Sender::default(),
            held: watch::Sender::default(),
        });
        let router = Router::new()
            .route("/{server}/Patient", get(patient))
            .route("/{server}/Observation", get(observation))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self(shared)
    }

    /// The base that a server is configured with.
    pub(crate) fn base(&self, server: &str) -> String {
        format!("{}/{server}", self.0.base)
    }

    /// From now on everybody's newest test has the other result.
    pub(crate) fn turn(&self) {
        self.0.positive.fetch_xor(true, Ordering::SeqCst);
    }

    /// Forgets what was asked, and holds what a server asks once it has asked for so many people.
    pub(crate) fn hold(&self, after: &[(&str, usize)]) {
        self.0.asked.lock().unwrap().clear();
        self.0.held.send_modify(BTreeMap::clear);
        self.0.holds.send_modify(|holds| {
            *holds = after
                .iter()
                .map(|(server, after)| ((*server).to_owned(), Hold { after: *after }))
                .collect();
        });
    }

    /// Waits until a request of the server is held.
    pub(crate) async fn held(&self, server: &str) {
        let mut held = self.0.held.subscribe();
        let wait = held.wait_for(|held| held.get(server) == Some(&true));
        let within = std::time::Duration::from_secs(30);
        let held = tokio::time::timeout(within, wait).await;
        held.unwrap_or_else(|_| panic!("{server} asks for nobody"))
            .unwrap();
    }

    /// Lets everything of a server go on.
    pub(crate) fn release(&self, server: &str) {
        self.0.holds.send_modify(|holds| {
            holds.remove(server);
        });
    }

    /// Whom a server asked for since the last [`Hospital::hold`].
    pub(crate) fn asked(&self, server: &str) -> Vec<String> {
        let asked = self.0.asked.lock().unwrap();
        asked
            .get(server)
            .map_or(Vec::new(), |own| own.asked.clone())
    }

    /// Of whom a server was told everything since then.
    pub(crate) fn answered(&self, server: &str) -> Vec<String> {
        let asked = self.0.asked.lock().unwrap();
        asked
            .get(server)
            .map_or(Vec::new(), |own| own.answered.clone())
    }
}

async fn patient(
    State(shared): State<Arc<Shared>>,
    Path(server): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Json<Value> {
    let (_, document) = query["identifier"].split_once('|').unwrap();
    let nth = {
        let mut asked = shared.asked.lock().unwrap();
        let own = &mut asked.entry(server.clone()).or_default().asked;
        own.push(document.to_owned());
        own.len()
    };
    let free =
        |holds: &BTreeMap<String, Hold>| holds.get(&server).is_none_or(|hold| nth <= hold.after);
    let mut holds = shared.holds.subscribe();
    if !free(&holds.borrow()) {
        shared.held.send_modify(|held| {
            held.insert(server.clone(), true);
        });
    }
    holds.wait_for(free).await.unwrap();
    let found = shared.people.get(document).map(|person| {
        json!({
            "resourceType": "Patient", "id": person.document,
            "identifier": [{ "system": RESIDENT_ID_SYSTEM, "value": person.document }],
            "name": [{ "text": person.name }],
            "telecom": [{ "system": "phone", "value": person.phone() }],
        })
    });
    Json(bundle(found.as_slice(), None))
}

async fn observation(
    State(shared): State<Arc<Shared>>,
    Path(server): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Json<Value> {
    let patient = &query["patient"];
    let document = patient.trim_start_matches("Patient/");
    let result = if shared.positive.load(Ordering::SeqCst) {
        "260373001"
    } else {
        "260415000"
    };
    shared
        .asked
        .lock()
        .unwrap()
        .entry(server)
        .or_default()
        .answered
        .push(document.to_owned());
    let found = json!({
        "resourceType": "Observation", "id": document, "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "94500-6" }] },
        "subject": { "reference": patient }, "effectiveDateTime": shared.sampled_at,
        "valueCodeableConcept": { "coding": [{ "system": "http://snomed.info/sct", "code": result }] },
    });
    Json(bundle(&[found], None))
}
