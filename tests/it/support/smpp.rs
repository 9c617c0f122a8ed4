//! The SMS centre of tests/smpp, as a process of its own.
use super::{file, process::until};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
};

/// The account that the centre knows.
pub(crate) const SYSTEM_ID: &str = "tuantibu";
/// Its password.
pub(crate) const PASSWORD: &str = "geheim78";

/// A centre. It ends when its standard input does, so with the test.
pub(crate) struct Centre {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Value>>>,
    orders: Mutex<ChildStdin>,
    child: Child,
}

impl Centre {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// With TLS, where there is a certificate and its key.
    #[expect(clippy::disallowed_methods, reason = "the centre is a process")]
    pub(crate) async fn start_with(tls: Option<(&Path, &Path)>) -> Self {
        let mut settings = json!({ "system_id": SYSTEM_ID, "password": PASSWORD });
        if let Some((certificate, key)) = tls {
            settings["certificate"] = json!(certificate);
            settings["key"] = json!(key);
        }
        let mut child = Command::new(crate::services::node())
            .arg(file("smpp/server.mjs"))
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = Mutex::new(child.stdin.take().unwrap());
        let output = BufReader::new(child.stdout.take().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let lines = seen.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap();
                lines.lock().unwrap().push(line);
            }
        });
        let mut centre = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            seen,
            orders,
            child,
        };
        let port = centre.seen("port", 1).await.remove(0);
        centre
            .address
            .set_port(port.as_u64().unwrap().try_into().unwrap());
        centre
    }

    /// Waits until so many things of a kind were seen; all of them.
    pub(crate) async fn seen(&self, kind: &str, least: usize) -> Vec<Value> {
        until(kind, async || {
            let all = self.so_far(kind);
            (all.len() >= least).then_some(all)
        })
        .await
    }

    /// Everything that was seen of a kind before this was asked: what it says comes in order.
    pub(crate) async fn all(&self, kind: &str) -> Vec<Value> {
        self.told(json!({})).await;
        self.so_far(kind)
    }

    fn so_far(&self, kind: &str) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        let of = seen.iter().filter_map(|line| line.get(kind).cloned());
        of.collect()
    }

    /// Tells it something, and waits until it has heard.
    pub(crate) async fn told(&self, order: Value) {
        let before = self.so_far("done").len();
        writeln!(self.orders.lock().unwrap(), "{order}").unwrap();
        self.seen("done", before + 1).await;
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
