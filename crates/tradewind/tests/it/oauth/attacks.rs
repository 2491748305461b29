//! RFC 9700 (best current practice for OAuth security), section by section: each attack is made against the running server. What the sections say
//! of resource servers and of flows that are not served is refused as a whole (2.1.2, 2.4).

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::http::{Client, Response};

use super::person::{Person, Place, csrf, encoded, parameter};
use crate::world::{Tenant, World, text};

const CALLBACK: &str = "https://app.example/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";

/// A client of a tenant.
pub(super) struct App {
    id: String,
    secret: Option<String>,
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

impl App {
    pub(super) async fn make(tenant: &Tenant, members: Value) -> Self {
        let mut body = json!({"name": "An app", "redirectUris": [CALLBACK]});
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        let made = tenant.host.post("/api/v1/api-clients", &body).await.expect(201).json();
        Self { id: text(&made["id"]), secret: made["clientSecret"].as_str().map(str::to_owned) }
    }

    /// Its id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The address of a request, with other parameters in place of the usual ones; an empty one is left out.
    pub(super) fn authorize(&self, change: &[(&str, &str)]) -> String {
        let challenge = challenge(VERIFIER);
        let mut all = vec![
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", CALLBACK),
            ("scope", "leads:read"),
            ("state", "a-state"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        all.retain(|(name, _)| !change.iter().any(|(changed, _)| changed == name));
        all.extend(change.iter().filter(|(_, value)| !value.is_empty()));
        let query: Vec<String> = all.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("/oauth/authorize?{}", query.join("&"))
    }

    /// Asks the token endpoint, by the secret.
    pub(super) async fn token(&self, world: &World, form: &[(&str, &str)]) -> Response {
        self.ask(&world.server.client(), "/oauth/token", form).await
    }

    /// The same at any node, of any path.
    async fn ask(&self, node: &Client, path: &str, form: &[(&str, &str)]) -> Response {
        let mut parts: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = node.request("POST".parse().unwrap(), path);
        let request = match &self.secret {
            Some(secret) => request.header("authorization", &basic(&self.id, secret)),
            None => {
                parts.push(format!("client_id={}", self.id));
                request
            }
        };
        request.body("application/x-www-form-urlencoded", parts.join("&")).send().await
    }

    async fn redeem(&self, world: &World, code: &str) -> Response {
        self.redeem_at(&world.server.client(), code).await
    }

    /// Redeems a code at a node.
    pub(super) async fn redeem_at(&self, node: &Client, code: &str) -> Response {
        let form = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER), ("redirect_uri", CALLBACK)];
        self.ask(node, "/oauth/token", &form).await
    }

    /// Ends a token at a node.
    pub(super) async fn revoke(&self, node: &Client, token: &str) -> Response {
        self.ask(node, "/oauth/revoke", &[("token", token)]).await
    }

    async fn refresh(&self, world: &World, token: &str, more: &[(&str, &str)]) -> Response {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        form.extend(more);
        self.token(world, &form).await
    }

    /// A code that a person allowed.
    async fn code(&self, person: &Person) -> String {
        parameter(&person.allow(&self.authorize(&[])).await, "code").unwrap()
    }
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// An answer of the protocol's errors.
#[track_caller]
fn refused(answer: &Response, status: u16, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (status, Some(error)), "{}", answer.text());
}

/// Told to the person, and sent nowhere.
async fn is_told_here(person: &Person, authorize: &str) {
    match person.go(authorize).await {
        Place::Elsewhere(location) => panic!("{authorize} was sent to {location}"),
        Place::Here(at, page) => {
            assert_eq!(page.status, 400, "{authorize}: {at}");
            assert!(page.header("location").is_none());
        }
    }
}

/// What does not depend on the engine is tried over SQLite.
macro_rules! over_sqlite {
    ($( async fn $name:ident($world:ident: World) $body:block )*) => {
        $(
            #[test]
            fn $name() {
                testkit::engine::run(testkit::Engine::sqlite(), async |$world: World| $body);
            }
        )*
    };
}

testkit::engines! {
    async fn s4_5_a_code_that_is_used_twice_ends_what_came_of_it(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let code = app.code(&person).await;
        let tokens = app.redeem(&world, &code).await.expect(200).json();
        let bearer = world.server.client().bearer(&text(&tokens["access_token"]));
        bearer.get("/api/v1/leads").await.assert_status(200);
        refused(&app.redeem(&world, &code).await, 400, "invalid_grant");
        bearer.get("/api/v1/leads").await.assert_status(401);
        refused(&app.refresh(&world, &text(&tokens["refresh_token"]), &[]).await, 400, "invalid_grant");
    }

    async fn s4_5_of_a_hundred_redemptions_at_once_one_wins(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let code = app.code(&person).await;
        let answers = futures_util::future::join_all((0..100).map(|_| app.redeem(&world, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            refused(answer, 400, "invalid_grant");
        }
    }

    async fn s2_2_2_s4_14_a_refresh_token_that_is_used_twice_ends_its_family(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({"confidential": false})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let first = app.redeem(&world, &app.code(&person).await).await.expect(200).json();
        let second = app.refresh(&world, &text(&first["refresh_token"]), &[]).await.expect(200).json();
        let bearer = world.server.client().bearer(&text(&second["access_token"]));
        bearer.get("/api/v1/leads").await.assert_status(200);
        // The thief comes after the owner, or before: the same.
        refused(&app.refresh(&world, &text(&first["refresh_token"]), &[]).await, 400, "invalid_grant");
        refused(&app.refresh(&world, &text(&second["refresh_token"]), &[]).await, 400, "invalid_grant");
        bearer.get("/api/v1/leads").await.assert_status(401);
        // Another client's is refused, and ends nothing.
        let mine = app.redeem(&world, &app.code(&person).await).await.expect(200).json();
        let other = App::make(&tenant, json!({})).await;
        refused(&other.refresh(&world, &text(&mine["refresh_token"]), &[]).await, 400, "invalid_grant");
        app.refresh(&world, &text(&mine["refresh_token"]), &[]).await.assert_status(200);
    }

    async fn s2_3_no_tenant_grants_another_tenants_data(world: World) {
        let (maker, user, third) = (world.tenant("Maker").await, world.tenant("User").await, world.tenant("Third").await);
        let app = App::make(&maker, json!({})).await;
        let person = Person::signed_in(&world, &user, "ada@example.com", "developer").await;
        let tokens = app.redeem(&world, &app.code(&person).await).await.expect(200).json();
        let bearer = world.server.client().bearer(&text(&tokens["access_token"]));
        let whose = bearer.get("/api/v1/whoami").await.expect(200).json();
        assert_eq!(whose["tenantId"], user.id.as_str());
        // Not by a header, not by a parameter, not at consent.
        bearer.with("tradewind-tenant", &third.id).get("/api/v1/leads").await.assert_status(404);
        bearer.with("tradewind-tenant", &maker.id).get("/api/v1/leads").await.assert_status(404);
        let (at, page) = person.asked(&app.authorize(&[("scope", "leads:write")])).await;
        let swapped = at.replace(&user.id, &third.id);
        let target = if swapped == at { format!("{at}&tenant={}", third.id) } else { swapped };
        let form = format!("csrf={}&decision=allow", encoded(&csrf(&page)));
        let Place::Here(_, answer) = person.post(&target, &form).await else { panic!("granted for a tenant that is not the person's") };
        assert!(answer.status.is_client_error(), "{}", answer.text());
        // For itself a client opens only its own tenant.
        let own = app.token(&world, &[("grant_type", "client_credentials")]).await.expect(200).json();
        let whose = world.server.client().bearer(&text(&own["access_token"])).get("/api/v1/whoami").await.expect(200).json();
        assert_eq!(whose["tenantId"], maker.id.as_str());
        // Whoever leaves a tenant takes the tokens along.
        let members = user.host.get("/api/v1/members").await.expect(200).json();
        let ada = text(&members["data"][0]["userId"]);
        user.host.delete(&format!("/api/v1/members/{ada}")).await.assert_status(204);
        bearer.get("/api/v1/leads").await.assert_status(401);
    }
}

over_sqlite! {
    async fn s4_1_redirects_go_to_registered_addresses_letter_by_letter(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::new(&world);
        for address in [
            "https://app.example/callback/", "https://app.example/callbackx", "https://app.example/callback?x=1", "https://app.example/callback#f",
            "https://app.example/callback%2f..", "https://app.example/./callback", "https://app.example:443/callback", "https://APP.example/callback",
            "http://app.example/callback", "https://evil.example/callback", "https://app.example.evil.example/callback",
            "https://evil.app.example/callback", "https://app.example@evil.example/callback", "https://user@app.example/callback",
            "https://app.example\\@evil.example/callback", "//app.example/callback", "javascript:alert(1)", "data:text/html,x", "https://app.example/callback\n",
            "http://localhost/callback", "http://127.0.0.1/callback",
        ] {
            is_told_here(&person, &app.authorize(&[("redirect_uri", address)])).await;
        }
        is_told_here(&person, &app.authorize(&[("client_id", "cli_01jd3m9x7efd2v5k8q0r4tnwye")])).await;
        is_told_here(&person, &format!("{}&redirect_uri={}", app.authorize(&[]), encoded("https://evil.example/"))).await;
        // A client may not register such addresses either.
        for bad in ["https://app.example/#f", "javascript:alert(1)", "https://u:p@app.example/", "http://app.example/", "https://*.example/"] {
            let answer = tenant.host.post("/api/v1/api-clients", &json!({"name": "x", "redirectUris": [bad]})).await;
            assert!(answer.status == 422 || bad.contains('*'), "{bad}: {}", answer.text());
        }
    }

    async fn s4_2_nothing_leaks_by_the_referrer(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let (at, page) = person.asked(&app.authorize(&[])).await;
        for (what, answer) in [("the page that asks", &page), ("the request", &person.send("GET", &app.authorize(&[]), None, &[]).await)] {
            let policy = answer.header("referrer-policy").unwrap_or_default();
            assert!(policy == "no-referrer" || policy == "same-origin", "{what}: {policy:?}");
        }
        // Nothing of another origin is loaded by the page, and the code is in no page of ours.
        let policy = page.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'") || policy.contains("default-src 'self'"), "{policy}");
        let location = person.answer(&at, &page, "allow").await;
        assert!(location.starts_with(CALLBACK) && !location.contains('#') && !page.text().contains(&parameter(&location, "code").unwrap()));
        // The request is over: going back in the browser's history asks nobody again.
        let Place::Here(_, again) = person.go(&at).await else { panic!("answered twice") };
        assert_eq!(again.status, 404);
    }

    async fn s4_3_tokens_are_in_no_address(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        for response_type in ["token", "id_token", "code token", "code id_token", "none", ""] {
            let Place::Elsewhere(location) = Person::new(&world).go(&app.authorize(&[("response_type", response_type)])).await else { panic!("asked") };
            let error = parameter(&location, "error").unwrap();
            assert!(["unsupported_response_type", "invalid_request"].contains(&error.as_str()), "{response_type}: {location}");
            assert!(!location.contains('#'));
        }
        let key = app.token(&world, &[("grant_type", "client_credentials"), ("scope", "leads:read")]).await.expect(200).json();
        let answer = world.server.client().get(&format!("/api/v1/leads?access_token={}", text(&key["access_token"]))).await;
        assert_eq!(answer.status, 401);
    }

    async fn s4_4_mix_up_is_told_by_the_issuer(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let base = world.server.base();
        let good = person.allow(&app.authorize(&[])).await;
        let (at, page) = person.asked(&app.authorize(&[("scope", "leads:write")])).await;
        let denied = person.answer(&at, &page, "deny").await;
        let Place::Elsewhere(fault) = person.go(&app.authorize(&[("scope", "no:such")])).await else { panic!("asked") };
        for location in [&good, &denied, &fault] {
            assert_eq!(parameter(location, "iss").as_deref(), Some(base.as_str()), "{location}");
            assert_eq!(parameter(location, "state").as_deref(), Some("a-state"), "{location}");
        }
        assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
        assert_eq!(parameter(&fault, "error").as_deref(), Some("invalid_scope"));
        let metadata = world.server.client().get("/.well-known/oauth-authorization-server").await.expect(200).json();
        assert_eq!((&metadata["issuer"], &metadata["authorization_response_iss_parameter_supported"]), (&json!(base), &json!(true)));
    }

    async fn s4_5_an_injected_code_is_worth_nothing(world: World) {
        let tenant = world.tenant("Acme").await;
        let (app, other) = (App::make(&tenant, json!({})).await, App::make(&tenant, json!({"confidential": false})).await);
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let code = app.code(&person).await;
        // Another client's, and another session's of the same client.
        refused(&other.redeem(&world, &code).await, 400, "invalid_grant");
        let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", "another-verifier-of-forty-three-characters-0123456")];
        refused(&app.token(&world, &form).await, 400, "invalid_grant");
        let elsewhere = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", "https://evil.example/"), ("code_verifier", VERIFIER)];
        refused(&app.token(&world, &elsewhere).await, 400, "invalid_grant");
        app.redeem(&world, &code).await.assert_status(200);
        refused(&app.redeem(&world, "twc_live_nonsense").await, 400, "invalid_grant");
    }

    async fn s4_7_consent_cannot_be_forged_from_another_site(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let (at, page) = person.asked(&app.authorize(&[])).await;
        let base = world.server.base();
        let good = format!("csrf={}&decision=allow", encoded(&csrf(&page)));
        for (what, form, headers) in [
            ("no token", "decision=allow", vec![("origin", base.as_str())]),
            ("a made up token", "csrf=AAAA&decision=allow", vec![("origin", base.as_str())]),
            ("another origin", good.as_str(), vec![("origin", "https://evil.example")]),
            ("another site", good.as_str(), vec![("sec-fetch-site", "cross-site")]),
        ] {
            let answer = person.send("POST", &at, Some(form), &headers).await;
            assert_eq!(answer.status, 403, "{what}: {}", answer.text());
        }
        // Another person's token is none, and another person does not see the request at all.
        let other = Person::signed_in(&world, &tenant, "eve@example.com", "owner").await;
        let Place::Here(_, seen) = other.go(&at).await else { panic!("sent away") };
        assert_eq!(seen.status, 404);
        // By GET nothing is decided.
        let Place::Here(_, still) = person.go(&format!("{at}&decision=allow")).await else { panic!("decided by a link") };
        assert_eq!(still.status, 422);
        assert!(person.answer(&at, &page, "allow").await.starts_with(CALLBACK));
    }

    async fn s4_8_pkce_is_not_to_be_downgraded(world: World) {
        let tenant = world.tenant("Acme").await;
        let person = Person::new(&world);
        for members in [json!({}), json!({"confidential": false})] {
            let app = App::make(&tenant, members).await;
            for change in [
                [("code_challenge", ""), ("code_challenge_method", "")],
                [("code_challenge", VERIFIER), ("code_challenge_method", "plain")],
                [("code_challenge", VERIFIER), ("code_challenge_method", "")],
                [("code_challenge", "short"), ("code_challenge_method", "S256")],
            ] {
                let Place::Elsewhere(location) = person.go(&app.authorize(&change)).await else { panic!("asked with {change:?}") };
                assert_eq!(parameter(&location, "error").as_deref(), Some("invalid_request"), "{change:?}");
            }
            let ada = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
            let code = app.code(&ada).await;
            refused(&app.token(&world, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)]).await, 400, "invalid_request");
            app.redeem(&world, &code).await.assert_status(200);
        }
    }

    async fn s2_3_a_refresh_gets_no_more_than_was_granted(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let tokens = app.redeem(&world, &app.code(&person).await).await.expect(200).json();
        let refresh = text(&tokens["refresh_token"]);
        for scope in ["leads:write", "leads:read leads:write", "openid", "*"] {
            refused(&app.refresh(&world, &refresh, &[("scope", scope)]).await, 400, "invalid_scope");
        }
        refused(&app.refresh(&world, &refresh, &[("resource", "https://evil.example/")]).await, 400, "invalid_target");
        let next = app.refresh(&world, &refresh, &[("scope", "leads:read")]).await.expect(200).json();
        assert_eq!(next["scope"], "leads:read");
        let bearer = world.server.client().bearer(&text(&next["access_token"]));
        bearer.post("/api/v1/leads", &crate::world::lead("Ada")).await.assert_problem(403, "insufficient_scope");
    }

    async fn s4_11_nobody_is_sent_to_an_attackers_address(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        // Also the pages around it only lead to pages of ours.
        for next in ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/portal/../../evil"] {
            match person.go(&format!("/portal/sign-in?next={}", encoded(next))).await {
                Place::Elsewhere(location) => panic!("{next} led to {location}"),
                Place::Here(_, page) => assert!(!page.text().contains("href=\"https://evil") && !page.text().contains("action=\"//evil"), "{next}"),
            }
        }
        // An error goes to a registered address only, and never on to where the request says.
        let Place::Elsewhere(location) = person.go(&app.authorize(&[("scope", "x y z"), ("state", "https://evil.example/")])).await else { panic!("asked") };
        assert!(location.starts_with(&format!("{CALLBACK}?")), "{location}");
    }

    async fn s4_13_errors_do_not_carry_what_was_posted(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let (at, page) = person.asked(&app.authorize(&[])).await;
        // 303, so that what was posted to us is not posted on (section 4.12).
        let form = format!("csrf={}&decision=allow", encoded(&csrf(&page)));
        let answer = person.send("POST", &at, Some(&form), &[("origin", &world.server.base())]).await;
        assert_eq!(answer.status, 303);
        let wrong = app.token(&world, &[("grant_type", "authorization_code"), ("code", "twc_live_sEcReT"), ("code_verifier", VERIFIER)]).await;
        assert!(!wrong.text().contains("sEcReT") && !wrong.text().contains(VERIFIER));
        assert_eq!(wrong.header("cache-control"), Some("no-store"));
    }

    async fn s4_15_a_client_is_not_taken_for_another_or_for_a_person(world: World) {
        let tenant = world.tenant("Acme").await;
        let (app, other) = (App::make(&tenant, json!({})).await, App::make(&tenant, json!({})).await);
        let public = App::make(&tenant, json!({"confidential": false})).await;
        let client = world.server.client();
        let ask = async |authorization: Option<String>, form: &str| {
            let request = client.request("POST".parse().unwrap(), "/oauth/token");
            let request = authorization.iter().fold(request, |request, value| request.header("authorization", value));
            request.body("application/x-www-form-urlencoded", form.to_owned()).send().await
        };
        let grant = "grant_type=client_credentials";
        let secret = app.secret.clone().unwrap();
        refused(&ask(Some(basic(&other.id, &secret)), grant).await, 401, "invalid_client");
        refused(&ask(Some(basic(&app.id, "wrong")), grant).await, 401, "invalid_client");
        refused(&ask(None, &format!("{grant}&client_id={}", app.id)).await, 401, "invalid_client");
        refused(&ask(None, grant).await, 401, "invalid_client");
        refused(&ask(Some(basic(&app.id, &secret)), &format!("{grant}&client_secret={secret}")).await, 400, "invalid_request");
        refused(&ask(Some(basic(&app.id, &secret)), &format!("{grant}&client_id={}", other.id)).await, 400, "invalid_request");
        refused(&ask(None, &format!("{grant}&client_id={}", public.id)).await, 400, "unauthorized_client");
        // A token of the client itself says that it is the client's: its id is no person's.
        let own = app.token(&world, &[("grant_type", "client_credentials")]).await.expect(200).json();
        let bearer = client.bearer(&text(&own["access_token"]));
        bearer.get("/oauth/userinfo").await.assert_status(403);
        // A client that is suspended is over at once.
        tenant.host.patch(&format!("/api/v1/api-clients/{}", app.id), &json!({"status": "suspended"})).await.assert_status(200);
        refused(&app.token(&world, &[("grant_type", "client_credentials")]).await, 401, "invalid_client");
        assert_eq!(bearer.get("/api/v1/leads").await.status, 403);
    }

    async fn s4_16_no_frame_shows_the_page_that_asks(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let person = Person::signed_in(&world, &tenant, "ada@example.com", "owner").await;
        let (_, page) = person.asked(&app.authorize(&[])).await;
        let Place::Here(_, fault) = person.go(&app.authorize(&[("client_id", "cli_x")])).await else { panic!("sent away") };
        let Place::Here(_, door) = Person::new(&world).go(&app.authorize(&[])).await else { panic!("sent away") };
        for (what, answer) in [("the page that asks", page), ("the page of a fault", fault), ("the sign-in", door)] {
            let policy = answer.header("content-security-policy").unwrap_or_default();
            assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
            assert_eq!(answer.header("x-frame-options").map(str::to_ascii_uppercase).as_deref(), Some("DENY"), "{what}");
        }
    }

    async fn s2_4_no_password_is_given_to_an_application(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let form = [("grant_type", "password"), ("username", "ada@example.com"), ("password", "x")];
        refused(&app.token(&world, &form).await, 400, "unsupported_grant_type");
        let metadata = world.server.client().get("/.well-known/oauth-authorization-server").await.expect(200).json();
        assert!(!metadata["grant_types_supported"].to_string().contains("password") && !metadata["grant_types_supported"].to_string().contains("implicit"));
        assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    }

    async fn s2_2_1_a_bound_token_is_worth_nothing_without_its_key(world: World) {
        let tenant = world.tenant("Acme").await;
        let app = App::make(&tenant, json!({})).await;
        let settings = json!({"requireDpop": true});
        tenant.host.put(&format!("/api/v1/api-clients/{}/oauth", app.id), &settings).await.assert_status(200);
        refused(&app.token(&world, &[("grant_type", "client_credentials")]).await, 400, "invalid_dpop_proof");
        let nonsense = world.server.client().request("POST".parse().unwrap(), "/oauth/token");
        let nonsense = nonsense.header("authorization", &basic(&app.id, app.secret.as_ref().unwrap())).header("dpop", "a.b.c");
        refused(&nonsense.body("application/x-www-form-urlencoded", "grant_type=client_credentials").send().await, 400, "invalid_dpop_proof");
        // What is not bound is not to be sent as if it were.
        let key = tenant.key().await;
        let answer = world.server.client().with("authorization", &format!("DPoP {}", key.token)).get("/api/v1/leads").await;
        answer.assert_problem(401, "invalid_dpop_proof");
        assert!(answer.header("www-authenticate").is_some());
    }
}

/// Cookies and sessions around the protocol.
#[tokio::test(flavor = "multi_thread")]
async fn s4_7_1_a_session_is_not_to_be_fixed_or_read() {
    let world = World::start(testkit::Engine::sqlite(), |settings| settings);
    let tenant = world.tenant("Acme").await;
    let app = App::make(&tenant, json!({})).await;
    // A cookie that an attacker set is not taken over at sign-in.
    let made = tenant.host.post("/api/v1/portal-sessions", &json!({"email": "ada@example.com", "role": "owner"})).await.expect(201).json();
    let path = text(&made["url"]).replace(&world.server.base(), "");
    let fixed = "tradewind_session=tws_live_fixed";
    let answer = world.server.client().with("cookie", fixed).get(&path).await;
    let cookie =
        answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap().to_owned()).find(|line| line.contains("session"));
    let cookie = cookie.expect("a session begins with a cookie");
    assert!(
        !cookie.contains("tws_live_fixed") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
        "{cookie}"
    );
    // The link is good once.
    assert_ne!(world.server.client().get(&path).await.status, 303);
    // Nobody who is not signed in is asked, and nobody is asked for another.
    let Place::Here(at, page) = Person::new(&world).go(&app.authorize(&[])).await else { panic!("sent away") };
    assert!(at.starts_with("/portal/sign-in") && page.status == 200 && !page.text().contains("value=\"allow\""), "{at}");
}

/// The time of an answer does not tell whether a client exists: the middles of many tries, taken in turns.
#[tokio::test(flavor = "multi_thread")]
async fn heavy_s4_15_time_does_not_tell_which_clients_exist() {
    let world = World::start(testkit::Engine::sqlite(), |settings| settings);
    let tenant = world.tenant("Acme").await;
    let known = App::make(&tenant, json!({})).await;
    let unknown = App { id: "cli_01jd3m9x7efd2v5k8q0r4tnwye".to_owned(), secret: None };
    let mut times: [Vec<u128>; 2] = [Vec::new(), Vec::new()];
    for round in 0..40 {
        for (slot, id) in [&known.id, &unknown.id].into_iter().enumerate() {
            let app = App { id: id.clone(), secret: Some(format!("twcs_wrong{round}")) };
            let begun = Instant::now();
            refused(&app.token(&world, &[("grant_type", "client_credentials")]).await, 401, "invalid_client");
            times[slot].push(begun.elapsed().as_micros());
        }
    }
    let [known, unknown] = times.map(|mut all| {
        all.sort_unstable();
        all[all.len() / 2]
    });
    let (less, more) = (known.min(unknown), known.max(unknown));
    assert!(more < less * 3 + 500, "a known client takes {known} µs, an unknown one {unknown} µs");
}
