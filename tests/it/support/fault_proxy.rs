//! Stands between a program and a server, and breaks what passes: for every connector's tests.
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Nobody listens.
    Refuse,
    /// Connections are taken, and nothing ever passes or comes back.
    Drop,
    /// Everything that comes back is so late.
    Delay(Duration),
    /// The connection ends once so many bytes of a request passed.
    CutRequest(usize),
    /// The connection ends once so many bytes of answers passed.
    CutAnswer(usize),
    /// What comes back is not of any protocol.
    Garbage,
}

/// A listener that passes everything on to a server, with a fault.
pub(crate) struct FaultProxy {
    pub(crate) address: SocketAddr,
    fault: watch::Sender<Fault>,
    /// What the listener is at, once it is.
    at: watch::Receiver<Fault>,
}

impl FaultProxy {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (fault, wanted) = watch::channel(Fault::None);
        let (reached, at) = watch::channel(Fault::None);
        tokio::spawn(listen(listener, server, wanted, reached));
        Self { address, fault, at }
    }

    /// Breaks or mends. Connections that are there end, so that the fault meets the next ones.
    pub(crate) async fn has(&self, fault: Fault) {
        self.fault.send(fault).unwrap();
        let mut at = self.at.clone();
        at.wait_for(|at| *at == fault).await.unwrap();
    }
}

async fn listen(
    first: TcpListener,
    server: SocketAddr,
    mut wanted: watch::Receiver<Fault>,
    reached: watch::Sender<Fault>,
) {
    let address = first.local_addr().unwrap();
    let mut listener = Some(first);
    let mut connections = JoinSet::new();
    loop {
        // What is there ends before the fault is said to be reached.
        connections.shutdown().await;
        let fault = *wanted.borrow_and_update();
        if fault == Fault::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = Some(TcpListener::bind(address).await.unwrap());
        }
        if reached.send(fault).is_err() {
            return;
        }
        loop {
            let accepted = async {
                match &listener {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = wanted.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                accepted = accepted => if let Ok((client, _)) = accepted {
                    connections.spawn(pass(client, server, fault));
                }
            }
        }
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, fault: Fault) {
    if fault == Fault::Drop {
        let mut sink = [0; 4096];
        // What comes is swallowed, whether or not the client goes on.
        while client.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        return std::future::pending().await;
    }
    if fault == Fault::Garbage {
        let mut sink = [0; 4096];
        let _ = client.read(&mut sink).await;
        let garbage: Vec<u8> = (0..2048_u32).map(|n| (n * 37 % 251) as u8).collect();
        let _ = client.write_all(&garbage).await;
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (request, answer, delay) = match fault {
        Fault::CutRequest(bytes) => (bytes, usize::MAX, Duration::ZERO),
        Fault::CutAnswer(bytes) => (usize::MAX, bytes, Duration::ZERO),
        Fault::Delay(by) => (usize::MAX, usize::MAX, by),
        _ => {
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    // Whichever ends first ends both.
    tokio::select! {
        () = some(&mut from_client, &mut to_server, request, Duration::ZERO) => {}
        () = some(&mut from_server, &mut to_client, answer, delay) => {}
    }
}

async fn some(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut left: usize,
    delay: Duration,
) {
    let mut buffer = [0; 4096];
    while left > 0 {
        let Ok(read) = from.read(&mut buffer).await else {
            return;
        };
        if read == 0 {
            return;
        }
        tokio::time::sleep(delay).await;
        let passes = read.min(left);
        if to.write_all(&buffer[..passes]).await.is_err() {
            return;
        }
        left -= passes;
    }
}
