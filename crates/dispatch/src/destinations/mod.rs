//! Where deliveries go: channel, sealed configuration, policy and state. Made and changed by other features inside their own transactions.

mod create;
mod delete;
mod ending;
mod get;
mod set_state;
mod sql;
mod update;

use std::fmt;

use kernel::{ClientId, DestinationId, Error, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Policy;

pub use create::{NewDestination, create};
pub use delete::delete;
use ending::certificate_ends;
pub use ending::ending;
pub(crate) use get::find;
pub use get::{get, get_all};
pub use set_state::{Failing, set_state};
pub(crate) use set_state::{disable, mark_failing};
pub use update::{DestinationUpdate, update};

/// The topic of change notices about destinations; the key is the id.
pub const TOPIC: &str = "destination";

/// Whether a destination gets its deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does.
    Enabled,
    /// They wait.
    Paused,
    /// They end as skipped, reason `disabled`.
    Disabled,
}

impl State {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        [Self::Enabled, Self::Paused, Self::Disabled]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown destination state {text:?}")))
    }
}

/// A destination. Its configuration holds secrets, so it does not print them.
#[derive(Clone)]
pub struct Destination {
    /// Its id, the same as the webhook's.
    pub id: DestinationId,
    /// Whose.
    pub tenant: TenantId,
    /// Of which client.
    pub client: ClientId,
    /// Which channel carries its deliveries: `http`.
    pub channel: String,
    /// The channel's configuration, opened.
    pub config: Value,
    /// How it is treated.
    pub policy: Policy,
    /// Whether it gets its deliveries.
    pub state: State,
    /// Why it is in this state: `gone`, or what the caller said.
    pub state_reason: Option<String>,
    /// Since when nothing has arrived.
    pub failing_since: Option<Timestamp>,
    /// Made at.
    pub created_at: Timestamp,
    /// Last changed at.
    pub updated_at: Timestamp,
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("id", &self.id)
            .field("channel", &self.channel)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

fn context(id: DestinationId) -> String {
    format!("destinations.config:{id}")
}

fn missing() -> Error {
    Error::not_found("webhook")
}
