//! One backend: its address, its connections, and a call to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response, Version};
use rustls::RootCertStore;
use tokio::time::Instant;

use super::address::BackendAddress;
use super::answer::Answer;
use super::connect::{BackendProtocol, Connector, Opened};
use super::driven::{self, Driven};
use super::fault::{BackendError, BackendFault};
use super::idle::Idle;
use super::outgoing::Outgoing;
use super::places::{Holder, Place, Places};
use super::shared::{self, Shared};
use crate::Tally;
use crate::outbound::resolve::{Resolve, SystemResolver};

/// How a [`Backend`] is made.
#[derive(Clone)]
pub struct BackendConfig {
    /// Where it is.
    pub address: BackendAddress,
    /// How HTTP is spoken to it.
    pub protocol: BackendProtocol,
    /// The most time for a connection, TLS included; also how long a call waits for a place.
    pub connect_time: Duration,
    /// The most calls at once. Nobody holds all of them alone, unless there is only one.
    pub max_in_flight: usize,
    /// Idle connections that are kept.
    pub max_idle: usize,
    /// How long an idle connection is kept.
    pub idle_time: Duration,
    /// Certificate authorities (DER) trusted beside the public ones.
    pub extra_roots: Vec<Vec<u8>>,
    /// Who looks names up. Default: the operating system.
    pub resolver: Arc<dyn Resolve>,
}

impl BackendConfig {
    /// The defaults for this address: as TLS agrees, 5 s to connect, 1,024 calls at once, 128 idle connections for 50 s.
    pub fn new(address: BackendAddress) -> Self {
        Self {
            address,
            protocol: BackendProtocol::Auto,
            connect_time: Duration::from_secs(5),
            max_in_flight: 1024,
            max_idle: 128,
            idle_time: Duration::from_secs(50),
            extra_roots: Vec::new(),
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// How fast a call must go on.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the last byte of the request to the first of the answer.
    pub first_byte: Duration,
    /// Between two parts of a body.
    pub idle: Duration,
    /// When all must be over.
    pub until: Option<Instant>,
}

impl Pace {
    /// `due`, or the end of all if that is sooner.
    pub(super) fn bounded(&self, due: Instant) -> Instant {
        self.until.map_or(due, |until| until.min(due))
    }
}

/// One backend of the operator's, with its connections.
pub struct Backend {
    pub(super) address: BackendAddress,
    pub(super) connector: Connector,
    idle: Arc<Idle>,
    shared: Shared,
    /// TLS did not agree on HTTP/2 last time: then nobody need wait for another's connection.
    alone: AtomicBool,
    places: Arc<Places>,
}

impl Backend {
    /// A backend without connections. Error: an extra root that is no certificate.
    pub fn new(config: BackendConfig) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        for der in config.extra_roots {
            roots.add(der.into())?;
        }
        let connector = Connector::new(config.resolver, config.protocol, config.connect_time, &Arc::new(roots))?;
        Ok(Self {
            address: config.address,
            connector,
            idle: Arc::new(Idle::new(config.max_idle, config.idle_time)),
            shared: Shared::default(),
            alone: AtomicBool::new(false),
            places: Places::new(config.max_in_flight),
        })
    }

    /// Where it is.
    pub fn address(&self) -> &BackendAddress {
        &self.address
    }

    /// Idle HTTP/1.1 connections at the moment.
    pub fn idle_connections(&self) -> usize {
        self.idle.len()
    }

    /// Closes idle connections that are too old. To be called now and then.
    pub fn sweep(&self) {
        self.idle.sweep();
    }

    /// Sends a request whose URI is path and query, and waits for the head of the answer. A connection that was kept and turns out closed
    /// before anything was sent is replaced without further ado. The place that it takes is one of `who`'s. `tally` counts what passes, and ends
    /// with the answer.
    pub async fn send(
        &self,
        mut request: Request<Outgoing>,
        who: Holder,
        pace: &Pace,
        tally: Arc<Tally>,
    ) -> Result<Response<Answer>, BackendError> {
        let place = self.place(who).await?;
        if let Some(sender) = self.shared.get() {
            match shared::send(sender, request, &self.address, pace).await {
                Ok(response) => return Ok(seal(response.map(|body| Answer::shared(body, place, pace, tally)))),
                Err(BackendError { unsent: Some(unsent), reused: true, .. }) => request = *unsent,
                Err(failed) => return Err(failed),
            }
        }
        while let Some(kept) = self.idle.take() {
            match driven::send(kept, request, pace).await {
                Ok((response, connection)) => return Ok(self.answered(response, connection, place, pace, tally)),
                Err(BackendError { unsent: Some(unsent), .. }) => request = *unsent,
                Err(failed) => return Err(failed),
            }
        }
        self.send_anew(request, place, pace, tally).await
    }

    /// On a connection that is opened for it, or, with HTTP/2, that another call has opened meanwhile.
    async fn send_anew(
        &self,
        request: Request<Outgoing>,
        place: Place,
        pace: &Pace,
        tally: Arc<Tally>,
    ) -> Result<Response<Answer>, BackendError> {
        let may_share = self.connector.protocol == BackendProtocol::Http2
            || self.connector.protocol == BackendProtocol::Auto && self.address.secure && !self.alone.load(Ordering::Relaxed);
        let guard = if may_share { Some(self.shared.opening.lock().await) } else { None };
        let sender = match self.shared.get() {
            Some(sender) => sender,
            None => match self.connector.open(&self.address, false).await {
                Ok(Opened { stream, http2: true }) => match self.shared.begin(stream).await {
                    Ok(sender) => sender,
                    Err(failed) => return Err(failed.unsent(request)),
                },
                Ok(Opened { stream, http2: false }) => {
                    self.alone.store(true, Ordering::Relaxed);
                    drop(guard);
                    let (response, connection) = driven::send(driven::begin(stream).await?, request, pace).await?;
                    return Ok(self.answered(response, connection, place, pace, tally));
                }
                Err(failed) => return Err(failed.unsent(request)),
            },
        };
        drop(guard);
        let response = shared::send(sender, request, &self.address, pace).await?;
        Ok(seal(response.map(|body| Answer::shared(body, place, pace, tally))))
    }

    fn answered(
        &self,
        response: Response<hyper::body::Incoming>,
        connection: Box<Driven>,
        place: Place,
        pace: &Pace,
        tally: Arc<Tally>,
    ) -> Response<Answer> {
        let home = Arc::clone(&self.idle);
        seal(response.map(|body| Answer::driven(body, connection, home, place, pace, tally)))
    }

    /// A place among the calls under way.
    pub(super) async fn place(&self, who: Holder) -> Result<Place, BackendError> {
        let busy = || BackendError::new(BackendFault::Busy, format!("{}: too many calls are under way", self.address.shown()));
        self.places.take(who, self.connector.limit).await.ok_or_else(busy)
    }
}

/// Which version was spoken behind us is nobody's business in front.
fn seal(mut response: Response<Answer>) -> Response<Answer> {
    *response.version_mut() = Version::HTTP_11;
    response
}
