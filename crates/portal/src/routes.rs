//! The whole HTTP surface. Every page is public to the gate: who is asking is told by the session's cookie, which the pages read themselves.

use std::sync::Arc;

use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use http::Method;
use kernel::Error;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use web::{Access, Api, Endpoint, Failure};

use crate::pages::{
    admin, apps, ask_email, confirm, consent, device, external, home, host, identities, invitation, link, passkeys, password, preferences,
    recovery_codes, reset, second_step, security, sessions, set_up, sign_in, sign_out, styleguide, totp,
};
use crate::view::dress;
use crate::{Portal, files};

/// What a route is for: its address and the name of its operation.
fn page(method: Method, path: &str, id: &str) -> Endpoint {
    Endpoint::new(method, path, id).summary("A page.").needs(Access::Public).idempotent(false).body_limit(crate::view::FORM_LIMIT).hidden()
}

/// The list, with what stands around every handler.
struct Pages {
    portal: Arc<Portal>,
    api: Api,
}

impl Pages {
    fn get<H: Handler<T, Arc<Portal>>, T: 'static>(self, path: &str, id: &str, handler: H) -> Self {
        self.add(page(Method::GET, path, id), handler)
    }

    fn post<H: Handler<T, Arc<Portal>>, T: 'static>(self, path: &str, id: &str, handler: H) -> Self {
        self.add(page(Method::POST, path, id), handler)
    }

    /// Outermost the headers and the form of errors, then the question whether another site sends the form, then the page.
    fn add<H: Handler<T, Arc<Portal>>, T: 'static>(self, endpoint: Endpoint, handler: H) -> Self {
        let guarded = handler.layer(CsrfLayer::new().with_rejection_response(another_site));
        let dressed = guarded.layer(from_fn_with_state(Arc::clone(&self.portal), dress));
        Self { api: self.api.route(endpoint, dressed, Arc::clone(&self.portal)), portal: self.portal }
    }
}

fn another_site(_: ProtectionError) -> Response {
    let detail = "This form was sent from another site, so nothing was done. If you meant it, begin on our own page.";
    Failure(Error::forbidden("cross_site_form", detail)).into_response()
}

pub(crate) fn routes(portal: &Arc<Portal>) -> Api {
    let pages = Pages { portal: Arc::clone(portal), api: Api::new() };
    let pages = account(own(doors(pages)));
    let file = Endpoint::get("/portal/files/{file}", "portal.file").summary("A file of the pages.").needs(Access::Public).hidden();
    pages.api.route(file, files::get, ())
}

/// Before anybody has signed in.
fn doors(pages: Pages) -> Pages {
    use people::paths::{HOST, INVITATION, MAGIC_LINK, RESET_PASSWORD, SET_UP, SIGN_IN};
    pages
        .get(SET_UP, "portal.set_up", set_up::show)
        .post(SET_UP, "portal.set_up.send", set_up::send)
        .get(SIGN_IN, "portal.sign_in", sign_in::show)
        .post(SIGN_IN, "portal.sign_in.send", sign_in::send)
        .post(sign_in::PASSKEY, "portal.sign_in.passkey", sign_in::passkey)
        .post("/portal/sign-in/passkey/options", "portal.sign_in.passkey_options", sign_in::passkey_options)
        .get("/portal/sign-in/with/{provider}", "portal.external", external::begin)
        .get("/portal/sign-in/with/{provider}/callback", "portal.external.back", external::back)
        .get(second_step::PATH, "portal.second_step", second_step::show)
        .post(second_step::PATH, "portal.second_step.send", second_step::send)
        .get(MAGIC_LINK, "portal.link", link::show)
        .post(MAGIC_LINK, "portal.link.send", link::send)
        .get(RESET_PASSWORD, "portal.reset", reset::show)
        .post(RESET_PASSWORD, "portal.reset.send", reset::send)
        .get(ask_email::SENT, "portal.sent", ask_email::sent)
        .get(INVITATION, "portal.invitation", invitation::show)
        .post(INVITATION, "portal.invitation.send", invitation::send)
        .get(HOST, "portal.host", host::enter)
        .post("/portal/sign-out", "portal.sign_out", sign_out::send)
        .post("/portal/preferences", "portal.preferences", preferences::send)
}

/// What applications and devices ask of people.
fn own(pages: Pages) -> Pages {
    pages
        .get("/portal", "portal.home", home::show)
        .get(consent::PATH, "portal.consent", consent::show)
        .post(consent::PATH, "portal.consent.send", consent::send)
        .get(device::PATH, "portal.device", device::show)
        .post(device::PATH, "portal.device.send", device::send)
        .get(apps::PATH, "portal.apps", apps::show)
        .post(apps::PATH, "portal.apps.withdraw", apps::withdraw)
        .get("/admin", "admin.home", admin::show)
        .get("/admin/styleguide", "admin.styleguide", styleguide::show)
}

/// How somebody signs in, and where.
fn account(pages: Pages) -> Pages {
    pages
        .get(security::PATH, "portal.security", security::show)
        .get(confirm::PATH, "portal.confirm", confirm::show)
        .post(confirm::PATH, "portal.confirm.send", confirm::send)
        .post("/portal/confirm/options", "portal.confirm.options", confirm::passkey_options)
        .get("/portal/confirm/with/{provider}", "portal.confirm.external", external::prove)
        .get(passkeys::PATH, "portal.passkeys", passkeys::show)
        .post(passkeys::PATH, "portal.passkeys.send", passkeys::send)
        .post("/portal/security/passkeys/options", "portal.passkeys.options", passkeys::options)
        .post("/portal/security/passkeys/remove", "portal.passkeys.remove", passkeys::remove)
        .post("/portal/security/identities", "portal.identities.send", identities::send)
        .get(password::PATH, "portal.password", password::show)
        .post(password::PATH, "portal.password.send", password::send)
        .get(totp::PATH, "portal.totp", totp::show)
        .post(totp::PATH, "portal.totp.send", totp::send)
        .get(recovery_codes::PATH, "portal.recovery_codes", recovery_codes::show)
        .post(recovery_codes::PATH, "portal.recovery_codes.send", recovery_codes::send)
        .post("/portal/security/sessions", "portal.sessions.end", sessions::end)
}
