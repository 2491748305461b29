//! The access log: a JSON line per request, written by a thread of its own so that no request waits for a disk.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{Request, header};
use http_body::Body as _;
use kernel::{Error, Result, Timestamp};
use serde::Serialize;
use web::{REQUEST_ID_HEADER, RequestNote};

/// Lines that wait for the disk. Beyond it lines are lost, and counted.
const WAITING: usize = 16_384;
/// Longer paths and names of clients are cut.
const MAX_TEXT: usize = 512;
/// A longer segment of a path may be a secret (a one-time link).
const MAX_SEGMENT: usize = 64;

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Standard error, among the other logs.
    Stderr,
    /// The end of this file.
    File(PathBuf),
}

impl FromStr for Target {
    type Err = std::convert::Infallible;

    /// `stdout`, `stderr`, or a path.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(match text {
            "stdout" => Self::Stdout,
            "stderr" => Self::Stderr,
            path => Self::File(path.into()),
        })
    }
}

impl Target {
    fn open(&self) -> std::io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Self::Stdout => Box::new(BufWriter::new(std::io::stdout())),
            Self::Stderr => Box::new(BufWriter::new(std::io::stderr())),
            Self::File(path) => Box::new(BufWriter::with_capacity(64 * 1024, append(path)?)),
        })
    }
}

fn append(path: &std::path::Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

enum Order {
    Line(Vec<u8>),
    Reopen,
}

/// A running log. Dropping it writes what waits.
pub struct AccessLog {
    orders: Option<SyncSender<Order>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl AccessLog {
    /// Opens the target and starts the thread. Error: 422 `access_log_unwritable`.
    pub fn start(target: Target) -> Result<Self> {
        let open = target.open().map_err(|error| {
            Error::invalid("access_log_unwritable", format!("The access log cannot be written to {target:?}: {error}.")).caused_by(error)
        })?;
        let (orders, waiting) = sync_channel(WAITING);
        let work = move || write_all(&target, open, &waiting);
        let writer = std::thread::Builder::new().name("access log".into()).spawn(work).map_err(Error::internal)?;
        Ok(Self { orders: Some(orders), writer: Mutex::new(Some(writer)) })
    }

    /// Opens the file again: it was moved away by whatever rotates logs.
    pub fn reopen(&self) {
        if let Some(orders) = &self.orders {
            // Full: the writer is far behind, and is asked again at the next rotation.
            let _ = orders.try_send(Order::Reopen);
        }
    }

    pub(crate) fn write(&self, line: &Line) {
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        let taken = self.orders.as_ref().is_some_and(|orders| orders.try_send(Order::Line(text)).is_ok());
        if !taken {
            metrics::counter!("tradewind_access_log_lost_total").increment(1);
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(writer) = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = writer.join();
        }
    }
}

fn write_all(target: &Target, mut out: Box<dyn Write + Send>, orders: &Receiver<Order>) {
    let mut failed = false;
    while let Ok(first) = orders.recv() {
        let mut next = Some(first);
        let mut outcome = Ok(());
        while let Some(order) = next {
            match order {
                Order::Line(line) => outcome = outcome.and_then(|()| out.write_all(&line)),
                Order::Reopen => match target.open() {
                    Ok(fresh) => {
                        let _ = out.flush();
                        out = fresh;
                    }
                    Err(error) => tracing::warn!(%error, "the access log could not be opened again; it goes on in the file that it has"),
                },
            }
            next = orders.try_recv().ok();
        }
        let outcome = outcome.and_then(|()| out.flush());
        // Said once, not once per line: the disk is probably full.
        if let (Err(error), false) = (&outcome, failed) {
            tracing::error!(%error, "the access log cannot be written");
        }
        failed = outcome.is_err();
    }
}

/// A line. Never holds a secret: no query, no header but the client's name of itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    method: String,
    path: String,
    /// The route's template, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    protocol: String,
    status: u16,
    /// From the head of the request to the head of the answer.
    duration_ms: f64,
    request_bytes: u64,
    response_bytes: u64,
    /// The client's address, behind trusted proxies too.
    ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// The key's id (`key_…`), or the service key's (`svc_…`).
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

impl Line {
    /// What is known when a request comes.
    pub(crate) fn of(request: &Request<Body>, peer: SocketAddr, at: Timestamp) -> Self {
        let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            at,
            request_id: None,
            method: request.method().to_string(),
            path: shown(request.uri().path()),
            endpoint: None,
            protocol: format!("{:?}", request.version()),
            status: 0,
            duration_ms: 0.0,
            request_bytes: request.body().size_hint().lower(),
            response_bytes: 0,
            ip: peer.ip().to_canonical().to_string(),
            tenant_id: None,
            client_id: None,
            key_id: None,
            error: None,
            user_agent: agent.map(|agent| agent.chars().take(MAX_TEXT).collect()),
            trace_id: None,
        }
    }

    /// With what the answer adds.
    pub(crate) fn finish(
        mut self,
        response: &Response,
        note: Option<&RequestNote>,
        trace: Option<&str>,
        duration: Duration,
        bytes: u64,
    ) -> Self {
        self.request_id = response.headers().get(REQUEST_ID_HEADER).and_then(|id| id.to_str().ok()).map(str::to_owned);
        self.status = response.status().as_u16();
        // Microseconds are as fine as anybody reads it.
        self.duration_ms = f64::from(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)) / 1000.0;
        self.response_bytes = bytes;
        self.trace_id = trace.map(str::to_owned);
        let Some(note) = note else { return self };
        self.endpoint = Some(note.endpoint.to_string());
        self.tenant_id = note.tenant.map(|id| id.to_string());
        self.client_id = note.client.map(|id| id.to_string());
        self.key_id = note.key.map(|id| id.to_string()).or_else(|| note.service_key.map(|id| id.to_string()));
        self.error = note.error.map(str::to_owned);
        if let Some(ip) = note.ip {
            self.ip = ip.to_string();
        }
        self
    }
}

/// A path for the log: long segments, which may be secrets, are hidden, and it is not endless.
fn shown(path: &str) -> String {
    const MARKS: [&str; 4] = ["_live_", "_test_", "_dev_", "whsec_"];
    let hidden = |segment: &&str| segment.len() > MAX_SEGMENT || MARKS.iter().any(|mark| segment.contains(mark));
    let all: Vec<&str> = path.split('/').map(|segment| if hidden(&segment) { "***" } else { segment }).collect();
    all.join("/").chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_hide_what_may_be_a_secret() {
        assert_eq!(shown("/api/v1/leads/rec_01"), "/api/v1/leads/rec_01");
        assert_eq!(shown("/x/tw_live_abc_def/y"), "/x/***/y");
        assert_eq!(shown(&format!("/portal/{}", "a".repeat(65))), "/portal/***");
        assert_eq!(shown(&"/a".repeat(600)).len(), MAX_TEXT);
    }

    #[test]
    fn targets_are_named_or_paths() {
        assert_eq!("stdout".parse(), Ok(Target::Stdout));
        assert_eq!("stderr".parse(), Ok(Target::Stderr));
        assert_eq!("/var/log/a".parse(), Ok(Target::File("/var/log/a".into())));
    }
}
