//! Connecting: the code flow of each vendor, refreshes and rotation, and how grants end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::http::Client;
use vendors::faults::Fault;
use vendors::stand::{Double, Vendor as _};
use vendors::{hubspot, pipedrive, salesforce, zoho};

use crate::stage::{clock, form, redirected, text, try_form};

const BACK: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// Where a vendor's two endpoints are, and what else it wants.
struct Way {
    authorize: &'static str,
    token: &'static str,
    extra: &'static str,
}

const SALESFORCE: Way = Way { authorize: "/services/oauth2/authorize", token: "/services/oauth2/token", extra: "" };
const HUBSPOT: Way = Way { authorize: "/oauth/authorize", token: "/oauth/2026-03/token", extra: "&scope=oauth" };
const ZOHO: Way = Way { authorize: "/oauth/v2/auth", token: "/oauth/v2/token", extra: "&access_type=offline&prompt=consent" };

fn asking(way: &Way, more: &str) -> String {
    format!("{}?response_type=code&client_id=double-client&redirect_uri={BACK}&state=s%20t{}{more}", way.authorize, way.extra)
}

async fn code(client: &Client, way: &Way) -> String {
    let more = format!("&code_challenge={}&code_challenge_method=S256", challenge());
    let response = client.get(&asking(way, &more)).await.expect(302);
    assert_eq!(redirected(&response, "state").as_deref(), Some("s t"));
    redirected(&response, "code").unwrap()
}

const APP: [(&str, &str); 2] = [("client_id", "double-client"), ("client_secret", "double-secret")];

async fn exchange(client: &Client, way: &Way, code: &str, verifier: &str) -> Value {
    let pairs =
        [&APP[..], &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK), ("code_verifier", verifier)]].concat();
    form(client, way.token, &pairs).await.json()
}

async fn refresh(client: &Client, way: &Way, token: &str) -> Value {
    let pairs = [&APP[..], &[("grant_type", "refresh_token"), ("refresh_token", token)]].concat();
    form(client, way.token, &pairs).await.json()
}

#[tokio::test]
async fn salesforce_wants_pkce_and_a_code_is_good_once() {
    let double = Double::start(salesforce::Salesforce::new(salesforce::Options::new())).await.unwrap();
    let client = Client::new(double.url());
    let without = client.get(&asking(&SALESFORCE, "")).await.expect(302);
    assert_eq!(redirected(&without, "error").as_deref(), Some("invalid_request"));
    client.get(&asking(&SALESFORCE, "").replace("127.0.0.1:9", "evil.example")).await.assert_status(400);
    let first = code(&client, &SALESFORCE).await;
    assert_eq!(exchange(&client, &SALESFORCE, &first, "another-verifier").await["error"], "invalid_grant");
    // A failed try has used the code up.
    assert_eq!(exchange(&client, &SALESFORCE, &first, VERIFIER).await["error"], "invalid_grant");
    let tokens = exchange(&client, &SALESFORCE, &code(&client, &SALESFORCE).await, VERIFIER).await;
    assert_eq!((&tokens["instance_url"], &tokens["token_type"]), (&json!(double.url()), &json!("Bearer")));
    assert!(tokens["expires_in"].is_null() && tokens["refresh_token"].is_string());
    let signed_in = client.bearer(&text(&tokens["access_token"]));
    signed_in.get("/services/data/v62.0/limits").await.assert_status(200);
    form(&client, "/services/oauth2/revoke", &[("token", &text(&tokens["refresh_token"]))]).await.assert_status(200);
    signed_in.get("/services/data/v62.0/limits").await.assert_status(401);
    double.deny_next();
    let more = format!("&code_challenge={}&code_challenge_method=S256", challenge());
    let denied = client.get(&asking(&SALESFORCE, &more)).await.expect(302);
    assert_eq!(redirected(&denied, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn salesforce_rotates_and_an_old_refresh_token_ends_everything() {
    let double = Double::start(salesforce::Salesforce::new(salesforce::Options::new())).await.unwrap();
    let client = Client::new(double.url());
    let first = text(&exchange(&client, &SALESFORCE, &code(&client, &SALESFORCE).await, VERIFIER).await["refresh_token"]);
    let second = refresh(&client, &SALESFORCE, &first).await;
    assert_ne!(second["refresh_token"], json!(first));
    assert_eq!(double.grants(), 1);
    assert_eq!(refresh(&client, &SALESFORCE, &first).await["error"], "invalid_grant");
    assert_eq!(double.grants(), 0);
    assert_eq!(refresh(&client, &SALESFORCE, &text(&second["refresh_token"])).await["error"], "invalid_grant");
    client.bearer(&text(&second["access_token"])).get("/services/data/v62.0/limits").await.assert_status(401);
}

/// What a vault must survive: the token was rotated, but nobody heard of it.
#[tokio::test]
async fn a_lost_refresh_answer_has_rotated_the_token() {
    let double = Double::start(salesforce::Salesforce::new(salesforce::Options::new())).await.unwrap();
    let client = Client::new(double.url());
    let token = double.issue().refresh_token.unwrap();
    double.stand().faults.add(Fault::lost_refresh().times(1));
    let pairs = [&APP[..], &[("grant_type", "refresh_token"), ("refresh_token", token.as_str())]].concat();
    assert!(try_form(&client, SALESFORCE.token, &pairs).await.is_err());
    assert_eq!(double.grants(), 1);
    assert_eq!(refresh(&client, &SALESFORCE, &token).await["error"], "invalid_grant");
    assert_eq!(double.grants(), 0);
}

#[tokio::test]
async fn salesforces_refresh_tokens_die_after_thirty_idle_days_and_sessions_by_policy() {
    let (clock, ambient) = clock();
    let double = Double::start(salesforce::Salesforce::new(salesforce::Options { ambient, ..salesforce::Options::new() })).await.unwrap();
    let client = Client::new(double.url());
    let (idle, used) = (double.issue(), double.issue());
    clock.advance(std::time::Duration::from_secs(29 * 86_400));
    client.bearer(&used.access_token).get("/services/data/v62.0/limits").await.assert_status(401);
    let renewed = refresh(&client, &SALESFORCE, &used.refresh_token.unwrap()).await;
    clock.advance(std::time::Duration::from_secs(2 * 86_400));
    assert_eq!(refresh(&client, &SALESFORCE, &idle.refresh_token.unwrap()).await["error"], "invalid_grant");
    assert!(refresh(&client, &SALESFORCE, &text(&renewed["refresh_token"])).await["access_token"].is_string());
}

#[tokio::test]
async fn hubspots_refresh_token_stays_and_revoking_it_leaves_access_tokens_alone() {
    let (clock, ambient) = clock();
    let double = Double::start(hubspot::HubSpot::new(hubspot::Options { ambient, ..hubspot::Options::new() })).await.unwrap();
    let client = Client::new(double.url());
    let scoped = Way { extra: "&scope=oauth%20crm.objects.contacts.read", ..HUBSPOT };
    let tokens = exchange(&client, &scoped, &code(&client, &scoped).await, VERIFIER).await;
    assert_eq!(
        (&tokens["expires_in"], &tokens["hub_id"], &tokens["scopes"][1]),
        (&json!(1800), &json!(62_515), &json!("crm.objects.contacts.read"))
    );
    let token = text(&tokens["refresh_token"]);
    let renewed = refresh(&client, &HUBSPOT, &token).await;
    assert_eq!(renewed["refresh_token"], json!(token));
    let signed_in = client.bearer(&text(&renewed["access_token"]));
    form(&client, "/oauth/2026-03/token/revoke", &[("token", &token)]).await.assert_status(200);
    signed_in.get("/crm/v3/objects/contacts").await.assert_status(200);
    let missing = signed_in.get("/crm/v3/objects/deals").await.expect(403).json();
    assert_eq!(
        (&missing["category"], &missing["errors"][0]["context"]["requiredGranularScopes"][0]),
        (&json!("MISSING_SCOPES"), &json!("crm.objects.deals.read"))
    );
    assert_eq!(refresh(&client, &HUBSPOT, &token).await["status"], "BAD_REFRESH_TOKEN");
    clock.advance(std::time::Duration::from_secs(1800));
    assert_eq!(signed_in.get("/crm/v3/objects/contacts").await.expect(401).json()["category"], "EXPIRED_AUTHENTICATION");
}

#[tokio::test]
async fn pipedrive_wants_the_app_to_prove_itself_by_basic_authentication() {
    let double = Double::start(pipedrive::Pipedrive::new(pipedrive::Options::new())).await.unwrap();
    let client = Client::new(double.url());
    let way = Way { authorize: "/oauth/authorize", token: "/oauth/token", extra: "" };
    let code = code(&client, &way).await;
    let pairs = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK), ("code_verifier", VERIFIER)];
    form(&client, way.token, &[&APP[..], &pairs[..]].concat()).await.assert_status(401);
    let app = client.with("authorization", "Basic ZG91YmxlLWNsaWVudDpkb3VibGUtc2VjcmV0");
    let tokens = form(&app, way.token, &pairs).await.expect(200).json();
    assert_eq!((&tokens["expires_in"], &tokens["api_domain"]), (&json!(3599), &json!(double.url())));
    client.bearer(&text(&tokens["access_token"])).get("/api/v1/users/me").await.assert_status(200);
    client.with("x-api-token", pipedrive::API_TOKEN).get("/api/v1/users/me").await.assert_status(200);
    double.withdraw();
    client.bearer(&text(&tokens["access_token"])).get("/api/v1/users/me").await.assert_status(401);
}

#[tokio::test]
async fn zoho_sends_on_to_the_users_data_centre_and_says_errors_inside_200() {
    let europe = Double::start(zoho::Zoho::new(zoho::Options { location: "eu".into(), ..zoho::Options::new() })).await.unwrap();
    let america = Double::start(zoho::Zoho::new(zoho::Options { elsewhere: Some(europe.url()), ..zoho::Options::new() })).await.unwrap();
    let sent_on = Client::new(america.url()).get(&asking(&ZOHO, "")).await.expect(302);
    let target = sent_on.header("location").unwrap().to_owned();
    assert!(target.starts_with(&europe.url()));
    let client = Client::new(europe.url());
    let back = client.get(target.strip_prefix(&europe.url()).unwrap()).await.expect(302);
    assert_eq!(redirected(&back, "location").as_deref(), Some("eu"));
    assert_eq!(redirected(&back, "accounts-server"), Some(europe.url()));
    let code = redirected(&back, "code").unwrap();
    // At the wrong data centre nobody knows the code, and the error comes with status 200.
    let pairs = [&APP[..], &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)]].concat();
    let wrong = form(&Client::new(america.url()), ZOHO.token, &pairs).await.expect(200).json();
    assert_eq!(wrong, json!({"error": "invalid_code"}));
    let tokens = form(&client, ZOHO.token, &pairs).await.expect(200).json();
    assert_eq!(tokens["api_domain"], json!(europe.url()));
    let token = format!("Zoho-oauthtoken {}", text(&tokens["access_token"]));
    client.with("authorization", &token).get("/crm/v8/users?type=CurrentUser").await.assert_status(200);
    client.bearer(&text(&tokens["access_token"])).get("/crm/v8/users").await.assert_status(401);
}

#[tokio::test]
async fn zoho_gives_refresh_tokens_only_offline_and_no_more_than_twenty_and_few_refreshes() {
    let (clock, ambient) = clock();
    let double = Double::start(zoho::Zoho::new(zoho::Options { ambient, ..zoho::Options::new() })).await.unwrap();
    let client = Client::new(double.url());
    let online = Way { extra: "", ..ZOHO };
    assert!(exchange(&client, &online, &code(&client, &online).await, VERIFIER).await["refresh_token"].is_null());
    let first = exchange(&client, &ZOHO, &code(&client, &ZOHO).await, VERIFIER).await;
    let first = text(&first["refresh_token"]);
    for n in 0..11 {
        let answer = refresh(&client, &ZOHO, &first).await;
        assert_eq!(answer["access_token"].is_string(), n < 10, "{n}: {answer}");
    }
    clock.advance(std::time::Duration::from_secs(600));
    assert!(refresh(&client, &ZOHO, &first).await["access_token"].is_string());
    for _ in 0..19 {
        double.issue();
    }
    assert!(refresh(&client, &ZOHO, &first).await["access_token"].is_string());
    // The twenty-first ends the oldest.
    double.issue();
    assert_eq!(refresh(&client, &ZOHO, &first).await, json!({"error": "invalid_code"}));
}
