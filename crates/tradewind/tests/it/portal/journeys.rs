//! Chromium at the pages: the first person, a second step, consent and its withdrawal, in both languages and both themes, with and without
//! scripts; axe-core looks at every page.

use serde_json::json;
use testkit::Engine;
use tokio::task::spawn_blocking;

use crate::browser::{journey, present};
use crate::world::{World, text};

const WHAT: &str = "what browsers make of the portal's pages";

/// The link that the server printed at its first start.
pub(super) fn set_up_link(world: &World) -> String {
    let said = world.server.stderr();
    let link = said.split_whitespace().find(|word| word.contains("/portal/set-up?token="));
    link.unwrap_or_else(|| panic!("no set-up link in: {said}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_in_both_languages_and_both_themes() {
    if !present(WHAT) {
        return;
    }
    let world = World::start(Engine::sqlite(), |settings| {
        let mails = format!("file:{}", settings.data_dir().join("mails").display());
        let settings = settings.set("TRADEWIND_BLUEPRINT", "call-coaching").set("TRADEWIND_SMTP_URL", &mails);
        settings.set("TRADEWIND_MAIL_FROM", "Portal <portal@example.com>")
    });
    let (acme, globex) = (world.tenant("Acme <b>&\"").await, world.tenant("Globex").await);
    let invite = json!({"email": "ada@example.com", "role": "admin", "send": false});
    let mut invitations = Vec::new();
    for tenant in [&acme, &globex] {
        invitations.push(text(&tenant.host.post("/api/v1/invitations", &invite).await.expect(201).json()["url"]));
    }
    let mails = world.server.settings().data_dir().join("mails");
    let given = json!({"base": world.server.base(), "setUp": set_up_link(&world), "invitations": invitations, "mails": mails});
    spawn_blocking(move || journey("portal/sign_in.mjs", &given)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_allowed_denied_and_withdrawn() {
    if !present(WHAT) {
        return;
    }
    let world = World::start(Engine::sqlite(), |settings| settings.set("TRADEWIND_BLUEPRINT", "call-coaching"));
    let (acme, globex) = (world.tenant("Acme").await, world.tenant("Globex").await);
    let callback = format!("http://127.0.0.1:{}/callback", testkit::port::free());
    let app = json!({"name": "Fleet <i>Reports", "redirectUris": [callback], "scopes": ["calls:read", "agents:read"]});
    let app = acme.host.post("/api/v1/api-clients", &app).await.expect(201).json();
    let grants = json!({"grantTypes": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]});
    acme.host.put(&format!("/api/v1/api-clients/{}/oauth", text(&app["id"])), &grants).await.assert_status(200);
    let mut links = Vec::new();
    for tenant in [&acme, &globex] {
        let invitation = json!({"email": "ada@example.com", "role": "owner"});
        links.push(text(&tenant.host.post("/api/v1/invitations", &invitation).await.expect(201).json()["url"]));
    }
    let given = json!({
        "base": world.server.base(), "hosts": [callback], "client": app["id"], "secret": app["clientSecret"],
        "callback": callback, "invitations": links,
    });
    spawn_blocking(move || journey("portal/consent.mjs", &given)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_sign_in_and_are_taken_away() {
    if !present(WHAT) {
        return;
    }
    // Browsers have passkeys at names, not at numbers.
    let world = World::start(Engine::sqlite(), |settings| {
        let public = format!("http://localhost:{}", settings.listen().port());
        settings.set("TRADEWIND_BLUEPRINT", "call-coaching").set("TRADEWIND_PUBLIC_URL", &public)
    });
    let acme = world.tenant("Acme").await;
    let invite = json!({"email": "ada@example.com", "role": "admin", "send": false});
    let invitation = text(&acme.host.post("/api/v1/invitations", &invite).await.expect(201).json()["url"]);
    let base = format!("http://localhost:{}", world.server.settings().listen().port());
    let evil = format!("http://localhost:{}", testkit::port::free());
    let given = json!({"base": base, "hosts": [evil], "invitation": invitation});
    spawn_blocking(move || journey("portal/passkeys.mjs", &given)).await.unwrap();
}
