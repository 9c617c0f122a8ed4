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
    time::sleep,
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

/// How often a connection is looked at while its headers may come.
const LOOKS: u32 = 5;

/// What happened on a connection, counted in looks at it: no clock is read for each byte.
pub(super) struct Seen(Mutex<State>);

#[derive(Default)]
struct State {
    /// Looks since something moved.
    silent: u32,
    /// Looks since the first byte came of headers that are not complete yet.
    headers: Option<u32>,
    under_way: usize,
    /// Its bytes are those of many requests, and none is a request's first.
    is_http2: bool,
}

impl Seen {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::default()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) {
        let mut state = self.state();
        state.silent = 0;
        if state.under_way == 0 && !state.is_http2 {
            state.headers.get_or_insert(0);
        }
    }

    fn written(&self) {
        self.state().silent = 0;
    }

    /// A request whose headers are there; it is under way until what is given back is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> UnderWay {
        let mut state = self.state();
        state.headers = None;
        state.under_way += 1;
        state.is_http2 = version == Version::HTTP_2;
        UnderWay(self.clone())
    }

    /// Ends when the other side took too long: never before its time, and one look after it at most.
    pub(super) async fn too_slow(&self, times: Times) {
        let look = times.headers / LOOKS;
        let idle = times.idle.as_millis() / look.as_millis().max(1);
        loop {
            sleep(look).await;
            let mut state = self.state();
            if state.under_way > 0 {
                // The request has times of its own.
                state.silent = 0;
                continue;
            }
            state.silent += 1;
            let headers = state.headers.as_mut().map_or(0, |looks| {
                *looks += 1;
                *looks
            });
            if u128::from(state.silent) > idle || headers > LOOKS {
                return;
            }
        }
    }
}

/// A request that is being answered.
pub(super) struct UnderWay(Arc<Seen>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        state.silent = 0;
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
