//! For whom somebody decides: what consent pages and devices' pages share.

use access::people::Membership;
use askama::Template;
use axum::response::Response;
use kernel::TenantId;
use oauth::requests::Signed;
use people::SignedIn;

use crate::answer;
use crate::view::View;

/// What the question needs.
pub(super) struct Choose<'a> {
    pub(super) v: &'a View,
    /// The page itself, for whoever signs in as somebody else.
    pub(super) here: &'a str,
    pub(super) app: &'a str,
    /// Where the choice is sent, with what beside it.
    pub(super) action: &'a str,
    pub(super) field: (&'a str, &'a str),
    pub(super) choices: &'a [&'a Membership],
}

#[derive(Template)]
#[template(path = "choose_tenant.html")]
struct Page<'a> {
    v: &'a View,
    ask: &'a Choose<'a>,
    person: &'a str,
}

#[derive(Template)]
#[template(path = "nobody.html")]
struct Nobody<'a> {
    v: &'a View,
    ask: &'a Choose<'a>,
    person: &'a str,
}

impl Choose<'_> {
    /// The question; or that there is nothing to choose from.
    pub(super) fn show(&self, signed: &SignedIn) -> Response {
        let (v, ask, person) = (self.v, self, signed.email.as_str());
        if self.choices.is_empty() { answer::ok(&Nobody { v, ask, person }) } else { answer::ok(&Page { v, ask, person }) }
    }
}

/// Where this person may give access to.
pub(super) fn places(signed: &SignedIn, only: Option<TenantId>) -> Vec<&Membership> {
    let fits = |place: &&Membership| [only, signed.bound_tenant].into_iter().flatten().all(|tenant| tenant == place.tenant_id);
    signed.memberships.iter().filter(fits).collect()
}

/// When and how the person proved who they are, for the application.
pub(super) fn signed(signed: &SignedIn) -> Signed {
    Signed { at: signed.proven_at, methods: signed.methods.iter().filter_map(|method| method.amr()).map(str::to_owned).collect() }
}
