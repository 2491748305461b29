//! Requests byte by byte.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bed::{Bed, LIMIT};

/// A connection on which a test writes what it likes.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    pub(crate) seen: Vec<u8>,
}

impl Wire {
    pub(crate) async fn open(bed: &Bed) -> Self {
        Self { stream: TcpStream::connect(bed.address).await.unwrap(), seen: Vec::new() }
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads until `mark` was seen; all that came so far.
    pub(crate) async fn until(&mut self, mark: &str) -> String {
        let reading = async {
            while !String::from_utf8_lossy(&self.seen).contains(mark) {
                let read = self.stream.read_buf(&mut self.seen).await.unwrap();
                assert!(read > 0, "the connection ended before {mark:?}: {}", String::from_utf8_lossy(&self.seen));
            }
        };
        tokio::time::timeout(LIMIT, reading).await.unwrap_or_else(|_| panic!("{mark:?} did not come"));
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Reads to the end; all that came.
    pub(crate) async fn rest(&mut self) -> String {
        let reading = async { while self.stream.read_buf(&mut self.seen).await.is_ok_and(|read| read > 0) {} };
        tokio::time::timeout(LIMIT, reading).await.expect("the connection ends");
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}

/// A request of Anna's on a connection of its own, closed afterwards; the whole answer.
pub(crate) async fn ask(bed: &Bed, line: &str, headers: &str) -> String {
    let mut wire = Wire::open(bed).await;
    wire.write(&format!("{line} HTTP/1.1\r\nhost: shop.example\r\nauthorization: Bearer anna\r\nconnection: close\r\n{headers}\r\n")).await;
    wire.rest().await
}
