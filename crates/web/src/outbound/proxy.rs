//! The operator's egress proxy: HTTP CONNECT (RFC 9110 §9.3.6), for `https` and `http` targets alike.
//!
//! The tunnel is asked for by vetted address, so the proxy looks nothing up and a name cannot lead it elsewhere. An operator whose servers
//! have no resolver may leave names to the proxy; then the proxy must judge where they lead.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Error, Result, Secret};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::{Host, Url};

use crate::outbound::failure::ConnectFault;
use crate::outbound::resolve::Resolve;

/// Longest head of the proxy's answer.
const MAX_HEAD: usize = 8 * 1024;

/// A proxy through which every request leaves.
#[derive(Clone, Debug)]
pub struct EgressProxy {
    host: String,
    port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<Arc<Secret<String>>>,
    resolves: bool,
}

impl EgressProxy {
    /// Reads `http://[user:password@]host[:port]`; port 3128 when none is named. Error: 422 `invalid_egress_proxy`, which never shows the text.
    pub fn parse(text: &str) -> Result<Self> {
        let fault =
            || Error::invalid("invalid_egress_proxy", "The egress proxy must be http://[user:password@]host:port and nothing more.");
        let url = Url::parse(text).map_err(|_| fault())?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if url.scheme() != "http" || !bare {
            return Err(fault());
        }
        let host = match url.host().ok_or_else(fault)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        // The URL standard leaves out the scheme's own port: 80 must be told from none.
        let named = text.trim_end_matches('/').ends_with(":80");
        let port = url.port().unwrap_or(if named { 80 } else { 3128 });
        let plain = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| fault());
        let authorization = if url.username().is_empty() && url.password().is_none() {
            None
        } else {
            let pair = Secret::new(format!("{}:{}", plain(url.username())?, plain(url.password().unwrap_or_default())?));
            Some(Arc::new(Secret::new(format!("Basic {}", STANDARD.encode(pair.reveal())))))
        };
        Ok(Self { host, port, authorization, resolves: false })
    }

    /// The same, but the proxy finds names: it gets them as they are, and no verdict is given on where they lead.
    #[must_use]
    pub fn resolving(mut self) -> Self {
        self.resolves = true;
        self
    }

    /// Whether names are left to it.
    pub fn resolves(&self) -> bool {
        self.resolves
    }

    /// Its address without credentials, for people.
    pub fn shown(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }

    /// A tunnel to `target` (`host:port`).
    pub(crate) async fn tunnel(&self, target: &str, resolver: &dyn Resolve) -> Result<TcpStream, ConnectFault> {
        let mut stream = self.connect(resolver).await?;
        stream.set_nodelay(true).ok();
        let authorization =
            self.authorization.as_ref().map_or_else(String::new, |value| format!("Proxy-Authorization: {}\r\n", value.reveal()));
        let head = Secret::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n"));
        let broken = |error: std::io::Error| ConnectFault::Proxy(format!("it broke off: {error}"));
        stream.write_all(head.reveal().as_bytes()).await.map_err(broken)?;
        match read_status(&mut stream).await? {
            200..=299 => Ok(stream),
            // It tells us that it could not get there, which is the receiver's fault and not its own.
            status @ (502..=504) => Err(ConnectFault::Connect(std::io::Error::other(format!("the egress proxy answered {status}")))),
            407 => Err(ConnectFault::Proxy("it answered 407: its credentials are missing or wrong".to_owned())),
            status => Err(ConnectFault::Proxy(format!("it answered {status}"))),
        }
    }

    /// The operator named the proxy, so its address is not judged.
    async fn connect(&self, resolver: &dyn Resolve) -> Result<TcpStream, ConnectFault> {
        let gone = |error: std::io::Error| ConnectFault::Proxy(format!("no connection: {error}"));
        let addresses = match self.host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => resolver.resolve(&self.host).await.map_err(gone)?,
        };
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            #[allow(clippy::disallowed_methods, reason = "this is the guarded client: the operator named this address")]
            match TcpStream::connect(SocketAddr::new(address, self.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(gone(last))
    }
}

/// Reads the head of the answer, and nothing of what follows it.
async fn read_status(stream: &mut TcpStream) -> Result<u16, ConnectFault> {
    let fault = |why: &str| ConnectFault::Proxy(why.to_owned());
    let mut head = Vec::with_capacity(256);
    let end = loop {
        if head.len() >= MAX_HEAD {
            return Err(fault("its answer has no end"));
        }
        let read = stream.read_buf(&mut head).await.map_err(|error| ConnectFault::Proxy(format!("it broke off: {error}")))?;
        if read == 0 {
            return Err(fault("it broke off without an answer"));
        }
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let status = status_of(&head).ok_or_else(|| fault("it does not speak HTTP"))?;
    // In a tunnel we speak first: whatever comes before is not the receiver's.
    if (200..300).contains(&status) && head.len() > end {
        return Err(fault("it sent something before the tunnel was used"));
    }
    Ok(status)
}

fn status_of(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let version = words.next()?;
    let status = words.next().filter(|word| word.len() == 3)?.parse().ok()?;
    version.starts_with("HTTP/1.").then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_its_setting_and_hides_its_credentials() {
        let read = |text: &str| EgressProxy::parse(text).unwrap();
        assert_eq!(read("http://proxy.example:8080").shown(), "proxy.example:8080");
        assert_eq!(read("http://proxy.example/").shown(), "proxy.example:3128");
        assert_eq!(read("http://proxy.example:80").shown(), "proxy.example:80");
        assert_eq!(read("http://[::1]:3128").shown(), "[::1]:3128");
        let with = read("http://us%40er:p%3Ass@proxy.example:8080");
        assert_eq!(with.authorization.as_ref().unwrap().reveal(), &format!("Basic {}", STANDARD.encode("us@er:p:ss")));
        assert!(!format!("{with:?}").contains("ss@") && !format!("{with:?}").contains(&STANDARD.encode("us@er:p:ss")), "{with:?}");
        for bad in [
            "",
            "proxy:8080",
            "https://proxy.example:8080",
            "socks5://proxy:1080",
            "http://proxy:8080/path",
            "http://proxy:8080?x",
            "http://",
        ] {
            let error = EgressProxy::parse(bad).unwrap_err();
            assert_eq!(error.code(), "invalid_egress_proxy", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let read = status_of(&bytes);
            prop_assert!(read.is_none() || bytes.starts_with(b"HTTP/1."));
        }
    }

    #[test]
    fn reads_a_status() {
        assert_eq!(status_of(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status_of(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        for bad in [&b"SSH-2.0-OpenSSH\r\n\r\n"[..], b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 20\r\n\r\n", b"HTTP/1.1\r\n\r\n"] {
            assert_eq!(status_of(bad), None);
        }
    }
}
