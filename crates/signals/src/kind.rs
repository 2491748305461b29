//! Kinds of signals.

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Somebody failed to authenticate with a tenant's key. Subject: the key.
    FailedKey,
    /// Somebody failed to authenticate from an address. Subject: the address, of the operator's.
    FailedAddress,
    /// A call was refused by a limit. Subject: the key.
    RateLimited,
    /// Something between a tenant and another system failed. Subject: the source, the integration.
    IntegrationError,
}

impl Kind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FailedKey => "failed_key",
            Self::FailedAddress => "failed_address",
            Self::RateLimited => "rate_limited",
            Self::IntegrationError => "integration_error",
        }
    }
}
