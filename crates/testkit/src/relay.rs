//! A way to a server on loopback that can be cut: to the client it looks as if the server had died and come back.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// A relay on a port of its own. Dropping it cuts it.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    to: u16,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Relay {
    /// Relays to a port of 127.0.0.1.
    pub fn start(to: u16) -> Self {
        let listener = crate::port::bind();
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let mut relay = Self { port, to, running: None };
        relay.run(listener);
        relay
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Breaks every connection and accepts no more.
    pub fn cut(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // It ends by itself only with the relay.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }

    /// Relays again, on the same port. Panics if somebody else has taken it.
    pub fn resume(&mut self) {
        self.cut();
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).expect("the relay's port is still free");
        self.run(listener);
    }

    fn run(&mut self, listener: TcpListener) {
        let (stop, stopped) = oneshot::channel();
        let to = self.to;
        let thread = std::thread::Builder::new().name("relay".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, to) => {}
                    _ = stopped => {}
                }
            });
        });
        self.running = Some((stop, thread.expect("a thread can be started")));
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

/// Connections end with the set, and that with this future.
async fn accept(listener: TcpListener, to: u16) {
    listener.set_nonblocking(true).expect("a socket can be made non-blocking");
    let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is a TCP socket");
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        connections.spawn(async move {
            if let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await {
                // How a relayed connection ends is of no interest here.
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
