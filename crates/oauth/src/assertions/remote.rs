//! The keys of clients that publish them (`jwks_uri`), fetched by the guarded client and kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use access::jose::JwkSet;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use kernel::{ClientId, Error, Result, Timestamp};
use web::outbound::{Client, OutboundRequest, to_uri};

use crate::errors::invalid_client;

/// How long fetched keys are kept.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// How soon they may be fetched again: strangers cannot make us call out oftener.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest set in bytes.
const MAX_SET: usize = 64 * 1024;
/// Most clients whose keys are kept; past it, all are fetched again.
const MOST: usize = 5000;

/// What was fetched, by client.
pub(crate) struct RemoteKeys {
    client: Client,
    known: Mutex<HashMap<ClientId, Known>>,
}

struct Known {
    address: String,
    tried_at: Timestamp,
    /// None: it could not be fetched.
    keys: Option<Arc<JwkSet>>,
}

impl RemoteKeys {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, known: Mutex::default() }
    }

    /// The keys that `owner` publishes. `anew`: those that we have did not fit. Error: 401 `invalid_client`.
    pub(crate) async fn get(&self, owner: ClientId, address: &str, anew: bool, now: Timestamp) -> Result<Arc<JwkSet>> {
        let unfetched = || invalid_client("The client's keys could not be fetched from its jwks_uri.");
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = known.get_mut(&owner).filter(|found| found.address == address) {
                let since = now.since(found.tried_at);
                let is_fresh = found.keys.is_some() && !anew && since < KEPT_FOR;
                if is_fresh || since < AGAIN_AFTER {
                    return found.keys.clone().ok_or_else(unfetched);
                }
                // Whoever asks meanwhile gets what was known.
                found.tried_at = now;
            }
        }
        let fetched = self.fetch(address).await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(&owner).filter(|found| found.address == address).and_then(|found| found.keys.clone());
        let keys = match fetched {
            Ok(keys) => Some(Arc::new(keys)),
            Err(error) => {
                tracing::warn!(client = %owner, %error, "the keys of a client could not be fetched");
                before
            }
        };
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(owner, Known { address: address.to_owned(), tried_at: now, keys: keys.clone() });
        keys.ok_or_else(unfetched)
    }

    async fn fetch(&self, address: &str) -> Result<JwkSet> {
        let url = self.client.verdict(address).await.map_err(|refusal| refusal.into_error("/jwksUri"))?;
        let uri = to_uri(&url).map_err(|refusal| refusal.into_error("/jwksUri"))?;
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("tradewind"));
        let request = OutboundRequest {
            method: Method::GET,
            uri,
            headers,
            body: Bytes::new(),
            timeout: TIMEOUT,
            response_cap: MAX_SET,
            repeatable: false,
        };
        let answer = self.client.send(request).await.map_err(Error::internal)?;
        if answer.status != StatusCode::OK || answer.truncated {
            return Err(Error::internal(format!("it answered {}", answer.status)));
        }
        let value: serde_json::Value = serde_json::from_slice(&answer.body).map_err(Error::internal)?;
        JwkSet::read(&value).map_err(Error::internal)
    }
}
