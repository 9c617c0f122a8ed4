//! How slow the other side may be, through real sockets with times made short.
use crate::app::{On, TestApp};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tuantibu::{
    cli::{connection::Times, serve},
    clock::{Clock, SystemClock},
};

const SHORT: Times = Times {
    headers: Duration::from_millis(300),
    idle: Duration::from_millis(900),
};

/// A server of a program, and how to end it.
struct Server {
    address: std::net::SocketAddr,
    _stop: watch::Sender<bool>,
}

impl Server {
    async fn start(app: &TestApp, times: Times) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let router = tuantibu::web::router(app.app.clone());
        tokio::spawn(serve::listen_within(listener, router, stopped, times));
        Self {
            address,
            _stop: stop,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Real time, since real sockets are waited for.
fn since(began: jiff::Timestamp) -> Duration {
    SystemClock.now().duration_since(began).unsigned_abs()
}

/// How long it takes until the server ends a connection; what it said before.
async fn ended(stream: &mut TcpStream) -> (Duration, String) {
    let began = SystemClock.now();
    let mut said = Vec::new();
    let reading = stream.read_to_end(&mut said);
    // A reset is an end too.
    let _ = tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .expect("the connection was left open");
    (since(began), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_times_are_those_that_the_security_page_names() {
    let times = Times::default();
    assert_eq!(
        (times.headers, times.idle),
        (Duration::from_secs(10), Duration::from_secs(60))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_trickle_end_the_connection_and_others_are_answered_meanwhile() {
    let app = TestApp::start(On::Sqlite).await;
    let server = Server::start(&app, SHORT).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = server.connect().await;
        slow.push(tokio::spawn(async move {
            let (mut reading, mut writing) = stream.split();
            let began = SystemClock.now();
            let trickle = async {
                for byte in b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-slow: "
                    .iter()
                    .cycle()
                {
                    if writing.write_all(&[*byte]).await.is_err() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(40)).await;
                }
            };
            let mut byte = [0];
            tokio::select! {
                () = trickle => {}
                read = reading.read(&mut byte) => assert!(matches!(read, Ok(0) | Err(_))),
            }
            since(began)
        }));
    }
    let mut quick = server.connect().await;
    quick
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(ended(&mut quick).await.1.starts_with("HTTP/1.1 200 OK\r\n"));
    for slow in slow {
        let took = slow.await.unwrap();
        assert!(took >= SHORT.headers, "{took:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_silent_ends_later_and_one_in_use_stays() {
    let app = TestApp::start(On::Sqlite).await;
    let server = Server::start(&app, SHORT).await;
    let mut silent = server.connect().await;
    let (took, said) = ended(&mut silent).await;
    assert!(took >= SHORT.idle - Duration::from_millis(50) && said.is_empty());
    // In use it outlives both times; then it is silent too.
    let mut used = server.connect().await;
    let mut answer = [0; 16 * 1024];
    for _ in 0..4 {
        used.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        let read = used.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK"));
        // Longer than headers may take: nothing has begun meanwhile.
        tokio::time::sleep(SHORT.headers + Duration::from_millis(100)).await;
    }
    let (took, _) = ended(&mut used).await;
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_is_refused_in_a_line_without_a_name() {
    let app = TestApp::start(On::Sqlite).await;
    let server = Server::start(&app, Times::default()).await;
    let host = "host: a\r\n";
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(40_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
    for (status, request) in [
        (400, "nonsense\r\n\r\n".to_owned()),
        (
            400,
            format!("GET / HTTP/1.1\r\n{host}content-length: x\r\n\r\n"),
        ),
        (
            400,
            format!("POST / HTTP/1.1\r\n{host}content-length: -1\r\n\r\n"),
        ),
        (
            400,
            format!("POST / HTTP/1.1\r\n{host}content-length: 1\r\ncontent-length: 2\r\n\r\n"),
        ),
        (400, format!("GET / HTTP/1.1\r\n{host}a b: c\r\n\r\n")),
        (431, long),
        (431, many),
    ] {
        let mut stream = server.connect().await;
        let _ = stream.write_all(request.as_bytes()).await;
        let (_, said) = ended(&mut stream).await;
        let what = format!("{:.40?}: {said}", request);
        // The rest of a long one may reset the connection before its answer is read.
        if said.is_empty() && request.len() > 20_000 {
            continue;
        }
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{what}");
        assert!(said.ends_with("\r\n\r\n"), "{what}");
        assert!(!said.to_lowercase().contains("server:"), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_beat_a_length_and_nobody_smuggles_a_second_request() {
    let app = TestApp::start(On::Sqlite).await;
    let server = Server::start(&app, SHORT).await;
    let mut stream = server.connect().await;
    let smuggled = "GET /api/v1/me HTTP/1.1\r\nhost: a\r\n\r\n";
    let body = format!("{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len());
    let request = format!(
        "POST /api/v1/sign-in HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
         content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let (_, said) = ended(&mut stream).await;
    assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_is_told_its_streams_and_headers() {
    let app = TestApp::start(On::Sqlite).await;
    let server = Server::start(&app, SHORT).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "its settings come first");
    let mut settings = vec![0; usize::from(head[1]) * 256 + usize::from(head[2])];
    stream.read_exact(&mut settings).await.unwrap();
    let told = |wanted: u16| {
        settings
            .chunks_exact(6)
            .find(|pair| u16::from_be_bytes([pair[0], pair[1]]) == wanted)
            .map(|pair| u32::from_be_bytes([pair[2], pair[3], pair[4], pair[5]]))
    };
    assert_eq!(told(3), Some(100));
    assert_eq!(told(6), Some(16 * 1024));
    // Who then asks nothing is silent.
    assert!(ended(&mut stream).await.0 < Duration::from_secs(10));
}
