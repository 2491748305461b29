//! Rules of a tenant's fields.

use kernel::text::{self, MAX_NAME};
use kernel::{Ambient, Error, Result};
use serde_json::Value;

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
    rules::object("/settings", &tenant.settings)?;
    crate::leaks::LeakPolicy::check_setting(&tenant.settings)?;
    features(tenant.settings.get(FEATURES))
}

/// The member of a tenant's settings that opens event types which are not for everybody.
pub(super) const FEATURES: &str = "features";
/// Most features of a tenant, and the longest name of one.
const MAX_FEATURES: usize = 100;
const MAX_FEATURE: usize = 64;

fn features(setting: Option<&Value>) -> Result<()> {
    let place = "/settings/features";
    let Some(setting) = setting.filter(|setting| !setting.is_null()) else { return Ok(()) };
    let names = setting.as_array().ok_or_else(|| Error::field(place, "must be a list of names of features"))?;
    if names.len() > MAX_FEATURES {
        return Err(Error::field(place, format!("must have at most {MAX_FEATURES} items")));
    }
    let fits = |name: &Value| name.as_str().is_some_and(|name| (1..=MAX_FEATURE).contains(&name.len()));
    match names.iter().position(|name| !fits(name)) {
        Some(n) => Err(Error::field(format!("{place}/{n}"), format!("must be a name of 1 to {MAX_FEATURE} characters"))),
        None => Ok(()),
    }
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

    #[test]
    fn features_are_a_list_of_names() {
        use serde_json::json;
        for good in [json!(null), json!([]), json!(["beta", "early-access"])] {
            assert!(features(Some(&good)).is_ok(), "{good}");
        }
        for (bad, place) in
            [(json!("beta"), "/settings/features"), (json!([""]), "/settings/features/0"), (json!(["a", 1]), "/settings/features/1")]
        {
            assert_eq!(features(Some(&bad)).unwrap_err().fields()[0].pointer, place, "{bad}");
        }
    }
}
