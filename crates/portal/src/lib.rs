//! The pages for people: signing in, consent, account security, and the frame that every page of the portal has.
//!
//! * No tables, no events, no rules: every page calls an operation of `people` or `oauth`, and shows what it says.
//! * `view`: what every page knows of its request; `words`: the texts, in every language; `templates/`, `assets/`, `messages/`: what
//!   people see. `pages`: one file per page. `docs/portal.md` says how to add one.
//!
//! Invariants: nothing needs a script but passkeys; nothing is loaded from elsewhere and nothing runs inline (`view::headers`); no form acts
//! without its browser's token and none that another site sends (`view::Form`, `routes`); where somebody is led after signing in is on
//! this server (`answer::own_path`); every text is in every language.

mod answer;
mod files;
mod pages;
mod qr;
mod routes;
mod view;
pub mod words;

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use blueprint::Blueprint;
use kernel::{Ambient, Result, Secret};
use oauth::Oauth;
use people::People;
use store::Store;

use crate::words::Lang;

/// The style sheet, for the test of its colours.
pub const STYLE: &str = include_str!("../assets/portal.css");

/// The name of what the tokens of forms follow from, among the secrets of the installation.
const SECRET: &str = "portal_forms";

/// What forms' tokens follow from, for everybody who has not signed in. Made with the installation, the same on every node.
pub async fn installation_secret(store: &Store) -> Result<Secret<Vec<u8>>> {
    let ambient = store.ambient().clone();
    store.installation_secret(SECRET, move || ambient.bytes::<32>().to_vec()).await
}

/// The features that the pages call, and what they are told at start.
pub struct Parts {
    /// The product.
    pub blueprint: Arc<Blueprint>,
    /// Clock and chance.
    pub ambient: Ambient,
    /// Who signs in, and how.
    pub people: Arc<People>,
    /// What applications ask for.
    pub oauth: Arc<Oauth>,
    /// Where people reach this server; `https` makes cookies secure.
    pub public_url: String,
    /// From [`installation_secret`].
    pub secret: Secret<Vec<u8>>,
}

/// The pages. One per front, shared.
pub struct Portal {
    blueprint: Arc<Blueprint>,
    ambient: Ambient,
    people: Arc<People>,
    oauth: Arc<Oauth>,
    public_url: String,
    secret: Secret<Vec<u8>>,
    languages: Vec<Lang>,
}

impl Portal {
    /// The pages over these features.
    pub fn new(parts: Parts) -> Arc<Self> {
        let tags = &parts.blueprint.product.languages;
        let languages = tags.iter().filter_map(|tag| Lang::of_tag(tag)).collect();
        let Parts { blueprint, ambient, people, oauth, public_url, secret } = parts;
        Arc::new(Self { blueprint, ambient, people, oauth, public_url, secret, languages })
    }

    /// `/portal`, `/admin` and all below them.
    pub fn routes(self: &Arc<Self>) -> web::Api {
        routes::routes(self)
    }

    /// Whether browsers reach us over TLS.
    fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The token of the forms of somebody who has not signed in: it follows from what tells their browser from others.
    fn csrf_of(&self, browser: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(web::signature::derive(&self.secret, &format!("form:{browser}")))
    }
}
