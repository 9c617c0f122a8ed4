//! The program under test as a process of its own: the bench's own file run anew as `tuantibu`, so
//! that nothing is built twice, or the program that `--program` names.
use crate::{Res, world::World};
use serde_json::Value;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// The bench's command that answers with so many bytes and does nothing else.
pub(crate) const BARE: &str = "bare";

/// A process that answers HTTP; stopped when dropped.
pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    child: Child,
    // Kept open: a program that cannot say something may end.
    _says: Option<BufReader<ChildStdout>>,
}

/// Which file is run as the program.
pub(crate) fn path(named: Option<&Path>) -> Res<PathBuf> {
    match named {
        Some(path) => Ok(path.to_owned()),
        None => Ok(std::env::current_exe()?),
    }
}

impl Program {
    /// `tuantibu demo` on a filled database, at the log level of `serve`, its log to a file.
    pub(crate) fn demo(world: &World, program: &Path, environment: &[(&str, &str)]) -> Res<Self> {
        let mut command = command(world, program)?;
        command
            .envs(environment.iter().copied())
            .args(["demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(world.folder());
        Self::announced(command)
    }

    /// An axum server that answers with so many bytes.
    pub(crate) fn bare(bytes: usize) -> Res<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([BARE, &bytes.to_string()]);
        Self::announced(command)
    }

    /// `tuantibu serve`, and how long it took from the start of the process to its first answer.
    pub(crate) fn serve(world: &World, program: &Path) -> Res<(Self, Duration)> {
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let mut command = command(world, program)?;
        command
            .arg("serve")
            .env("TUANTIBU_SERVER__LISTEN", address.to_string())
            .env(
                "TUANTIBU_SERVER__PUBLIC_URL",
                &world.config.server.public_url,
            )
            .env("TUANTIBU_SMS__KIND", "none");
        let begun = Instant::now();
        let child = command.spawn()?;
        let program = Self {
            address,
            child,
            _says: None,
        };
        while !is_alive(address) {
            if begun.elapsed() > Duration::from_secs(20) {
                return Err("serve did not answer".into());
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok((program, begun.elapsed()))
    }

    /// Starts what prints its address.
    fn announced(mut command: Command) -> Res<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut says = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        loop {
            line.clear();
            if says.read_line(&mut line)? == 0 {
                return Err("the program ended; its log is in program.log".into());
            }
            if let Some((_, address)) = line.trim().rsplit_once("http://") {
                let address = address.parse()?;
                let program = Self {
                    address,
                    child,
                    _says: Some(says),
                };
                let begun = Instant::now();
                while TcpStream::connect(address).is_err()
                    && begun.elapsed() < Duration::from_secs(20)
                {
                    std::thread::sleep(Duration::from_millis(5));
                }
                return Ok(program);
            }
        }
    }

    /// Its resident memory in MiB.
    pub(crate) fn memory(&self) -> Res<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The standard library knows SIGKILL alone.
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let begun = Instant::now();
        while asked.is_ok() && begun.elapsed() < Duration::from_secs(10) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with the world's configuration in its environment.
fn command(world: &World, program: &Path) -> Res<Command> {
    let config = &world.config;
    let mut command = Command::new(program);
    let log = File::options()
        .create(true)
        .append(true)
        .open(world.folder().join("program.log"))?;
    command
        .stdin(Stdio::null())
        .stderr(log)
        .env("TUANTIBU_DATABASE__URL", &config.database.url)
        .env("TUANTIBU_KEYS__FILE", &config.keys.file)
        .env("TUANTIBU_SOURCE__URL", &config.source.url)
        .env("TUANTIBU_REFRESH__AT", format!("{:?}", config.refresh.at))
        .env("TUANTIBU_LOG__FILTER", &config.log.filter)
        .env("TUANTIBU_SERVER__PUBLIC_URL", "");
    if let Value::Object(limits) = serde_json::to_value(&config.limits)? {
        for (name, limit) in limits {
            command.env(
                format!("TUANTIBU_LIMITS__{}", name.to_uppercase()),
                limit.to_string(),
            );
        }
    }
    Ok(command)
}

/// Whether `/healthz` answers 200.
fn is_alive(address: SocketAddr) -> bool {
    use std::io::{Read, Write};
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}

/// Serves so many bytes to whoever asks, until it is stopped.
pub(crate) fn serve_bare(bytes: &str) -> Res<()> {
    use axum::serve::ListenerExt;
    let body = axum::body::Bytes::from(vec![b'a'; bytes.parse()?]);
    tokio::runtime::Runtime::new()?.block_on(async {
        let answer = move || async move { ([("content-type", "application/json")], body.clone()) };
        let router = axum::Router::new().fallback(answer);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("http://{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}
