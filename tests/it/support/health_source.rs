//! A server of the Health Source API on a loopback port, over an embedded source of its own.
use super::{Store, catalogue, shanghai};
use jiff::Timestamp;
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch};
use tuantibu::{
    cli::serve::listen,
    clock::{Clock, ManualClock},
    crypto::{Keys, SharedSecret, random::OsRandom},
    source::http::{HttpSource, HttpSourceConfig},
    web::health_source::{Faults, HealthSourceServer, router},
};

/// What both sides sign with.
pub(crate) const SECRET: &[u8] = b"the shared secret of these tests, 40 byte";

/// The server, until it is dropped.
pub(crate) struct Simulator {
    pub(crate) address: SocketAddr,
    pub(crate) server: Arc<HealthSourceServer>,
    pub(crate) store: Store,
    _stop: watch::Sender<bool>,
}

impl Simulator {
    pub(crate) async fn start(clock: &Arc<ManualClock>, faults: Faults) -> Self {
        let store = Store::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(HealthSourceServer {
            source: store.open_again().await,
            secret: SharedSecret::new(SECRET).unwrap(),
            catalogue: catalogue(),
            clock: clock.clone(),
            random: Arc::new(OsRandom::new()),
            zone: shanghai(),
            faults,
        });
        let (stop, told) = watch::channel(false);
        tokio::spawn(listen(listener, router(server.clone()), told));
        Self {
            address,
            server,
            store,
            _stop: stop,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// A connector to it.
    pub(crate) fn source(&self, clock: &Arc<ManualClock>) -> HttpSource {
        connector(&self.url(), &self.store.keys, clock)
    }
}

/// A connector to any address.
pub(crate) fn connector(url: &str, keys: &Arc<Keys>, clock: &Arc<ManualClock>) -> HttpSource {
    let config = HttpSourceConfig {
        url,
        client: "tests",
        secret: SharedSecret::new(SECRET).unwrap(),
        timeout: std::time::Duration::from_secs(5),
        zone: shanghai(),
        catalogue: catalogue(),
        regions: tuantibu::model::phone::Regions::default(),
    };
    let clock = clock.clone();
    let now = move || -> Timestamp { clock.now() };
    HttpSource::new(config, keys.clone(), Arc::new(now)).unwrap()
}
