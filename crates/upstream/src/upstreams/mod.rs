//! Backends: several targets that answer alike, which of them is asked, and what is known of their health.

mod budget;
mod choose;
mod health;
mod target;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use blueprint::model;
use http::{HeaderName, HeaderValue};
use kernel::{Ambient, Error, Result, Secret, Timestamp};
use web::outbound::backend::{Backend, BackendAddress, BackendConfig, BackendProtocol, Pace, authorities};

pub(crate) use budget::Budget;
pub(crate) use health::watch;
pub(crate) use target::Target;

use crate::identity::Signer;

/// Largest file of authorities, in bytes: ten times what operating systems ship.
const MAX_AUTHORITIES: u64 = 4 << 20;

/// A backend as it runs.
pub struct Upstream {
    pub(crate) name: Arc<str>,
    pub(crate) targets: Vec<Target>,
    /// Indexes of targets, each as often as its weight says, well mixed.
    order: Box<[u8]>,
    next: std::sync::atomic::AtomicUsize,
    pub(crate) budget: Budget,
    pub(crate) signer: Signer,
    pub(crate) settings: Settings,
    pub(crate) ambient: Ambient,
    /// Turns true when WebSockets are to end.
    pub(crate) closing: tokio::sync::watch::Sender<bool>,
    /// The task that asks for health, ended with this upstream.
    watch: Mutex<Option<tokio::task::AbortHandle>>,
}

/// What the blueprint says, in the form that calls use.
pub(crate) struct Settings {
    pub(crate) first_byte: Duration,
    pub(crate) idle: Duration,
    pub(crate) total: Option<Duration>,
    pub(crate) websocket_idle: Duration,
    pub(crate) retries: u32,
    pub(crate) max_request: Option<u64>,
    pub(crate) max_response: Option<u64>,
    pub(crate) eject_after: u32,
    pub(crate) eject_ms: u64,
    pub(crate) health: Option<model::UpstreamHealth>,
    pub(crate) forward_authorization: bool,
    pub(crate) forward_cookie: bool,
    pub(crate) forward_secret: bool,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) preserve_host: bool,
}

impl Upstream {
    pub(crate) fn new(declared: &model::Upstream, key: &Secret<String>, ambient: Ambient) -> Result<Self> {
        let extra_roots = match &declared.ca_file {
            None => Vec::new(),
            Some(path) => read_authorities(&declared.name, path)?,
        };
        let target = |target: &model::UpstreamTarget| -> Result<Target> {
            let config = BackendConfig {
                protocol: match declared.protocol {
                    model::UpstreamProtocol::Auto => BackendProtocol::Auto,
                    model::UpstreamProtocol::Http1 => BackendProtocol::Http1,
                    model::UpstreamProtocol::Http2 => BackendProtocol::Http2,
                },
                connect_time: Duration::from_millis(declared.connect_timeout_ms),
                max_in_flight: declared.max_in_flight as usize,
                max_idle: declared.max_idle as usize,
                idle_time: Duration::from_millis(declared.idle_connection_ms),
                extra_roots: extra_roots.clone(),
                ..BackendConfig::new(BackendAddress::parse(&target.url)?)
            };
            Ok(Target::new(Backend::new(config).map_err(|why| unusable(&declared.name, &why))?))
        };
        let targets = declared.targets.iter().map(target).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            name: Arc::from(declared.name.as_str()),
            order: choose::order(&declared.targets),
            next: std::sync::atomic::AtomicUsize::new(0),
            budget: Budget::default(),
            signer: Signer::new(key),
            settings: Settings::new(declared)?,
            targets,
            ambient,
            closing: tokio::sync::watch::Sender::new(false),
            watch: Mutex::default(),
        })
    }

    /// How fast a call that begins now must go on.
    pub(crate) fn pace(&self) -> Pace {
        let until = self.settings.total.map(|total| tokio::time::Instant::now() + total);
        Pace { first_byte: self.settings.first_byte, idle: self.settings.idle, until }
    }

    /// The targets' addresses, and whether each gets calls at the moment.
    pub fn targets(&self) -> Vec<(String, bool)> {
        let now = self.ambient.now();
        self.targets.iter().map(|target| (target.backend.address().shown().to_owned(), target.is_available(now))).collect()
    }

    /// A target failed a call: enough of that in a row, and it gets none for a while.
    pub(crate) fn failed(&self, target: &Target) {
        if let Some(time) = target.failed(&self.settings, self.ambient.now()) {
            metrics::counter!("tradewind_upstream_ejections", "upstream" => Arc::clone(&self.name)).increment(1);
            let shown = target.backend.address().shown();
            tracing::warn!(upstream = %self.name, target = shown, seconds = time.as_secs(), "a target failed too often and gets no calls for a while");
        }
    }

    /// When to come back, if no target is available.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Duration {
        self.targets.iter().map(|target| target.wait(now)).min().unwrap_or_default().max(Duration::from_secs(1))
    }

    pub(crate) fn set_watch(&self, task: tokio::task::AbortHandle) {
        if let Some(before) = self.watch.lock().unwrap_or_else(PoisonError::into_inner).replace(task) {
            before.abort();
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(task) = self.watch.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Settings {
    fn new(declared: &model::Upstream) -> Result<Self> {
        let forwards = |name: &str| declared.forward.iter().any(|known| known == name);
        let header = |(name, value): &(String, String)| -> Result<(HeaderName, HeaderValue)> {
            let name = name.parse().map_err(|why| unusable(&declared.name, &why))?;
            Ok((name, value.parse().map_err(|why| unusable(&declared.name, &why))?))
        };
        Ok(Self {
            first_byte: Duration::from_millis(declared.first_byte_timeout_ms),
            idle: Duration::from_millis(declared.idle_timeout_ms),
            total: declared.total_timeout_ms.map(Duration::from_millis),
            websocket_idle: Duration::from_millis(declared.websocket_idle_ms),
            retries: declared.retries,
            max_request: declared.max_request_bytes,
            max_response: declared.max_response_bytes,
            eject_after: declared.eject_after,
            eject_ms: declared.eject_ms,
            health: declared.health.clone(),
            forward_authorization: forwards("authorization"),
            forward_cookie: forwards("cookie"),
            forward_secret: forwards("x-api-secret"),
            headers: declared.headers.iter().map(header).collect::<Result<_>>()?,
            preserve_host: declared.preserve_host,
        })
    }
}

fn read_authorities(name: &str, path: &str) -> Result<Vec<Vec<u8>>> {
    let bytes = blueprint::read_regular(path, MAX_AUTHORITIES + 1).map_err(|why| unusable(name, &format!("{path}: {why}")))?;
    if bytes.len() as u64 > MAX_AUTHORITIES {
        return Err(unusable(name, &format!("{path}: it is larger than {MAX_AUTHORITIES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|why| unusable(name, &format!("{path}: {why}")))?;
    authorities(&text).map_err(|why| unusable(name, &format!("{path}: {why}")))
}

fn unusable(name: &str, why: &dyn std::fmt::Display) -> Error {
    Error::invalid("invalid_upstream", format!("The upstream {name:?} cannot be used: {why}."))
}
