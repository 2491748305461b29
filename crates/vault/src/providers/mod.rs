//! Vendors, as data: the list that is built in, and those that somebody describes.

mod definition;
mod endpoints;
pub(crate) mod hosts;
mod provider;

use std::sync::LazyLock;

use kernel::{Error, Result};
use serde::Deserialize;

pub use definition::ProviderDefinition;
pub(crate) use endpoints::{Endpoints, Settings};
pub use provider::ClientAuthentication;
pub(crate) use provider::{Budget, Provider, RevokeForm};

/// The slug of what has to be described.
pub(crate) const CUSTOM: &str = "custom";

static LIST: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct List {
        provider: Vec<Provider>,
    }
    toml::from_str::<List>(include_str!("list.toml")).expect("the list is read by a test").provider
});

/// Those that are built in, in the order of the list.
pub(crate) fn all() -> &'static [Provider] {
    &LIST
}

/// One of them.
pub(crate) fn find(id: &str) -> Option<&'static Provider> {
    LIST.iter().find(|provider| provider.id == id)
}

/// One of them. Error: 422 at `/provider`.
pub(crate) fn named(id: &str) -> Result<&'static Provider> {
    find(id).ok_or_else(|| {
        let known: Vec<&str> = LIST.iter().map(|provider| provider.id.as_str()).collect();
        Error::field("/provider", format!("must be one of {}", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        let names: Vec<&str> = all().iter().map(|provider| provider.id.as_str()).collect();
        assert_eq!(names, ["salesforce", "hubspot", "pipedrive", "zoho", "slack", "microsoft", "google", "razorpay", "custom"]);
        for provider in all().iter().filter(|provider| provider.id != CUSTOM) {
            let endpoints = Endpoints::of(provider, &Settings::default()).unwrap();
            assert_eq!(endpoints.authorize.scheme(), "https", "{}", provider.id);
            assert!(!endpoints.token.as_str().contains('{') && !endpoints.authorize.as_str().contains("%7B"), "{}", provider.id);
            assert_eq!(endpoints.revoke.is_some(), provider.id != "microsoft", "{}", provider.id);
            assert!(!provider.dead.is_empty(), "{}", provider.id);
        }
        assert_eq!(named("nobody").unwrap_err().fields()[0].pointer, "/provider");
    }
}
