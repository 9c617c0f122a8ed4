//! `tuantibu demo`: everything embedded, with sample people.
use super::{Failure, people, serve};
use crate::{
    app::Parts,
    config::{Config, SmsKind},
    model::address::problem_for_phones,
    qr::Qr,
    telemetry,
};
use std::{
    io::IsTerminal,
    net::{IpAddr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
};

/// People who are told to whoever tries the demo.
const SHOWN: usize = 6;

/// What the demo's configuration begins with; the environment goes over it.
pub(super) fn defaults(data: &Path) -> Config {
    let mut config = Config::default();
    config.database.url = format!("sqlite:{}", data.join("tuantibu.db").display());
    config.keys.file = data.join("root.key");
    config.source.url = data.join("source.db").display().to_string();
    config.sms.kind = SmsKind::Outbox;
    config.log.filter = "warn".into();
    config.operator.name = "团体簿演示".into();
    config
}

/// Runs the demo until it is told to end.
pub(super) async fn demo(listen: SocketAddr, data: Option<PathBuf>) -> Result<(), Failure> {
    let temporary;
    let data = match data {
        Some(data) => data,
        None => {
            temporary = Temporary::new()?;
            temporary.0.clone()
        }
    };
    std::fs::create_dir_all(&data)
        .map_err(|error| Failure::Usage(format!("--data: {}: {error}", data.display())))?;
    let mut config = defaults(&data);
    config.server.listen = listen;
    let mut config = Config::load_over(config, None)?;
    telemetry::start(&config.log).map_err(Failure::Usage)?;
    let listener = serve::bind(config.server.listen, "server.listen").await?;
    let local = listener
        .local_addr()
        .map_err(|error| Failure::Failed(error.to_string()))?;
    if config.server.public_url.is_empty() {
        config.server.public_url = format!(
            "http://{}",
            SocketAddr::new(reached_by(local), local.port())
        );
    }
    let url = config.server.public_url.clone();
    let metrics = match config.server.metrics_listen {
        Some(address) => Some(serve::bind(address, "server.metrics_listen").await?),
        None => None,
    };
    let (app, _) = super::start(
        config,
        Parts {
            demo: true,
            ..Parts::default()
        },
    )
    .await?;
    let samples = people::fill(&app).await?;
    println!("团体簿演示 / tuantibu demo: {url}");
    println!("数据 / data: {}", data.display());
    let few: Vec<_> = samples.into_iter().take(SHOWN).collect();
    if let Some(demo) = &app.demo {
        let _ = demo.people.set(few.clone());
    }
    if !few.is_empty() {
        println!("可以试用的人（虚构）/ people to try (invented):");
        let note = |key: &str| {
            let all = app
                .texts
                .languages()
                .map(|lang| app.texts.get(lang, key, &[]));
            all.filter(|words| !words.is_empty())
                .collect::<Vec<_>>()
                .join(" / ")
        };
        for person in &few {
            println!(
                "  {}  {}  {}  {}",
                person.name,
                person.document,
                person.phone,
                note(person.note)
            );
        }
        println!("短信在 / SMS on: {url}/demo  (JSON: {url}/demo/sms)");
    }
    print_code(&url);
    serve::run(app, listener, metrics).await
}

/// The address as a QR, where a phone in the same network opens it.
fn print_code(url: &str) {
    if problem_for_phones(url, true).is_some() {
        return;
    }
    if let Ok(qr) = Qr::of(&format!("{}/", url.trim_end_matches('/'))) {
        println!("用同一网络里的手机扫码打开 / scan with a phone in the same network:");
        print!("{}", qr.lines(std::io::stdout().is_terminal()));
    }
}

/// The address by which others reach a listener: for one on every interface, this machine's own in
/// its network. No packet is sent.
fn reached_by(local: SocketAddr) -> IpAddr {
    if !local.ip().is_unspecified() {
        return local.ip();
    }
    // 192.0.2.1 is for documentation (RFC 5737): it only makes the system choose an interface.
    UdpSocket::bind("0.0.0.0:0")
        .and_then(|socket| {
            socket.connect("192.0.2.1:9")?;
            socket.local_addr()
        })
        .map_or(IpAddr::from([127, 0, 0, 1]), |address| address.ip())
}

/// A folder that goes with the demo.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Result<Self, Failure> {
        use std::os::unix::fs::DirBuilderExt;
        let path = std::env::temp_dir().join(format!("tuantibu-demo-{}", std::process::id()));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed stays for the system's own cleaning of temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
