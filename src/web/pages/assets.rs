//! The stylesheet, the scripts and the icons: embedded, and served under names that change with their content.
use crate::web::headers::Caching;
use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::OnceLock;

struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const ASSETS: [Asset; 5] = [
    Asset {
        name: "style.css",
        content_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../../../assets/style.css"),
    },
    Asset {
        name: "script.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../../assets/script.js"),
    },
    Asset {
        name: "passkey.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../../assets/passkey.js"),
    },
    Asset {
        name: "icons.svg",
        content_type: "image/svg+xml; charset=utf-8",
        bytes: include_bytes!("../../../assets/icons.svg"),
    },
    Asset {
        name: "favicon.svg",
        content_type: "image/svg+xml; charset=utf-8",
        bytes: include_bytes!("../../../assets/favicon.svg"),
    },
];

/// Each asset's address, in the order of [`ASSETS`].
fn urls() -> &'static [String] {
    static URLS: OnceLock<Vec<String>> = OnceLock::new();
    URLS.get_or_init(|| {
        let hashed = |asset: &Asset| {
            let (stem, ending) = asset.name.split_once('.').unwrap_or((asset.name, ""));
            // Half of it tells versions apart, and a list names the icons often.
            format!("/assets/{stem}-{:08x}.{ending}", fnv1a(asset.bytes) >> 32)
        };
        ASSETS.iter().map(hashed).collect()
    })
}

/// The address of an asset.
pub(super) fn url(name: &str) -> &'static str {
    ASSETS
        .iter()
        .position(|asset| asset.name == name)
        .and_then(|at| urls().get(at))
        .map_or("", String::as_str)
}

/// FNV-1a of 64 bits: it tells versions of our own files apart, nothing more.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `/assets/{name}`
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let mut response = find(&format!("/assets/{name}"));
    response.extensions_mut().insert(Caching::Immutable);
    response
}

/// Browsers ask for it whatever the pages say. Its name stays when it changes, so nobody keeps it.
pub(super) async fn favicon() -> Response {
    find(url("favicon.svg"))
}

fn find(path: &str) -> Response {
    let found = urls().iter().position(|url| *url == path);
    match found.and_then(|at| ASSETS.get(at)) {
        Some(asset) => ([(header::CONTENT_TYPE, asset.content_type)], asset.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
