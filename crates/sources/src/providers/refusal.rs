//! Why a call was not believed.

/// The reason, for the tenant that owns the source. Whoever called learns only that it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The source has no secret yet, or its last one has expired.
    NoSecret,
    /// A header that carries the proof is not there.
    MissingSignature,
    /// The signature is none of the valid secrets'.
    InvalidSignature,
    /// The time of signing cannot be read.
    InvalidTimestamp,
    /// The time of signing is too far from now.
    StaleTimestamp,
    /// Wrong user, password or token.
    InvalidCredential,
}

impl Refusal {
    const ALL: [Self; 6] = [
        Self::NoSecret,
        Self::MissingSignature,
        Self::InvalidSignature,
        Self::InvalidTimestamp,
        Self::StaleTimestamp,
        Self::InvalidCredential,
    ];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSecret => "no_secret",
            Self::MissingSignature => "missing_signature",
            Self::InvalidSignature => "invalid_signature",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::StaleTimestamp => "stale_timestamp",
            Self::InvalidCredential => "invalid_credential",
        }
    }

    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoSecret => "The source has no valid secret: give it the vendor's with rotate-secret.",
            Self::MissingSignature => {
                "The header with the signature or credential is missing: is the provider right, and does the vendor sign?"
            }
            Self::InvalidSignature => {
                "The signature does not match: another secret, another address than the vendor signed, or not the vendor."
            }
            Self::InvalidTimestamp => "The time of signing is missing or is not a number.",
            Self::StaleTimestamp => "The time of signing is too far from now: an old call sent again, or a clock that is wrong.",
            Self::InvalidCredential => "The user, password or token is not the source's.",
        }
    }

    /// Reads what [`Refusal::as_str`] wrote.
    pub(crate) fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.as_str() == text)
    }
}

/// The usual refusal, unless it `matches`.
pub(super) fn unless(matches: bool) -> Result<(), Refusal> {
    if matches { Ok(()) } else { Err(Refusal::InvalidSignature) }
}
