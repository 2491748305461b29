//! Ways to break the engine on purpose, so that it is seen that the simulator finds what it is there for.

use super::verdict::Kind;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The channel says "delivered" without having called.
    Swallow,
    /// The channel calls twice in one attempt.
    Double,
    /// The channel says "failed" although the receiver took it.
    Deny,
    /// A pending row is lost.
    Lose,
    /// Ordered webhooks are not.
    Disorder,
    /// A webhook that was disabled is not.
    Deaf,
    /// A delivery goes to another tenant's webhook.
    Cross,
}

impl Fault {
    pub(super) const ALL: [Self; 7] = [Self::Swallow, Self::Double, Self::Deny, Self::Lose, Self::Disorder, Self::Deaf, Self::Cross];

    /// As what it must be found.
    pub(super) fn found_as(self) -> Kind {
        match self {
            Self::Swallow | Self::Double | Self::Deny => Kind::Ledger,
            Self::Lose => Kind::Lost,
            Self::Disorder => Kind::Order,
            Self::Deaf => Kind::Blocked,
            Self::Cross => Kind::Tenant,
        }
    }
}
