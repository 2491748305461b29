//! An HTTP proxy that serves CONNECT and records what it was asked for. It runs on a thread and a runtime of its own, as the receiver does.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// What it does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Opens the tunnel; 502 when it cannot connect.
    Forward,
    /// The same for whoever has these credentials (`user:password` in base64), 407 for others.
    Ask(String),
    /// Always this status.
    Refuse(u16),
    /// Always these bytes.
    Say(&'static [u8]),
}

/// A request for a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `host:port` as it was asked for.
    pub target: String,
    /// The value of `Proxy-Authorization`.
    pub authorization: Option<String>,
}

struct Shared {
    conduct: Mutex<Conduct>,
    asked: Mutex<Vec<Asked>>,
}

/// The proxy. Dropping it closes its port and every tunnel.
pub struct ConnectProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl ConnectProxy {
    /// Starts on a free port of 127.0.0.1.
    pub fn start(conduct: Conduct) -> Self {
        let listener = crate::port::bind();
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared { conduct: Mutex::new(conduct), asked: Mutex::default() });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("proxy".into()).spawn(move || serve(listener, &served, stopped));
        Self { address, shared, running: Some((stop, thread.expect("a thread can be started"))) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it does from now on.
    pub fn conduct(&self, conduct: Conduct) {
        *self.shared.conduct.lock().expect("no holder of this lock panics") = conduct;
    }

    /// What it was asked for, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("no holder of this lock panics").clone()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // It may have ended by itself; then there is nobody to tell.
            let _ = stop.send(());
            thread.join().expect("the proxy's thread does not panic");
        }
    }
}

fn serve(listener: TcpListener, shared: &Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is a TCP socket");
        let accept = async {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                tokio::spawn(one(stream, Arc::clone(shared)));
            }
        };
        tokio::select! {
            () = accept => {}
            _ = stopped => {}
        }
    });
}

/// One tunnel. Whatever breaks ends it, and the caller sees that.
async fn one(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8(head).ok()?;
    let target = text.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    let authorization = text.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: ")).map(str::to_owned);
    let conduct = shared.conduct.lock().expect("no holder of this lock panics").clone();
    shared
        .asked
        .lock()
        .expect("no holder of this lock panics")
        .push(Asked { target: target.clone(), authorization: authorization.clone() });
    let status = match conduct {
        Conduct::Say(bytes) => return stream.write_all(bytes).await.ok(),
        Conduct::Refuse(status) => status,
        Conduct::Ask(credentials) if authorization != Some(format!("Basic {credentials}")) => 407,
        Conduct::Forward | Conduct::Ask(_) => match TcpStream::connect(&target).await {
            Ok(mut other) => {
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
                return tokio::io::copy_bidirectional(&mut stream, &mut other).await.ok().map(drop);
            }
            Err(_) => 502,
        },
    };
    stream.write_all(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes()).await.ok()
}
