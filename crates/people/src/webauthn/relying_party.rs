//! Who we are to a browser.

use sha2::{Digest as _, Sha256};
use url::{Host, Url};

/// The one origin that passkeys of this server are made and used at, and the id that they are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origin: String,
}

impl RelyingParty {
    /// From the public address. None: browsers have no passkeys there: for an address by number, and without TLS but on `localhost`.
    pub fn of(public_url: &str) -> Option<Self> {
        let url = Url::parse(public_url).ok()?;
        let Some(Host::Domain(id)) = url.host() else { return None };
        let is_local = id == "localhost" || id.ends_with(".localhost");
        let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_local);
        is_secure.then(|| Self { id: id.to_owned(), origin: url.origin().ascii_serialization() })
    }

    /// The host's name: `rp.id`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Scheme, host and port, as browsers write them.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What authenticators sign in place of the id.
    pub(super) fn id_hash(&self) -> [u8; 32] {
        Sha256::digest(self.id.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_where_browsers_have_them() {
        let of = |url: &str| RelyingParty::of(url).map(|party| (party.id, party.origin));
        let known = |id: &str, origin: &str| Some((id.to_owned(), origin.to_owned()));
        assert_eq!(of("https://api.example.com/"), known("api.example.com", "https://api.example.com"));
        assert_eq!(of("https://api.example.com:8443"), known("api.example.com", "https://api.example.com:8443"));
        assert_eq!(of("http://localhost:8080"), known("localhost", "http://localhost:8080"));
        for none in ["http://api.example.com", "http://127.0.0.1:8080", "https://192.0.2.1", "https://[::1]", "ftp://localhost", ""] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
