//! Rules of a tenant's fields.

use kernel::text::{self, MAX_NAME};
use kernel::{Ambient, Error, Result};

use super::Tenant;
use crate::rules;

/// Longest slug (that of a DNS label).
const MAX_SLUG: usize = 63;

/// Checks everything that a caller may set.
pub(super) fn check(tenant: &Tenant) -> Result<()> {
    text::line("/name", &tenant.name, 1, MAX_NAME)?;
    slug(&tenant.slug)?;
    if let Some(external) = &tenant.external_id {
        text::external_id(external)?;
    }
    rules::object("/metadata", &tenant.metadata)?;
    rules::object("/settings", &tenant.settings)
}

fn slug(slug: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let fits = (1..=MAX_SLUG).contains(&slug.len()) && slug.bytes().all(plain) && !slug.starts_with('-') && !slug.ends_with('-');
    if fits { Ok(()) } else { Err(Error::field("/slug", "must have 1 to 63 characters of a-z 0-9 -, not at an end -")) }
}

/// A slug made of a name: `Acme & Söhne` becomes `acme-s-hne`; a name without a letter or digit becomes `tenant`.
pub(super) fn slug_of(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= 50 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "tenant".to_owned() } else { out.to_owned() }
}

/// The slug with a random ending, for when it is taken.
pub(super) fn varied(slug: &str, ambient: &Ambient) -> String {
    format!("{slug}-{:08x}", u32::from_le_bytes(ambient.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_name_gives_a_slug(name in "\\PC{0,80}") {
            prop_assert!(slug(&slug_of(&name)).is_ok());
            prop_assert!(slug(&varied(&slug_of(&name), &Ambient::system())).is_ok());
        }
    }
}
