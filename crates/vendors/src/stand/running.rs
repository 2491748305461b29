//! A double that listens.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::{Vendor, serve};

/// A running double; it stops when dropped. What the vendor's type can do, it can.
pub struct Double<V: Vendor> {
    vendor: Arc<V>,
    address: SocketAddr,
    server: JoinHandle<()>,
    sender: JoinHandle<()>,
}

impl<V: Vendor> Double<V> {
    /// Listens on a free port of 127.0.0.1. Must be called inside a Tokio runtime.
    ///
    /// Errors: there is no free port.
    pub async fn start(vendor: V) -> io::Result<Self> {
        Self::listen(vendor, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Listens there.
    ///
    /// Errors: the port is taken; `InvalidInput` if the address is not loopback.
    pub async fn listen(vendor: V, at: SocketAddr) -> io::Result<Self> {
        if !at.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{at} is not a loopback address")));
        }
        let listener = tokio::net::TcpListener::bind(at).await?;
        let address = listener.local_addr()?;
        let vendor = Arc::new(vendor);
        let sender = vendor.stand().outbox.start();
        let server = tokio::spawn(serve::accept(listener, vendor.clone()));
        Ok(Self { vendor, address, server, sender })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl<V: Vendor> Deref for Double<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.vendor
    }
}

impl<V: Vendor> fmt::Debug for Double<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Double({} at {})", self.vendor.name(), self.address)
    }
}

impl<V: Vendor> Drop for Double<V> {
    fn drop(&mut self) {
        self.server.abort();
        self.sender.abort();
    }
}
