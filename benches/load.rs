//! A load generator: HTTP/1.1 with keep-alive written by hand, all connections on one thread, since
//! it takes its time from the two processors of the server. Every answer is checked.
use crate::Res;
use serde_json::Value;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Before the clock starts: connections are made, and what is kept after a first answer is kept.
const WARM_UP: Duration = Duration::from_millis(300);

/// A connection.
pub(crate) struct Http {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Http {
    pub(crate) async fn connect(address: SocketAddr) -> Res<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Sends a request; the answer's status and body.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Res<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut searched = 0;
        let head = loop {
            self.more().await?;
            let from = searched;
            if let Some(at) = self.buffer[from..]
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
            {
                break from + at + 4;
            }
            searched = self.buffer.len().saturating_sub(3);
        };
        let (status, length) = status_and_length(&self.buffer[..head])?;
        while self.buffer.len() < head + length {
            self.more().await?;
        }
        Ok((status, &self.buffer[head..head + length]))
    }

    async fn more(&mut self) -> Res<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(())
    }

    /// Sends a request that must come back with a status; the answer's JSON.
    pub(crate) async fn expect(&mut self, request: &[u8], wanted: u16) -> Res<Value> {
        let (status, body) = self.send(request).await?;
        if status != wanted {
            return Err(format!(
                "{status} instead of {wanted}: {}",
                String::from_utf8_lossy(body)
            )
            .into());
        }
        Ok(serde_json::from_slice(body)?)
    }
}

fn status_and_length(head: &[u8]) -> Res<(u16, usize)> {
    let head = std::str::from_utf8(head)?;
    let status = head.get(9..12).ok_or("no status")?.parse()?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .ok_or("no content-length")?
        .1;
    Ok((status, length.trim().parse()?))
}

/// A request's bytes.
pub(crate) fn request(
    method: &str,
    path: &str,
    bearer: Option<&str>,
    body: Option<&Value>,
) -> Vec<u8> {
    let mut text =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n");
    if let Some(bearer) = bearer {
        text += &format!("authorization: Bearer {bearer}\r\n");
    }
    match body {
        Some(body) => {
            let body = body.to_string();
            text += &format!(
                "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
        None => text += "\r\n",
    }
    text.into_bytes()
}

/// The runtime of a generator: one thread.
pub(crate) fn alone() -> Res<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Answers a second to one request, over and over on each of some connections. `right` looks at
/// every answer.
pub(crate) fn steady(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    seconds: f64,
    right: impl Fn(&[u8]) -> bool,
) -> Res<f64> {
    alone()?.block_on(async {
        let start = Instant::now() + WARM_UP;
        let end = start + Duration::from_secs_f64(seconds);
        let one = async || -> Res<u64> {
            let mut http = Http::connect(address).await?;
            let mut counted = 0;
            loop {
                let (status, body) = http.send(request).await?;
                if status != 200 || !right(body) {
                    return Err(format!(
                        "a wrong answer: {status} {}",
                        String::from_utf8_lossy(body)
                    )
                    .into());
                }
                let now = Instant::now();
                if now > end {
                    return Ok(counted);
                }
                counted += u64::from(now > start);
            }
        };
        let all = futures_util::future::try_join_all((0..connections).map(|_| one())).await?;
        Ok(all.iter().sum::<u64>() as f64 / seconds)
    })
}
