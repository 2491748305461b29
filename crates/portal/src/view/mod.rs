//! What every page knows of the request that it answers: the language, the colours, who is asking, and the token that its forms carry.

pub(crate) mod cookies;
mod dress;
mod form;
pub(crate) mod headers;
mod person;

use std::fmt::Display;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header;
use http::request::Parts;
use kernel::{Error, RequestInfo, Timestamp};
use people::{SignedIn, Visit};
use subtle::ConstantTimeEq as _;
use web::{Failure, PeerAddress, RequestIdentity};

pub(crate) use dress::dress;
pub(crate) use form::{Form, LIMIT as FORM_LIMIT};
pub(crate) use person::{Account, Operator, Person};

use crate::Portal;
use crate::words::Lang;
use web::html::escape;

/// The cookie that tells one browser from another before anybody has signed in.
const BROWSER: &str = "tradewind_browser";

/// Light, dark, or what the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// An entry of the navigation: where it leads, and its name under `nav` in the messages.
pub(crate) struct Link {
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
}

/// See the module.
pub(crate) struct View {
    pub(crate) portal: Arc<Portal>,
    pub(crate) lang: Lang,
    pub(crate) theme: Theme,
    /// Who has signed in, if anybody has.
    pub(crate) signed: Option<Arc<SignedIn>>,
    /// The path and query that were asked for.
    pub(crate) address: String,
    /// Who is at the other end, as `people` wants to know it.
    pub(crate) visit: Visit,
    /// The same for the audit log.
    pub(crate) info: Arc<RequestInfo>,
    pub(crate) now: Timestamp,
    /// What tells this browser from others, and whether it is to be told so.
    pub(crate) browser: String,
    pub(crate) is_new_browser: bool,
    csrf: String,
}

impl View {
    async fn of(portal: &Arc<Portal>, parts: &mut Parts) -> Result<Self, Error> {
        let id = RequestIdentity::ensure(&mut parts.extensions, &portal.ambient);
        let signed = portal.people.lookup_headers(&parts.headers).await?;
        let name = cookies::host_name(BROWSER, portal.is_https());
        let known = cookies::read(&parts.headers, &name).filter(|value| is_browser(value)).map(str::to_owned);
        let is_new_browser = known.is_none();
        let browser = known.unwrap_or_else(|| BASE64_URL_SAFE_NO_PAD.encode(portal.ambient.bytes::<24>()));
        let csrf = signed.as_ref().map_or_else(|| portal.csrf_of(&browser), |signed| signed.csrf().to_owned());
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(Arc::from);
        let ip = parts.extensions.get::<PeerAddress>().map(|peer| peer.0.to_canonical());
        Ok(Self {
            lang: language(portal, parts, signed.as_deref()),
            theme: cookies::read(&parts.headers, cookies::THEME).and_then(Theme::of_name).unwrap_or_default(),
            signed,
            address: parts.uri.path_and_query().map_or("/portal", |address| address.as_str()).to_owned(),
            visit: Visit::of(&parts.headers, &parts.extensions, &portal.ambient),
            info: Arc::new(RequestInfo { id, ip, user_agent, slot: None }),
            now: portal.ambient.now(),
            browser,
            is_new_browser,
            csrf,
            portal: Arc::clone(portal),
        })
    }

    /// Whether a form's token is this browser's, and of this session. Takes the same time whatever the token.
    fn is_csrf(&self, token: &str) -> bool {
        self.csrf.as_bytes().ct_eq(token.as_bytes()).into()
    }

    // --- for the templates ------------------------------------------------------------------------------------------------------

    /// What each form carries, hidden.
    pub(crate) fn csrf(&self) -> &str {
        &self.csrf
    }

    /// The text of a key.
    pub(crate) fn t(&self, key: &str) -> &'static str {
        self.lang.text(key)
    }

    /// The text of one of several keys.
    pub(crate) fn pick(&self, group: &str, name: &str) -> &'static str {
        self.lang.text(&format!("{group}.{name}"))
    }

    /// The text with one value in it.
    pub(crate) fn t1(&self, key: &str, name: &str, value: impl Display) -> String {
        self.lang.with(key, &[(name, &value)])
    }

    /// HTML: the text with one value in it.
    pub(crate) fn rich1(&self, key: &str, name: &str, value: impl Display) -> String {
        self.lang.html(key, &[(name, &value)])
    }

    /// HTML: the text with two values in it.
    pub(crate) fn rich2(&self, key: &str, first: &str, value: impl Display, second: &str, other: impl Display) -> String {
        self.lang.html(key, &[(first, &value), (second, &other)])
    }

    /// The text for a number.
    pub(crate) fn count(&self, key: &str, count: &u64) -> String {
        self.lang.count(key, *count)
    }

    /// HTML: a time, told from now, with the exact one on hover and for machines.
    pub(crate) fn time(&self, at: &Timestamp) -> String {
        let (exact, told) = (escape(&self.lang.exact(*at)), escape(&self.lang.relative(*at, self.now)));
        format!("<time datetime=\"{at}\" title=\"{exact}\">{told}</time>")
    }

    /// The product's name.
    pub(crate) fn product(&self) -> &str {
        &self.portal.blueprint.product.title
    }

    /// The product's word for a tenant.
    pub(crate) fn tenant_word(&self) -> &str {
        &self.portal.blueprint.product.tenant_word
    }

    /// The languages to choose from; nothing where there is no choice.
    pub(crate) fn languages(&self) -> Vec<Lang> {
        if self.portal.languages.len() > 1 { self.portal.languages.clone() } else { Vec::new() }
    }

    pub(crate) fn themes(&self) -> [Theme; 3] {
        Theme::ALL
    }

    /// The navigation of whoever is signed in.
    pub(crate) fn links(&self) -> Vec<Link> {
        let link = |path, name| Link { path, name };
        let mut links = vec![link("/portal", "home")];
        if !self.is_guest_of_host() {
            links.extend([link("/portal/apps", "apps"), link("/portal/security", "security")]);
        }
        if self.is_operator() {
            links.push(link("/admin", "admin"));
        }
        links
    }

    /// Whether a navigation entry is the page at hand.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        self.address.split('?').next() == Some(path)
    }

    /// Whether the person has only what the host's link gave: one tenant, no account.
    pub(crate) fn is_guest_of_host(&self) -> bool {
        self.signed.as_ref().is_some_and(|signed| signed.bound_tenant.is_some())
    }

    pub(crate) fn is_operator(&self) -> bool {
        self.signed.as_ref().is_some_and(|signed| signed.operator.is_some())
    }

    /// The address of one of our files, which changes with its content.
    pub(crate) fn file(&self, name: &str) -> String {
        crate::files::address(name)
    }
}

/// Only what we have made ourselves: it goes back into a header.
fn is_browser(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The language that was chosen, the person's, what the browser prefers, or the product's first: of those that the product has.
fn language(portal: &Portal, parts: &Parts, signed: Option<&SignedIn>) -> Lang {
    let spoken = |lang: &Lang| portal.languages.contains(lang);
    let chosen = cookies::read(&parts.headers, cookies::LANGUAGE).and_then(Lang::of_tag).filter(spoken);
    let own = || signed.and_then(|signed| signed.language.as_deref()).and_then(Lang::of_tag).filter(spoken);
    let accepted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let preferred = || accepted.split(',').filter_map(Lang::of_tag).find(spoken);
    chosen.or_else(own).or_else(preferred).unwrap_or_else(|| portal.languages.first().copied().unwrap_or_default())
}

/// What [`dress`] has put beside the request.
impl<S: Sync> FromRequestParts<S> for Shared {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        of_request(parts)
    }
}

/// The view of the request at hand, as a handler's argument.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<View>);

impl std::ops::Deref for Shared {
    type Target = View;

    fn deref(&self) -> &View {
        &self.0
    }
}

fn of_request(parts: &Parts) -> Result<Shared, Failure> {
    parts.extensions.get::<Shared>().cloned().ok_or_else(|| Failure(Error::internal("a page's route is not dressed")))
}
