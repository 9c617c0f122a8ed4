//! What monitoring reads, on a listener of its own: counts, and nothing of a person.
use super::headers;
use crate::{
    actions::{refresh_health, sms_outcomes},
    app::App,
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    middleware::map_response_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::{Arc, OnceLock};

const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counts everything from now on, and answers the counts at `/metrics`.
pub fn metrics_router(app: Arc<App>) -> Router {
    let _ = handle();
    Router::new()
        .route("/metrics", get(metrics))
        .layer(map_response_with_state(app.clone(), with_headers))
        .with_state(app)
}

async fn with_headers(State(app): State<Arc<App>>, mut response: Response) -> Response {
    headers::put(&app, &mut response);
    response
}

/// The process has one recorder, whatever it serves; none where something else records already.
fn handle() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let handle = PrometheusBuilder::new().install_recorder().ok()?;
            metrics::describe_counter!("tuantibu_requests_total", "Requests by route and status");
            metrics::describe_gauge!(
                "tuantibu_refresh_people",
                "People of the last refresh by outcome"
            );
            metrics::describe_gauge!("tuantibu_refresh_running", "Whether a refresh runs");
            metrics::describe_counter!(
                "tuantibu_sms_total",
                "SMS of this server by gateway and outcome"
            );
            metrics::describe_gauge!(
                "tuantibu_sms_circuit_open",
                "Whether a gateway is not tried for a while, on this server"
            );
            metrics::describe_gauge!(
                "tuantibu_sms_messages",
                "SMS of the last 24 hours by state, of all servers"
            );
            Some(handle)
        })
        .as_ref()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let Some(handle) = handle() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    if let Ok(Some((run, is_under_way))) = refresh_health::last_run(&app).await {
        for (outcome, count) in [
            ("updated", run.updated),
            ("unchanged", run.unchanged),
            ("failed", run.failed),
            ("unmatched", run.unmatched),
        ] {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!("tuantibu_refresh_people", "outcome" => outcome).set(count);
        }
        metrics::gauge!("tuantibu_refresh_running").set(u32::from(is_under_way));
    }
    for gateway in sms_outcomes::standings(&app) {
        metrics::gauge!("tuantibu_sms_circuit_open", "gateway" => gateway.gateway)
            .set(u32::from(gateway.is_open));
    }
    if let Ok(counts) = sms_outcomes::counts(&app, 1).await {
        for state in sms_outcomes::STATES {
            let of = counts.iter().filter(|count| count.state == state);
            let messages: i64 = of.map(|count| count.messages).sum();
            metrics::gauge!("tuantibu_sms_messages", "state" => state)
                .set(u32::try_from(messages).unwrap_or(u32::MAX));
        }
    }
    ([(header::CONTENT_TYPE, KIND)], handle.render()).into_response()
}
