//! How an integration is.

use kernel::Error;
use serde::{Deserialize, Serialize};

/// How an integration is, as far as its last calls tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IntegrationStatus)]
pub enum Status {
    /// It has a credential, and the vendor took it when it was last shown.
    Connected,
    /// It has no credential.
    Disconnected,
    /// The vendor does not take its credential, or does not let it do what was asked for.
    Error,
}

impl Status {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Error => "error",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Connected, Self::Disconnected, Self::Error]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Error::field("/status", "must be connected, disconnected or error"))
    }
}
