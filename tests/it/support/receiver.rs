//! Takes the texts that the webhook posts, on a loopback port, as an operator's own program would.
use aws_lc_rs::digest;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::Response,
};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;
use tuantibu::config::{Config, SmsKind};

/// The key of the tests' receivers.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status without a body.
    Status(u16),
    /// A redirect.
    Redirect(String),
    /// A status with a body.
    Json(u16, Value),
    /// Nothing, ever.
    Silence,
    /// 200, and a body that never ends.
    Endless,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: Value,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Clone)]
struct Shared {
    reply: Arc<Mutex<Reply>>,
    received: Arc<Mutex<Vec<Received>>>,
}

/// The receiver and the file with its key.
pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Shared,
    folder: tempfile::TempDir,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sms", listener.local_addr().unwrap());
        let shared = Shared {
            reply: Arc::new(Mutex::new(Reply::Status(204))),
            received: Arc::default(),
        };
        let router = Router::new().fallback(take).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let folder = tempfile::tempdir().unwrap();
        write_secret(&folder.path().join("sms.secret"), SECRET);
        Self {
            url,
            shared,
            folder,
        }
    }

    pub(crate) fn secret_file(&self) -> PathBuf {
        self.folder.path().join("sms.secret")
    }

    /// Makes it the gateway of a program.
    pub(crate) fn serve(&self, config: &mut Config) {
        config.sms.kind = SmsKind::Webhook;
        config.sms.url.clone_from(&self.url);
        config.sms.secret_file = Some(self.secret_file());
    }

    pub(crate) fn answers(&self, reply: Reply) {
        *self.shared.reply.lock().unwrap() = reply;
    }

    /// Everything that came, also what was not taken, oldest first.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// The last code that came for a number of the mainland.
    pub(crate) fn code(&self, phone: &str) -> String {
        let received = self.shared.received.lock().unwrap();
        let to = format!("+86{phone}");
        let last = received.iter().rev().find(|sms| sms.body["phone"] == to);
        last.unwrap_or_else(|| panic!("no code came")).body["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// Writes a key as an operator would, with a line end, for its owner alone.
pub(crate) fn write_secret(path: &Path, secret: &str) {
    fs::write(path, format!("{secret}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
}

async fn take(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    shared.received.lock().unwrap().push(Received {
        method,
        uri,
        headers,
        bytes: bytes.to_vec(),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    });
    let reply = shared.reply.lock().unwrap().clone();
    let answer = |status: u16| Response::builder().status(status);
    match reply {
        Reply::Status(status) => answer(status).body(Body::empty()).unwrap(),
        Reply::Json(status, body) => {
            let answer = answer(status).header("content-type", "application/json");
            answer.body(body.to_string().into()).unwrap()
        }
        Reply::Redirect(to) => {
            let answer = answer(307).header("location", to);
            answer.body(Body::empty()).unwrap()
        }
        Reply::Silence => std::future::pending().await,
        Reply::Endless => {
            let parts =
                futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(" ".repeat(65536)));
            answer(200).body(Body::from_stream(parts)).unwrap()
        }
    }
}

/// HMAC-SHA256 as RFC 2104 writes it down, for a key of at most 64 bytes.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    let pad = |with: u8| {
        let mut block = [with; 64];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    let hash = |first: &[u8], then: &[u8]| {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(first);
        context.update(then);
        context.finish()
    };
    let inner = hash(&pad(0x36), message);
    let outer = hash(&pad(0x5c), inner.as_ref());
    outer.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}
