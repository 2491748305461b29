//! Where a backend is.

use http::uri::Authority;
use http::{HeaderValue, Uri};
use kernel::{Error, Result};
use rustls::pki_types::ServerName;

/// A backend's address: scheme, host, port, and the path that every request begins with.
#[derive(Clone, Debug)]
pub struct BackendAddress {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authority: Authority,
    pub(super) name: Option<ServerName<'static>>,
    host_header: HeaderValue,
    path: String,
    shown: String,
}

impl BackendAddress {
    /// Reads `http(s)://host[:port][/path]`. Error: 422 `invalid_upstream`.
    pub fn parse(text: &str) -> Result<Self> {
        let fault = |why: &'static str| Error::invalid("invalid_upstream", format!("The upstream's address {text:?} {why}."));
        let uri: Uri = text.parse().map_err(|_| fault("is not a URL"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(fault("must begin with http:// or https://")),
        };
        let authority = uri.authority().cloned().ok_or_else(|| fault("names no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || authority.as_str().contains('@') || uri.query().is_some() {
            return Err(fault("must be scheme, host, port and path, and nothing more"));
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let name = match ServerName::try_from(host.clone()) {
            Ok(name) => Some(name),
            Err(_) if !secure => None,
            Err(_) => return Err(fault("has a host that no certificate can name")),
        };
        let host_header = HeaderValue::from_str(authority.as_str()).map_err(|_| fault("has a host that cannot be sent"))?;
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { secure, host, port, authority, name, host_header, path, shown: text.trim_end_matches('/').to_owned() })
    }

    /// The value of `Host`.
    pub fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// What the path of every request begins with; empty, or a path without a slash at its end.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// For people.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}
