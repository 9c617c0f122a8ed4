//! `tuantibu source serve`: the embedded source over the Health Source API.
use super::{
    super::{keys::BEAT, serve},
    Failure, Where,
};
use crate::{
    app::{self, Holder, Parts},
    crypto::SharedSecret,
    model::catalogue::Catalogue,
    web::health_source::{Faults, HealthSourceServer, router},
};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::sync::watch;

pub(super) async fn serve(
    listen: SocketAddr,
    secret_file: &Path,
    faults: Faults,
    place: &Where,
) -> Result<(), Failure> {
    let secret = secret(secret_file)?;
    let config = place.load()?;
    let zone = config.zone()?;
    let parts = Parts::default();
    let (source, holder) = app::open_embedded(&config, &parts).await?;
    let listener = serve::bind(listen, "--listen").await?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let server = Arc::new(HealthSourceServer {
        source,
        secret,
        catalogue: Arc::new(Catalogue::embedded()),
        clock: parts.clock,
        random: parts.random,
        zone,
        faults,
    });
    tokio::spawn(follow(holder.clone(), server.clone()));
    println!("Health Source API: http://{address}/v1");
    println!("OpenAPI: http://{address}/v1/openapi.json");
    let (tell, stop) = watch::channel(false);
    let answering = tokio::spawn(serve::listen(listener, router(server.clone()), stop));
    serve::until_told().await?;
    // Nobody listens any more only where everything has ended already.
    let _ = tell.send(true);
    let _ = answering.await;
    server.source.close().await;
    holder.let_go().await?;
    Ok(())
}

/// Follows the keys, with the file too, for as long as it answers.
async fn follow(holder: Arc<Holder>, server: Arc<HealthSourceServer>) {
    loop {
        if let Err(error) = holder.follow(&server.source, || {}).await {
            tracing::error!(%error, "the keys were not loaded anew");
        }
        tokio::time::sleep(BEAT).await;
    }
}

/// The secret of `--secret-file`.
pub(super) fn secret(file: &Path) -> Result<SharedSecret, Failure> {
    SharedSecret::read(file)
        .map_err(|error| Failure::Usage(format!("--secret-file: {}: {error}", file.display())))
}
