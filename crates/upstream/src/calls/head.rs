//! Heads of requests and answers on their way through (RFC 9110 §7.6): what belongs to one connection goes, where it came from is said.

use std::fmt::Write as _;
use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use kernel::Caller;
use web::{PeerAddress, ProxyAddress};

use crate::identity;
use crate::upstreams::Settings;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const SECRET: HeaderName = HeaderName::from_static("x-api-secret");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Both directions: `Via: 1.1 tradewind`.
const VIA: HeaderValue = HeaderValue::from_static("1.1 tradewind");

/// Headers that are added at most, those that the blueprint asks for left aside.
const ADDED: usize = 14;

/// Fields that belong to one connection (RFC 9110 §7.6.1), and those that are written anew.
const HOP_BY_HOP: [HeaderName; 7] = [
    KEEP_ALIVE,
    PROXY_CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::CONNECTION,
];

/// Where a request came from.
pub(super) struct Origin {
    client: Option<IpAddr>,
    /// The trusted proxy in between, if there is one: what it says of scheme and host stays.
    proxy: Option<IpAddr>,
    host: Option<HeaderValue>,
    scheme: &'static str,
}

impl Origin {
    pub(super) fn of(parts: &Parts, caller: &Caller, scheme: &'static str) -> Self {
        let peer = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
        let client = caller.request().and_then(|request| request.ip).or(peer);
        let proxy = parts.extensions.get::<ProxyAddress>().map(|proxy| proxy.0.to_canonical());
        let authority = || parts.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        let host = parts.headers.get(header::HOST).cloned().or_else(authority);
        Self { client: client.map(|client| client.to_canonical()), proxy, host, scheme }
    }
}

/// Rewrites the head of a request in place. What depends on the target, `Host` and the identity, comes later.
pub(super) fn rewrite(headers: &mut HeaderMap, origin: &Origin, settings: &Settings) {
    // What is added below would otherwise make it grow more than once.
    headers.reserve(ADDED);
    let trailers = takes_trailers(headers);
    strip_hop_by_hop(headers);
    // Framing is written anew, by the connection that knows how long the body is; the gate has answered what was expected.
    for name in [header::TE, header::CONTENT_LENGTH, header::EXPECT] {
        headers.remove(name);
    }
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    for (name, kept) in [
        (header::AUTHORIZATION, settings.forward_authorization),
        (header::COOKIE, settings.forward_cookie),
        (SECRET, settings.forward_secret),
    ] {
        if !kept {
            headers.remove(name);
        }
    }
    remove_where(headers, |name| is_ours_to_say(name) || is_disguised(name));
    forwarded(headers, origin);
    headers.append(header::VIA, VIA);
    if settings.preserve_host
        && let Some(host) = &origin.host
    {
        headers.insert(header::HOST, host.clone());
    }
    for (name, value) in &settings.headers {
        headers.insert(name.clone(), value.clone());
    }
}

/// Whether the head says twice how long the body is: `Transfer-Encoding` beside `Content-Length` (RFC 9112 §6.3). Readers that believe one or
/// the other see different answers on the same connection.
pub(super) fn is_framed_twice(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH)
}

/// Rewrites the head of an answer in place.
pub(super) fn answer(headers: &mut HeaderMap, settings: &Settings) {
    strip_hop_by_hop(headers);
    // Ours stands: it is the one that our log knows.
    headers.remove(web::REQUEST_ID_HEADER);
    // Which origins may read answers is each client's setting, and the gate's business.
    remove_where(headers, |name| name.starts_with("access-control-"));
    if !settings.forward_cookie {
        headers.remove(header::SET_COOKIE);
    }
    headers.append(header::VIA, VIA);
}

/// `TE: trailers` may be passed on, as our own wish.
fn takes_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::TE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
}

/// Removes what belongs to one connection, that which `Connection` names included.
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// A name that a backend may believe although a caller wrote it: our identity, the address that a call came from, another path, another
/// method than those that the scope was checked for. What we say ourselves of it is written later.
fn is_ours_to_say(name: &str) -> bool {
    // Most names of a request begin otherwise.
    match name.as_bytes().first() {
        Some(b't') => name.starts_with(identity::PREFIX) || name == "true-client-ip",
        // RFC 3875 §4.1.18: CGI programs take `Proxy` for the variable HTTP_PROXY.
        Some(b'p') => name == "proxy",
        Some(b'f') => matches!(name, "fastly-client-ip" | "forwarded-for"),
        Some(b'c') => matches!(name, "client-ip" | "cf-connecting-ip" | "cf-connecting-ipv6"),
        Some(b'x') => is_unsafe_extension(name),
        _ => false,
    }
}

fn is_unsafe_extension(name: &str) -> bool {
    // Those three are read before they are written anew: a trusted proxy's word stays.
    name.strip_prefix("x-forwarded").is_some_and(|rest| !matches!(rest, "-for" | "-host" | "-proto"))
        || name.starts_with("x-original-")
        || matches!(
            name,
            "x-rewrite-url"
                | "x-override-url"
                | "x-http-method"
                | "x-http-method-override"
                | "x-method-override"
                | "x-host"
                | "x-real-ip"
                | "x-client-ip"
                | "x-cluster-client-ip"
                | "x-originating-ip"
                | "x-remote-ip"
                | "x-remote-addr"
                | "x-remote-user"
        )
}

/// A name that a backend which takes any sign for `-` (CGI, PHP and many frameworks make `_` of it) would take for one that only we write,
/// or that frames the message.
fn is_disguised(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.bytes().all(is_plain) {
        return false;
    }
    let plain: String = name.bytes().map(|byte| if is_plain(byte) { char::from(byte) } else { '-' }).collect();
    is_ours_to_say(&plain)
        || plain.starts_with("x-forwarded-")
        || matches!(
            plain.as_str(),
            "authorization"
                | "proxy-authorization"
                | "x-api-secret"
                | "cookie"
                | "host"
                | "content-length"
                | "transfer-encoding"
                | "forwarded"
        )
}

fn remove_where(headers: &mut HeaderMap, condemned: impl Fn(&str) -> bool) {
    // Nearly always there is none, and nothing is allocated.
    while let Some(name) = headers.keys().find(|name| condemned(name.as_str())).cloned() {
        headers.remove(name);
    }
}

/// `X-Forwarded-For`, `-Host`, `-Proto` and `Forwarded` (RFC 7239), written anew: the address that the gate found, and the trusted proxy's
/// if there is one. Whatever else a list says was written by a stranger.
fn forwarded(headers: &mut HeaderMap, origin: &Origin) {
    let (mut host, mut scheme) = (origin.host.clone(), origin.scheme);
    if origin.proxy.is_some() {
        host = headers.get(&FORWARDED_HOST).cloned().or(host);
        scheme = match headers.get(&FORWARDED_PROTO).map(HeaderValue::as_bytes) {
            Some(said) if said.eq_ignore_ascii_case(b"https") => "https",
            Some(said) if said.eq_ignore_ascii_case(b"http") => "http",
            _ => scheme,
        };
    }
    let mut addresses = String::with_capacity(48);
    let mut elements = String::with_capacity(96);
    // Writing into a String does not fail.
    if let Some(client) = origin.client {
        let _ = write!(addresses, "{client}");
        element(&mut elements, client);
        let plain = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-' | b'_' | b'[' | b']'));
        if let Some(host) = host.as_ref().and_then(|host| host.to_str().ok()).filter(plain) {
            let _ = write!(elements, ";host=\"{host}\"");
        }
        let _ = write!(elements, ";proto={scheme}");
    }
    if let Some(proxy) = origin.proxy {
        let _ = write!(addresses, ", {proxy}");
        elements.push_str(", ");
        element(&mut elements, proxy);
    }
    put(headers, FORWARDED_FOR, HeaderValue::try_from(addresses).ok());
    put(headers, header::FORWARDED, HeaderValue::try_from(elements).ok());
    put(headers, FORWARDED_HOST, host);
    put(headers, FORWARDED_PROTO, Some(HeaderValue::from_static(scheme)));
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value.filter(|value| !value.is_empty()) {
        Some(value) => drop(headers.insert(name, value)),
        None => drop(headers.remove(name)),
    }
}

fn element(text: &mut String, address: IpAddr) {
    let _ = match address {
        IpAddr::V4(address) => write!(text, "for={address}"),
        IpAddr::V6(address) => write!(text, "for=\"[{address}]\""),
    };
}
