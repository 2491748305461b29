//! Subscriptions, which the API calls webhooks.

mod create;
mod delete;
mod destination;
mod get;
mod input;
mod list;
mod replace;
mod rotate_secret;
mod secrets;
mod set_state;
mod settings;
pub(crate) mod sql;
mod target;
mod test;
mod update;
mod view;

use std::str::FromStr;

use dispatch::State;
use kernel::{ClientId, DestinationId, Error, IdRef, Result, TenantId, Timestamp};
use serde_json::Value;
use store::Tx;

pub use input::{AuthInput, RetryConfig, WebhookInput, WebhookPatch};
pub use rotate_secret::{RotateSecret, RotatedSecret};
pub use secrets::{SigningSecret, WebhookSecrets};
pub use test::TestResult;
pub use view::Webhook;

pub(crate) use create::handle as create;
pub(crate) use create::subscribe;
pub(crate) use delete::{flat as delete_flat, nested as delete};
pub(crate) use get::{flat as get_flat, nested as get};
pub(crate) use list::handle as list;
pub(crate) use replace::{flat as replace_flat, nested as replace};
pub(crate) use rotate_secret::{flat as rotate_secret_flat, nested as rotate_secret, overlap};
pub(crate) use secrets::{flat as secrets_flat, nested as secrets};
pub use set_state::Change;
pub(crate) use set_state::{flat as set_state_flat, nested as set_state};
pub(crate) use target::{Target, explain};
pub(crate) use test::{flat as test_flat, nested as test};
pub(crate) use update::{flat as update_flat, nested as update};

/// Most webhooks of one client.
pub(crate) const MAX_PER_CLIENT: u64 = 100;

/// A row of `subscriptions`.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: DestinationId,
    pub(crate) client: ClientId,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) events: Vec<String>,
    pub(crate) channels: Vec<String>,
    pub(crate) filter: Option<Value>,
    pub(crate) retry_config: Option<RetryConfig>,
    pub(crate) ordering_path: Option<String>,
    /// What the destination's state was when it was last looked at.
    pub(crate) state: State,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// How a path names a webhook: alone, or below its client.
#[derive(Clone, Debug)]
pub struct WebhookPath {
    /// The client, if the path names it.
    pub client: Option<IdRef<ClientId>>,
    /// The webhook.
    pub id: DestinationId,
}

impl WebhookPath {
    pub(crate) fn nested(client: &str, id: DestinationId) -> Result<Self> {
        // What cannot be a client's id names no client.
        let client = IdRef::from_str(client).map_err(|_| Error::not_found("webhook"))?;
        Ok(Self { client: Some(client), id })
    }

    /// The row. Error: 404, also when the webhook is not the named client's.
    pub(crate) fn find(&self, tx: &mut Tx<'_>, tenant: TenantId) -> Result<Row> {
        let client = match &self.client {
            Some(reference) => Some(access::clients::resolve(tx, tenant, reference)?),
            None => None,
        };
        let row = sql::get(tx, tenant, self.id)?;
        row.filter(|row| client.is_none_or(|client| client == row.client)).ok_or_else(|| Error::not_found("webhook"))
    }
}

impl From<DestinationId> for WebhookPath {
    fn from(id: DestinationId) -> Self {
        Self { client: None, id }
    }
}
