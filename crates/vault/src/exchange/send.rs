//! One exchange, from request to meaning.

use std::time::Duration;

use kernel::Result;
use web::outbound::{Client, OutboundFault, OutboundRequest, OutboundResponse};

use super::{App, Exchanged, Grant, answer};
use crate::providers::{Endpoints, Provider};

/// For one exchange, all together. Less than a third of a claim's life, so that a writer that tries three times is done before it ends.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(12);
/// Largest answer of a token endpoint that is read.
pub(super) const MAX_ANSWER: usize = 64 * 1024;

/// A vendor's endpoints and an app.
pub(crate) struct Exchange<'a> {
    pub(crate) client: &'a Client,
    pub(crate) provider: &'a Provider,
    pub(crate) endpoints: &'a Endpoints,
    pub(crate) app: &'a App,
}

/// Why there is no answer.
pub(super) enum NoAnswer {
    /// Nothing was done.
    Nothing(String),
    /// It may have been done.
    Perhaps(String),
}

impl Exchange<'_> {
    /// Shows a grant once. Error: internal only.
    pub(crate) async fn show(&self, grant: &Grant<'_>) -> Result<Exchanged> {
        let request = grant.request(self.provider, &self.endpoints.token, self.app)?;
        Ok(match send(self.client, request).await {
            Ok(reply) => answer::read(self.provider, &reply),
            Err(NoAnswer::Nothing(text)) => Exchanged::Unavailable(text),
            Err(NoAnswer::Perhaps(text)) => Exchanged::Lost(text),
        })
    }
}

/// Sends a request; tells what surely did not happen from what may have.
pub(super) async fn send(client: &Client, request: OutboundRequest) -> std::result::Result<OutboundResponse, NoAnswer> {
    client.send(request).await.map_err(|error| match error.kind {
        // The address is not told: it would let a tenant map the operator's network.
        OutboundFault::Refused(_) => NoAnswer::Nothing("its address may not be called".to_owned()),
        OutboundFault::Dns | OutboundFault::Connect | OutboundFault::Tls | OutboundFault::ClientCertificate | OutboundFault::Proxy => {
            NoAnswer::Nothing(error.text)
        }
        OutboundFault::Timeout | OutboundFault::Protocol => NoAnswer::Perhaps(error.text),
    })
}
