//! A server of the Health Source API on a loopback port, over an embedded source of its own.
use super::{Store, catalogue, shanghai};
use jiff::Timestamp;
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tuantibu::{
    cli::serve::listen,
    clock::{Clock, ManualClock},
    crypto::{SharedSecret, random::OsRandom},
    source::http::{HttpSource, HttpSourceConfig},
    web::health_source::{Faults, HealthSourceServer, router},
};

/// What both sides sign with.
pub(crate) const SECRET: &[u8] = b"the shared secret of these tests, 40 byte";

/// The server, until it is dropped.
pub(crate) struct Simulator {
    pub(crate) address: SocketAddr,
    pub(crate) server: Arc<HealthSourceServer>,
    store: Arc<Store>,
    stop: watch::Sender<bool>,
    answering: JoinHandle<()>,
}

impl Simulator {
    pub(crate) async fn start(clock: &Arc<ManualClock>, faults: Faults) -> Self {
        Self::over(Arc::new(Store::new().await), clock, faults, "127.0.0.1:0").await
    }

    async fn over(
        store: Arc<Store>,
        clock: &Arc<ManualClock>,
        faults: Faults,
        address: &str,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
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
        let answering = tokio::spawn(listen(listener, router(server.clone()), told));
        Self {
            address,
            server,
            store,
            stop,
            answering,
        }
    }

    /// Ends the server and starts another at the same address, over the same people.
    pub(crate) async fn stopped(self) -> Stopped {
        self.stop.send(true).unwrap();
        self.answering.await.unwrap();
        self.server.source.close().await;
        Stopped {
            store: self.store,
            address: self.address,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// A connector to it.
    pub(crate) fn source(&self, clock: &Arc<ManualClock>) -> HttpSource {
        connector(&self.url(), &self.store, clock)
    }
}

/// A server that is down.
pub(crate) struct Stopped {
    store: Arc<Store>,
    address: SocketAddr,
}

impl Stopped {
    pub(crate) async fn started(self, clock: &Arc<ManualClock>) -> Simulator {
        let address = self.address.to_string();
        Simulator::over(self.store, clock, Faults::default(), &address).await
    }
}

/// A connector to any address.
pub(crate) fn connector(url: &str, store: &Store, clock: &Arc<ManualClock>) -> HttpSource {
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
    HttpSource::new(config, store.keys.clone(), Arc::new(now)).unwrap()
}
