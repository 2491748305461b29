//! The operator's own backends.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::report::{self, Report};
use super::{nearest, paths};
use crate::Fault;
use crate::file::upstreams as form;
use crate::model::{Upstream, UpstreamHealth, UpstreamProtocol, UpstreamTarget};

/// The largest body of a request when the file says nothing: 100 MiB.
const MAX_REQUEST: u64 = 100 * 1024 * 1024;
/// Credentials that may be passed on.
const CREDENTIALS: &[&str] = &["authorization", "cookie", "x-api-secret"];
/// Headers that the proxy itself writes, or that belong to one connection.
const OWN_HEADERS: &[&str] = &[
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
    "via",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

pub(super) fn check(upstreams: Vec<form::Upstream>, report: &mut Report) -> Vec<Upstream> {
    report.distinct("upstream", upstreams.iter().map(|upstream| upstream.name.clone()), |i| format!("upstreams[{i}].name"));
    upstreams.into_iter().enumerate().map(|(i, upstream)| one(&format!("upstreams[{i}]"), upstream, report)).collect()
}

fn one(place: &str, upstream: form::Upstream, report: &mut Report) -> Upstream {
    let name_fits = report::is_word(&upstream.name);
    report.expect(name_fits, format!("{place}.name"), "must be lower-case letters, digits, - and _, first a letter, at most 64 of them");
    let mut number = |name: &str, given: Option<u64>, usual: u64, range: RangeInclusive<u64>| {
        let value = given.unwrap_or(usual);
        let text = format!("must be {} to {}", range.start(), range.end());
        report.expect(range.contains(&value), format!("{place}.{name}"), text);
        value
    };
    let connect_timeout_ms = number("connect_timeout_ms", upstream.connect_timeout_ms, 5_000, 1..=60_000);
    let first_byte_timeout_ms = number("first_byte_timeout_ms", upstream.first_byte_timeout_ms, 30_000, 1..=3_600_000);
    let idle_timeout_ms = number("idle_timeout_ms", upstream.idle_timeout_ms, 60_000, 1..=3_600_000);
    let total_timeout_ms = upstream.total_timeout_ms.map(|given| number("total_timeout_ms", Some(given), 0, 1..=86_400_000));
    let websocket_idle_ms = number("websocket_idle_seconds", upstream.websocket_idle_seconds, 300, 1..=86_400) * 1000;
    let retries = number("retries", upstream.retries.map(u64::from), 1, 0..=10);
    let max_in_flight = number("max_in_flight", upstream.max_in_flight.map(u64::from), 1024, 1..=65_536);
    let max_idle = number("max_idle", upstream.max_idle.map(u64::from), 128, 0..=65_536);
    let idle_connection_ms = number("idle_connection_seconds", upstream.idle_connection_seconds, 50, 1..=3_600) * 1000;
    let max_request = number("max_request_bytes", upstream.max_request_bytes, MAX_REQUEST, 0..=1 << 50);
    let max_response = number("max_response_bytes", upstream.max_response_bytes, 0, 0..=1 << 50);
    let eject_after = number("eject_after", upstream.eject_after.map(u64::from), 5, 0..=1000);
    let eject_ms = number("eject_seconds", upstream.eject_seconds, 10, 1..=3_600) * 1000;
    let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Upstream {
        targets: targets(place, upstream.targets, report),
        protocol: match upstream.http {
            form::Protocol::Auto => UpstreamProtocol::Auto,
            form::Protocol::One => UpstreamProtocol::Http1,
            form::Protocol::Two => UpstreamProtocol::Http2,
        },
        connect_timeout_ms,
        first_byte_timeout_ms,
        idle_timeout_ms,
        total_timeout_ms,
        websocket_idle_ms,
        retries: small(retries),
        max_in_flight: small(max_in_flight),
        max_idle: small(max_idle),
        idle_connection_ms,
        max_request_bytes: Some(max_request).filter(|bytes| *bytes > 0),
        max_response_bytes: Some(max_response).filter(|bytes| *bytes > 0),
        eject_after: small(eject_after),
        eject_ms,
        health: upstream.health.map(|health| self::health(place, health, report)),
        forward: forward(place, &upstream.forward, report),
        headers: headers(place, upstream.headers, report),
        preserve_host: upstream.preserve_host,
        ca_file: upstream.ca_file,
        name: upstream.name,
    }
}

fn targets(place: &str, targets: Vec<form::Target>, report: &mut Report) -> Vec<UpstreamTarget> {
    report.expect((1..=64).contains(&targets.len()), format!("{place}.targets"), "must name 1 to 64 URLs");
    report.distinct("target", targets.iter().map(|target| target.url.clone()), |i| format!("{place}.targets[{i}]"));
    let one = |(i, target): (usize, form::Target)| {
        if let Err(why) = url(&target.url) {
            report.add(format!("{place}.targets[{i}]"), why);
        }
        let weight = target.weight.unwrap_or(1);
        report.expect((1..=100).contains(&weight), format!("{place}.targets[{i}].weight"), "must be 1 to 100");
        UpstreamTarget { url: target.url.trim_end_matches('/').to_owned(), weight }
    };
    targets.into_iter().enumerate().map(one).collect()
}

/// `http(s)://host[:port][/path]` and nothing more.
pub(super) fn url(text: &str) -> Result<(), String> {
    let uri: http::Uri = text.parse().map_err(|_| "is not a URL".to_owned())?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("must begin with http:// or https://".to_owned());
    }
    let authority = uri.authority().ok_or_else(|| "names no host".to_owned())?;
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Err("must name a host, without user and password; send credentials by headers".to_owned());
    }
    if authority.port().is_some_and(|port| port.as_u16() == 0) || authority.as_str().ends_with(':') {
        return Err("its port must be 1 to 65535".to_owned());
    }
    if uri.query().is_some() || text.contains('#') {
        return Err("must have no query and no fragment".to_owned());
    }
    let path = uri.path();
    if path != "/" && (path.contains("//") || path.split('/').any(|segment| matches!(segment, "." | ".."))) {
        return Err("its path must not contain //, . or ..".to_owned());
    }
    Ok(())
}

fn health(place: &str, health: form::Health, report: &mut Report) -> UpstreamHealth {
    let at = |name: &str| format!("{place}.health.{name}");
    let path_fits = health.path.starts_with('/') && health.path.parse::<http::uri::PathAndQuery>().is_ok();
    report.expect(path_fits, at("path"), "must be a path such as /healthz");
    let interval = health.interval_seconds.unwrap_or(10);
    report.expect((1..=3600).contains(&interval), at("interval_seconds"), "must be 1 to 3600");
    let timeout_ms = health.timeout_ms.unwrap_or(2000);
    report.expect((1..=60_000).contains(&timeout_ms), at("timeout_ms"), "must be 1 to 60000");
    let healthy_after = health.healthy_after.unwrap_or(2);
    let unhealthy_after = health.unhealthy_after.unwrap_or(2);
    report.expect((1..=100).contains(&healthy_after), at("healthy_after"), "must be 1 to 100");
    report.expect((1..=100).contains(&unhealthy_after), at("unhealthy_after"), "must be 1 to 100");
    UpstreamHealth { path: health.path, interval_ms: interval.saturating_mul(1000), timeout_ms, healthy_after, unhealthy_after }
}

fn forward(place: &str, names: &[String], report: &mut Report) -> Vec<String> {
    for (i, name) in names.iter().enumerate() {
        if !CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()) {
            let suggestion = nearest(name, CREDENTIALS);
            let message = format!("only credentials are named here ({}); all other headers are passed on anyway", CREDENTIALS.join(", "));
            report.faults.push(Fault { suggestion, ..Fault::new(format!("{place}.forward[{i}]"), message) });
        }
    }
    names.iter().map(|name| name.to_ascii_lowercase()).collect()
}

fn headers(place: &str, headers: serde_json::Map<String, Value>, report: &mut Report) -> Vec<(String, String)> {
    let mut kept = Vec::new();
    for (name, value) in headers {
        let at = format!("{place}.headers.{name}");
        let lower = name.to_ascii_lowercase();
        let Some(text) = value.as_str() else {
            report.add(at, "must be a text");
            continue;
        };
        report.expect(http::HeaderName::from_bytes(lower.as_bytes()).is_ok(), at.clone(), "is not the name of a header");
        report.expect(http::HeaderValue::from_str(text).is_ok(), at.clone(), "must be printable ASCII");
        let own = OWN_HEADERS.contains(&lower.as_str()) || lower.starts_with("tradewind-");
        report.expect(!own, at, "is written by the proxy itself");
        kept.push((lower, text.to_owned()));
    }
    kept
}

/// The parts of an endpoint's path that its upstream's path may name: placeholders, and the rest.
pub(super) fn template(base: &str, path: &str, template: &str) -> Result<(), String> {
    let names = paths::upstream(base, path)?;
    let used = paths::template(template)?;
    if let Some(unknown) = used.iter().find(|name| !names.contains(name)) {
        return Err(format!("the endpoint's path has no {unknown:?}"));
    }
    match names.iter().find(|name| name.starts_with('*')) {
        Some(rest) if !used.contains(rest) => Err(format!("must end with {rest}: what the caller asks for would be lost")),
        _ => Ok(()),
    }
}
