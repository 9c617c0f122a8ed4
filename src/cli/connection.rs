//! How long a connection may be slow or silent (SECURITY.md §3).
use hyper::Version;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until},
};

/// The times of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// A request's headers are there within this time of their first byte.
    pub headers: Duration,
    /// A connection on which nothing is asked and nothing moves ends after this time.
    pub idle: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(10),
            idle: Duration::from_secs(60),
        }
    }
}

/// What happened last on a connection.
pub(super) struct Seen(Mutex<State>);

struct State {
    moved: Instant,
    /// When the first byte of headers came that are not complete yet.
    headers: Option<Instant>,
    under_way: usize,
    /// Its bytes are those of many requests, and none is a request's first.
    is_http2: bool,
}

impl Seen {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            moved: Instant::now(),
            headers: None,
            under_way: 0,
            is_http2: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) {
        let mut state = self.state();
        let now = Instant::now();
        state.moved = now;
        if state.under_way == 0 && !state.is_http2 {
            state.headers.get_or_insert(now);
        }
    }

    fn written(&self) {
        self.state().moved = Instant::now();
    }

    /// A request whose headers are there; it is under way until what is given back is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> UnderWay {
        let mut state = self.state();
        state.headers = None;
        state.under_way += 1;
        state.is_http2 = version == Version::HTTP_2;
        UnderWay(self.clone())
    }

    /// Ends when the other side took too long.
    pub(super) async fn too_slow(&self, times: Times) {
        loop {
            let now = Instant::now();
            let end = self.end(times);
            if end <= now {
                return;
            }
            // Looked at again before headers that begin meanwhile are due.
            sleep_until(end.min(now + times.headers)).await;
        }
    }

    fn end(&self, times: Times) -> Instant {
        let state = self.state();
        if state.under_way > 0 {
            // The request has times of its own.
            return Instant::now() + times.idle;
        }
        let idle = state.moved + times.idle;
        let headers = state.headers.map(|began| began + times.headers);
        headers.map_or(idle, |headers| idle.min(headers))
    }
}

/// A request that is being answered.
pub(super) struct UnderWay(Arc<Seen>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        state.moved = Instant::now();
    }
}

/// A stream of which each byte is noted.
pub(super) struct Noted<S> {
    pub(super) stream: S,
    pub(super) seen: Arc<Seen>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.seen.read();
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> Noted<S> {
    fn noted(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(result, Poll::Ready(Ok(_))) {
            self.seen.written();
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.noted(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.noted(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
