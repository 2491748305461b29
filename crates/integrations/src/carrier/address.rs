//! Where a call goes: under the account's base, or nowhere.

use connectors::{Fault, Target};
use url::Url;

/// The address of a call.
///
/// Errors: [`Fault::Refused`] for a base that is none, and for an address that is not under it.
pub(super) fn address(base: Option<&str>, target: &Target, query: &[(String, String)]) -> Result<Url, Fault> {
    let Some(base) = base else {
        return Err(refused("base_url_missing", "where the vendor is reached is not known: set config.baseUrl"));
    };
    let root = Url::parse(base).map_err(|_| refused("base_url_missing", "the base address is no URL"))?;
    let mut url = match target {
        Target::Path(path) if path.starts_with('/') => Url::parse(&format!("{}{path}", base.trim_end_matches('/'))),
        Target::Path(_) => return Err(outside()),
        Target::Url(url) => Url::parse(url),
    }
    .map_err(|_| outside())?;
    if url.origin() != root.origin() || !url.username().is_empty() || url.password().is_some() {
        return Err(outside());
    }
    url.set_fragment(None);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

fn outside() -> Fault {
    refused("address_refused", "the address is not the account's: calls stay with the vendor's base address")
}

pub(super) fn refused(code: &str, message: &str) -> Fault {
    Fault::Refused { code: code.to_owned(), message: message.to_owned(), field: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://eu1.vendor.example/api";

    fn of(target: &Target) -> Result<String, Fault> {
        address(Some(BASE), target, &[("q".to_owned(), "a b&c".to_owned())]).map(String::from)
    }

    #[test]
    fn paths_stand_under_the_base() {
        let path = Target::Path("/v1/contacts?x=1".to_owned());
        assert_eq!(of(&path).unwrap(), "https://eu1.vendor.example/api/v1/contacts?x=1&q=a+b%26c");
        let url = Target::Url("https://eu1.vendor.example:443/next?page=2".to_owned());
        assert_eq!(of(&url).unwrap(), "https://eu1.vendor.example/next?page=2&q=a+b%26c");
    }

    #[test]
    fn nothing_leads_to_another_host() {
        for target in [
            Target::Url("https://evil.example/next".to_owned()),
            Target::Url("http://eu1.vendor.example/next".to_owned()),
            Target::Url("https://eu1.vendor.example:8443/next".to_owned()),
            Target::Url("https://user@eu1.vendor.example/next".to_owned()),
            Target::Url("//evil.example/next".to_owned()),
            Target::Path("@evil.example/".to_owned()),
            Target::Path(".evil.example/".to_owned()),
            Target::Path(":8443/".to_owned()),
        ] {
            let Err(Fault::Refused { code, .. }) = of(&target) else { panic!("{target:?}") };
            assert_eq!(code, "address_refused");
        }
        assert!(address(None, &Target::Path("/x".to_owned()), &[]).is_err());
        assert_eq!(of(&Target::Path("//evil.example/x".to_owned())).unwrap().split('/').nth(2), Some("eu1.vendor.example"));
    }
}
