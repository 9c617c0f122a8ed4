//! `tuantibu serve`: the server, its scheduler, and their orderly end.
use super::{
    Failure,
    connection::{Noted, Seen, Times},
};
use crate::{
    actions::{chain_audit, erasures},
    anchor,
    app::{App, Parts},
    config::Config,
    web, worker,
};
use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tower::ServiceExt;

/// Requests under way at the end of the program may take this long.
const FINISH_WITHIN: Duration = Duration::from_secs(30);
/// Streams of one HTTP/2 connection.
const STREAMS: u32 = 100;
/// Bytes of headers.
const HEADER_BYTES: usize = 16 * 1024;

/// Serves until the program is told to end.
pub(super) async fn serve(config: Config) -> Result<(), Failure> {
    if config.server.public_url.is_empty() {
        return Err(Failure::Usage(
            "server.public_url: say by which address phones reach this server".into(),
        ));
    }
    let listen = config.server.listen;
    if !listen.ip().is_loopback() && config.server.trusted_proxies.is_empty() {
        return Err(Failure::Usage(
            "server.listen: a plain listener that others reach needs a proxy with TLS before it; \
             name its network in server.trusted_proxies, or listen on 127.0.0.1"
                .into(),
        ));
    }
    let metrics = config.server.metrics_listen;
    let listener = bind(listen, "server.listen").await?;
    if let Some(path) = &config.audit.anchor_file {
        anchor::open(path).map_err(|error| {
            Failure::Usage(format!("audit.anchor_file: {}: {error}", path.display()))
        })?;
    }
    let (app, _) = super::start(config, Parts::default()).await?;
    let metrics = match metrics {
        Some(address) => Some(bind(address, "server.metrics_listen").await?),
        None => None,
    };
    run(app, listener, metrics).await
}

/// Opens a listener.
pub(super) async fn bind(address: SocketAddr, key: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::Usage(format!("{key}: {address}: {error}")))
}

/// Runs server and worker until SIGINT or SIGTERM, then lets what is under way finish.
pub(super) async fn run(
    app: Arc<App>,
    listener: TcpListener,
    metrics: Option<TcpListener>,
) -> Result<(), Failure> {
    let (tell, stop) = watch::channel(false);
    let mut chores = worker::start(&app, &stop);
    chores.push(tokio::spawn(listen(
        listener,
        web::router(app.clone()),
        stop.clone(),
    )));
    if let Some(metrics) = metrics {
        chores.push(tokio::spawn(listen(
            metrics,
            web::metrics_router(app.clone()),
            stop.clone(),
        )));
    }
    until_told().await?;
    tracing::info!("ending");
    // Nobody listens any more only where everything has ended already.
    let _ = tell.send(true);
    for chore in chores {
        let _ = tokio::time::timeout(FINISH_WITHIN, chore).await;
    }
    if let Err(error) = erasures::list_erasures(&app).await {
        tracing::error!(%error, "the last erasures are listed by the next server");
    }
    // What was written last goes into the chain, and numbers that nobody used are filled.
    if let Err(error) = chain_audit::chain_audit(&app).await {
        tracing::error!(%error, "the end of the audit log is left to the next server");
    }
    if let Err(error) = app.holder.let_go().await {
        tracing::warn!(%error, "the others wait for this server's keys a little longer");
    }
    app.store.close().await;
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn until_told() -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(error.to_string());
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Waits until the program is told to end.
async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that the teller is gone: then it ends too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Answers on a listener until it is told to end, and lets what is under way finish.
pub async fn listen(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    listen_within(listener, router, stop, Times::default()).await;
}

/// The same with other times.
pub async fn listen_within(
    listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
    times: Times,
) {
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            biased;
            () = told(&mut stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => answer(stream, peer, router.clone(), &graceful, times),
                // Out of descriptors: those that end meanwhile make room.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(FINISH_WITHIN, graceful.shutdown()).await;
}

fn answer(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    graceful: &GracefulShutdown,
    times: Times,
) {
    let _ = stream.set_nodelay(true);
    let seen = Seen::new();
    let stream = Noted {
        stream,
        seen: seen.clone(),
    };
    let requests = seen.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let under_way = requests.begin(request.version());
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Its own time for headers would run on an idle connection too.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(HEADER_BYTES + 8 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_BYTES as u32);
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        tokio::select! {
            // A connection that breaks is the other side's matter.
            _ = connection => {}
            () = seen.too_slow(times) => {}
        }
    });
}
