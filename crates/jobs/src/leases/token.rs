//! What names a lease: `<tenant>~<epoch>~<nonce>~<type>`. Opaque to workers. It is no credential, only the proof that nobody has leased the job
//! since.

use std::str::FromStr;

use kernel::{Ambient, Error, Result, TenantId};

/// A lease's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) tenant: TenantId,
    pub(crate) epoch: i64,
    pub(crate) nonce: String,
    pub(crate) kind: String,
}

impl Token {
    /// What is drawn anew for every lease.
    pub(crate) fn nonce(ambient: &Ambient) -> String {
        ambient.bytes::<12>().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether it is of a job of this type, which is leased or was ended under this epoch and nonce. Whoever sends a token can write any type
    /// into it.
    pub(crate) fn is_of(&self, kind: &str, epoch: i64, nonce: Option<&str>) -> bool {
        self.kind == kind && self.epoch == epoch && nonce == Some(&self.nonce)
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}~{}~{}", self.tenant, self.epoch, self.nonce, self.kind)
    }
}

impl FromStr for Token {
    type Err = Error;

    /// Error: 422 `validation_failed`, at `/leaseToken`.
    fn from_str(text: &str) -> Result<Self> {
        let fault = || Error::field("/leaseToken", "must be as the lease gave it");
        let mut parts = text.splitn(4, '~');
        let mut next = || parts.next().filter(|part| part.len() <= 64).ok_or_else(fault);
        let tenant = next()?.parse().map_err(|_| fault())?;
        let epoch = next()?.parse().map_err(|_| fault())?;
        Ok(Self { tenant, epoch, nonce: next()?.to_owned(), kind: next()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn goes_there_and_back() {
        let ambient = Ambient::system();
        let token = Token { tenant: ambient.id(), epoch: 3, nonce: Token::nonce(&ambient), kind: "call.analyze".to_owned() };
        assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_a_fault_at_its_place(text in ".{0,120}") {
            if let Err(error) = text.parse::<Token>() {
                prop_assert_eq!(&error.fields()[0].pointer, "/leaseToken");
            }
        }
    }
}
