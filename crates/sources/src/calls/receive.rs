//! `sources.receive`: `POST /in/{sourceId}`. No credential: the signature is the authority, and it is checked before anything else is believed.
//!
//! What a stranger can make us do: one look-up for an id that nobody has (few a minute from one address), reading a body, one or two MACs over
//! it, and a bounded number of small quarantined rows for an id that somebody has.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use kernel::{Error, Kind, Result, SourceId};
use web::PeerAddress;

use super::{Call, MAX_BODY, Reading, answer, interpret};
use crate::Sources;
use crate::cache::Loaded;
use crate::providers::{self, Check, Refusal};

impl Sources {
    /// Takes a call in; answers after the commit.
    ///
    /// Errors: 401 `call_not_verified`; 404 for a source that is unknown, disabled, or whose tenant is suspended; 405; 413 `body_too_large`;
    /// 429 `rate_limited` after many failures from this address; 503 `overloaded`.
    pub(crate) async fn receive(self: &Arc<Self>, id: SourceId, remote: IpAddr, request: Request) -> Result<Response> {
        let source = self.open_source(id, remote).await?;
        if !source.provider.takes(request.method()) {
            return Err(Error::new(Kind::MethodNotAllowed, "method_not_allowed", "Calls come by POST. This address is for machines."));
        }
        self.bounds.is_failing(id, remote, self.ambient.now()).map_err(too_many)?;
        let (parts, body) = request.into_parts();
        let place = self.bounds.read(id).ok_or_else(busy)?;
        let body = web::read_body(body, MAX_BODY).await?;
        drop(place);
        let query = parts.uri.query().map(str::to_owned);
        let call = Call { method: parts.method, query, headers: parts.headers, body };
        let provider = source.provider.as_str();
        if let Err(refusal) = self.verify(&source, &call) {
            metrics::counter!("tradewind_inbound_calls", "provider" => provider, "outcome" => refusal.as_str()).increment(1);
            return Err(self.refuse(source, call, refusal, remote).await);
        }
        let now = self.ambient.now();
        match interpret(&source, &call, now)? {
            Reading::Challenge(text) => Ok(answer::challenge(text)),
            Reading::Events(found) => {
                let outcome = self.accept(Arc::clone(&source), found, now).await?;
                metrics::counter!("tradewind_inbound_calls", "provider" => provider, "outcome" => outcome.name()).increment(1);
                Ok(answer::accepted(&source, &outcome))
            }
        }
    }

    /// The source, if it takes calls.
    async fn open_source(&self, id: SourceId, remote: IpAddr) -> Result<Arc<Loaded>> {
        let found = match self.cache.get(id, self.ambient.now()) {
            Some(known) => known,
            None => {
                self.bounds.may_look_up(remote, self.ambient.now()).map_err(too_many)?;
                let found = self.look_up(id).await?;
                if found.is_none() {
                    self.bounds.note_unknown(remote, self.ambient.now());
                }
                found
            }
        };
        found.filter(|source| source.is_open).ok_or_else(|| Error::not_found("source"))
    }

    fn verify(&self, source: &Loaded, call: &Call) -> Result<(), Refusal> {
        let now = self.ambient.now();
        let secrets: Vec<&str> = source.secrets.valid(now).collect();
        let url = source.settings.signed_url.clone().unwrap_or_else(|| self.url(source.id));
        providers::verify(&Check {
            call,
            settings: &source.settings,
            template: source.template.as_ref(),
            secrets: &secrets,
            url: &url,
            now,
            provider: source.provider,
        })
    }

    /// Counts a refused call, keeps it where there is room, and makes the answer, which says no more than that.
    async fn refuse(self: &Arc<Self>, source: Arc<Loaded>, call: Call, refusal: Refusal, remote: IpAddr) -> Error {
        let now = self.ambient.now();
        self.bounds.note_failure(source.id, remote, now);
        if self.bounds.may_keep(source.id, remote, now)
            && let Err(error) = self.quarantine(source, call, refusal, remote).await
        {
            tracing::warn!(?error, "a refused call could not be kept");
        }
        Error::unauthenticated("call_not_verified", "This call could not be verified. Whoever owns the source sees why in its quarantine.")
    }
}

fn busy() -> Error {
    Error::unavailable("overloaded", "Too many calls are on their way to this source. Try again shortly.")
        .retry_after(Duration::from_secs(1))
}

fn too_many(wait: Duration) -> Error {
    let text = "Too many calls from your address could not be verified. Try again when Retry-After says.";
    Error::new(Kind::RateLimited, "rate_limited", text).retry_after(wait)
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Path(id): web::Path<SourceId>,
    request: Request,
) -> web::Result<Response> {
    let peer = request.extensions().get::<PeerAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.to_canonical());
    Ok(sources.receive(id, peer, request).await?)
}
