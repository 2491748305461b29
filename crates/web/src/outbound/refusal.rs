//! Why a URL is refused.

use std::fmt;
use std::net::IpAddr;

use kernel::Error;

/// The verdict's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not a URL that we can send to; says why.
    Malformed(&'static str),
    /// Neither https nor, where it is allowed, http.
    Scheme,
    /// Not HTTP, and without TLS, where that is not allowed.
    Unencrypted,
    /// A user name or a password in the URL.
    UserInfo,
    /// Port 0.
    Port,
    /// The host is or has an address that is not public. One such address among several is enough.
    Address {
        /// The address.
        address: IpAddr,
        /// What it is, such as `loopback`.
        kind: &'static str,
    },
    /// The name has no address now. Whoever only stores a URL may accept that: it is judged again before each connection.
    Unresolvable,
}

impl Refusal {
    /// A stable code: `url_malformed`, `url_scheme`, `url_unencrypted`, `url_userinfo`, `url_port`, `url_address`, `url_unresolvable`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "url_malformed",
            Self::Scheme => "url_scheme",
            Self::Unencrypted => "url_unencrypted",
            Self::UserInfo => "url_userinfo",
            Self::Port => "url_port",
            Self::Address { .. } => "url_address",
            Self::Unresolvable => "url_unresolvable",
        }
    }

    /// Whether another look-up may have another result.
    pub fn is_unresolvable(&self) -> bool {
        matches!(self, Self::Unresolvable)
    }

    /// As 422 with this code, about the field at `pointer`. The address is not told: that would let a partner map the operator's names.
    pub fn into_error(self, pointer: &str) -> Error {
        let detail = match &self {
            Self::Address { .. } => "must not lead to a private, loopback, link-local or otherwise special address".to_owned(),
            other => other.to_string(),
        };
        Error::invalid(self.code(), "This URL cannot be sent to; see errors.").at(pointer, detail)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "must be an absolute URL: {why}"),
            Self::Scheme => f.write_str("must begin with https://"),
            Self::Unencrypted => f.write_str("must be encrypted: use the form with TLS"),
            Self::UserInfo => f.write_str("must not contain a user name or password"),
            Self::Port => f.write_str("must not name port 0"),
            Self::Address { address, kind } => write!(f, "leads to {address}, which is not public ({kind})"),
            Self::Unresolvable => f.write_str("has a host name without an address"),
        }
    }
}

impl std::error::Error for Refusal {}
