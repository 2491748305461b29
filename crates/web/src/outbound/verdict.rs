//! The verdict about a URL: one function for what is stored, tested and connected to.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use url::{Host, Url};

use crate::outbound::policy::UrlPolicy;
use crate::outbound::refusal::Refusal;
use crate::outbound::resolve::Resolve;

/// Longest URL in bytes.
pub const MAX_URL: usize = 2048;
/// How long a look-up may take.
const LOOK_UP: Duration = Duration::from_secs(5);

/// The syntax of `text`: all that can be said without a look-up.
pub(crate) fn read(text: &str, policy: &UrlPolicy) -> Result<Url, Refusal> {
    if text.len() > MAX_URL {
        return Err(Refusal::Malformed("it is longer than 2048 bytes"));
    }
    // The URL standard drops tabs and line ends and reads \ as /; other programs do not, and such differences are what attacks are made of.
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(Refusal::Malformed("it contains white space, a control character or a backslash"));
    }
    let url = Url::parse(text).map_err(|_| Refusal::Malformed("it cannot be read"))?;
    match url.scheme() {
        "https" => {}
        "http" if policy.allow_http => {}
        _ => return Err(Refusal::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() || has_userinfo(text) {
        return Err(Refusal::UserInfo);
    }
    if url.port() == Some(0) {
        return Err(Refusal::Port);
    }
    match url.host() {
        None => return Err(Refusal::Malformed("it names no host")),
        Some(Host::Domain(name)) => check_name(name, policy)?,
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {}
    }
    to_uri(&url)?;
    Ok(url)
}

/// An `@` in the authority, even with nothing before it.
fn has_userinfo(text: &str) -> bool {
    let rest = text.split_once(':').map_or(text, |(_, rest)| rest).trim_start_matches('/');
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// The same URL as the HTTP client takes it, without its fragment. Done once per webhook, not once per request.
pub fn to_uri(url: &Url) -> Result<Uri, Refusal> {
    let text = url.as_str();
    let text = text.split_once('#').map_or(text, |(whole, _)| whole);
    text.parse().map_err(|_| Refusal::Malformed("its path or query cannot be sent"))
}

/// Where a host is.
#[derive(Debug)]
pub(crate) enum Reach {
    /// At these addresses, every one of them vetted.
    Addresses(Vec<IpAddr>),
    /// Where the egress proxy finds it: we did not look.
    Name(String),
}

/// Gives verdicts: the policy, and who looks names up.
#[derive(Clone)]
pub(crate) struct Judge {
    pub(crate) policy: Arc<UrlPolicy>,
    pub(crate) resolver: Arc<dyn Resolve>,
    /// Names are left to the egress proxy.
    pub(crate) leaves_names: bool,
}

impl Judge {
    /// The verdict on a host: a name or an address literal, in brackets or not.
    pub(crate) async fn vet(&self, host: &str) -> Result<Reach, Refusal> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = match literal(bare) {
            Some(address) => vec![address],
            None => {
                check_name(bare, &self.policy)?;
                if self.leaves_names {
                    return Ok(Reach::Name(bare.to_owned()));
                }
                self.look_up(bare).await?
            }
        };
        for address in &addresses {
            self.policy.check(*address)?;
        }
        Ok(Reach::Addresses(addresses))
    }

    /// Every address of a name, not yet vetted.
    pub(crate) async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Refusal> {
        match tokio::time::timeout(LOOK_UP, self.resolver.resolve(name)).await {
            Ok(Ok(found)) if !found.is_empty() => Ok(found),
            _ => Err(Refusal::Unresolvable),
        }
    }
}

/// `localhost` and every name below it mean this machine (RFC 6761 §6.3), whatever a resolver says or does not say.
pub(crate) fn check_name(name: &str, policy: &UrlPolicy) -> Result<(), Refusal> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.eq_ignore_ascii_case("localhost") { policy.check(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { Ok(()) }
}

/// An address, also in the shorthand that resolvers still read: `0x7f.1`, `2130706433`, `0177.0.0.1`. The URL parser normalises these, but the
/// connector is also given URIs that did not pass it.
pub(crate) fn literal(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    match Url::parse(&format!("http://{text}/")).ok()?.host()? {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(_) | Host::Domain(_) => None,
    }
}
