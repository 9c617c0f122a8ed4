//! The program as a process of its own, and who calls it over HTTP.
use crate::app::Answer;
use serde_json::Value;
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Nothing that a test waits for takes longer.
const WITHIN: Duration = Duration::from_secs(30);

/// Waits until something is there.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = tokio::time::timeout(WITHIN, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    found
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program under test is a process"
)]
pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tuantibu"))
}

/// The first line that a process prints.
pub(crate) fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.as_mut().unwrap());
    output.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// One process, which is stopped by its pid.
pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts and waits until it answers. A port that somebody else took meanwhile is tried anew.
    pub(crate) async fn start(config: &Path, log: &Path) -> Self {
        for _ in 0..5 {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let child = program()
                .args(["serve", "--config", config.to_str().unwrap()])
                .env("TUANTIBU_SERVER__LISTEN", address.to_string())
                .stdin(Stdio::null())
                .stderr(File::create(log).unwrap())
                .spawn()
                .unwrap();
            let url = format!("http://{address}");
            let mut server = Self { child, url };
            let ready = until("a server's start", async || {
                if server.child.try_wait().unwrap().is_some() {
                    return Some(false);
                }
                let answer = http().get(format!("{}/readyz", server.url)).send().await;
                answer.ok()?.status().is_success().then_some(true)
            });
            if ready.await {
                return server;
            }
        }
        panic!("{}", fs::read_to_string(log).unwrap());
    }

    /// SIGKILL: nothing that was under way is ended.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// A stranger who calls this server.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            http: http(),
            url: self.url.clone(),
            bearer: None,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Somebody who calls one of the servers.
#[derive(Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    url: String,
    pub(crate) bearer: Option<String>,
}

impl Caller {
    /// The same person with another token.
    pub(crate) fn with(&self, bearer: Option<&str>) -> Self {
        Self {
            bearer: bearer.map(str::to_owned),
            ..self.clone()
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await.unwrap()
    }

    /// An error where the server is gone before it has answered.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, reqwest::Error> {
        let method = method.parse().unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?.to_vec();
        Ok(Answer {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            bytes,
        })
    }
}
