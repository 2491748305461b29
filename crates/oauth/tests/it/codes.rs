//! From a request to tokens.

use access::people::Role;
use kernel::Credential;
use serde_json::json;

use crate::bed::{Bed, CALLBACK, ISSUER, VERIFIER, challenge, encoded, parameter, request, text};

testkit::engines! {
    async fn a_person_allows_and_the_app_passes_the_gate(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write"]).await;
        let user = bed.person(&tenant, Role::Developer).await;
        let who = bed.signed_in(user, &tenant, Role::Developer);
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = bed.asked(&request(&client, &challenge, "leads:read openid")).await;

        let pending = bed.node.oauth.pending(&handle).await.unwrap();
        assert_eq!((pending.app.name.as_str(), pending.redirect_host.as_str()), ("Sync", "app.example"));
        assert_eq!(pending.redirect_origin.as_deref(), Some("https://app.example"));
        assert!(pending.scopes.iter().all(|line| !line.text.is_empty() && line.text != line.name), "{:?}", pending.scopes);

        let location = bed.node.oauth.approve(&who, &bed.signed(), &handle, Default::default()).await.unwrap();
        assert!(location.starts_with(&format!("{CALLBACK}?")), "{location}");
        assert_eq!(parameter(&location, "state").unwrap(), "s t&=1");
        assert_eq!(parameter(&location, "iss").unwrap(), ISSUER);

        let answer = bed.node.redeem(&app, &parameter(&location, "code").unwrap()).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        let tokens = answer.ok();
        assert_eq!((text(&tokens, "token_type"), text(&tokens, "scope"), &tokens["expires_in"]), ("Bearer", "leads:read openid", &json!(3600)));
        let holder = bed.node.holder(text(&tokens, "access_token")).await.unwrap();
        assert_eq!(holder.credential, Credential::OAuthToken { client: app.id, user: Some(user) });
        assert_eq!((holder.tenant, holder.scopes.to_vec()), (Some(tenant.id), vec!["leads:read".to_owned()]));
        assert_eq!(bed.audited().await, ["grant.create"]);

        bed.advance(3600);
        assert!(!bed.node.is_good(text(&tokens, "access_token")).await, "its time is over");
    }

    /// RFC 9700 §2.1.1, §4.5: a stolen code is worth nothing without the verifier, nor to another client.
    async fn a_code_is_good_for_its_client_and_its_verifier(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let (app, other) = (bed.app(&tenant, &["leads:read"]).await, bed.app(&tenant, &["leads:read"]).await);
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let code = bed.allowed(&app, &who, "leads:read").await;
        assert_eq!(bed.node.redeem(&other, &code).await.error(), (400, "invalid_grant"));
        let form = |verifier, uri| [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", verifier), ("redirect_uri", uri)];
        let wrong = "x".repeat(43);
        assert_eq!(bed.node.token(&app, &form(&wrong, CALLBACK)).await.error(), (400, "invalid_grant"));
        assert_eq!(bed.node.token(&app, &form(VERIFIER, "https://evil.example/cb")).await.error(), (400, "invalid_grant"));
        assert_eq!(bed.node.token(&app, &form("short", CALLBACK)).await.error(), (400, "invalid_request"));
        let without = [("grant_type", "authorization_code"), ("code", code.as_str())];
        assert_eq!(bed.node.token(&app, &without).await.error(), (400, "invalid_request"), "PKCE cannot be left out");
        bed.node.redeem(&app, &code).await.ok();
    }

    async fn a_code_lives_for_a_minute(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let (late, soon) = (bed.allowed(&app, &who, "leads:read").await, bed.allowed(&app, &who, "leads:read").await);
        bed.advance(59);
        bed.node.redeem(&app, &soon).await.ok();
        bed.advance(1);
        assert_eq!(bed.node.redeem(&app, &late).await.error(), (400, "invalid_grant"));
    }

    /// RFC 6749 §4.1.2: what came of a code ends when it is shown again.
    async fn a_code_that_is_shown_twice_ends_what_came_of_it(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let code = bed.allowed(&app, &who, "leads:read").await;
        let tokens = bed.node.redeem(&app, &code).await.ok();
        assert!(bed.node.is_good(text(&tokens, "access_token")).await);
        assert_eq!(bed.node.redeem(&app, &code).await.error(), (400, "invalid_grant"));
        assert!(!bed.node.is_good(text(&tokens, "access_token")).await);
        assert_eq!(bed.node.refresh(&app, text(&tokens, "refresh_token")).await.error(), (400, "invalid_grant"));
        assert_eq!(bed.audited().await, ["grant.create", "grant.revoke"]);
    }

    async fn of_a_hundred_redemptions_at_once_one_wins(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let code = bed.allowed(&app, &who, "leads:read").await;
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (node, app, code) = (bed.node.clone(), app.clone(), code.clone());
            all.spawn(async move { node.redeem(&app, &code).await });
        }
        let answers = all.join_all().await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 99));
        assert!(lost.iter().all(|answer| answer.error() == (400, "invalid_grant")), "{lost:?}");
        assert_eq!((bed.count("oauth_grants").await, bed.count("access_tokens").await), (1, 0), "and it was a replay");
    }

    /// What is allowed is no more than was asked for, and than the person may.
    async fn a_person_allows_what_they_may_and_wish(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write"]).await;
        let (client, challenge) = (app.id.to_string(), challenge());
        let viewer = bed.signed_in(bed.person(&tenant, Role::Viewer).await, &tenant, Role::Viewer);
        let handle = bed.asked(&request(&client, &challenge, "leads:read leads:write")).await;
        let oauth::requests::Look::Ask(page) = bed.node.oauth.look(&viewer, &bed.signed(), &handle).await.unwrap() else { panic!() };
        let names = |lines: &[oauth::scope::ScopeLine]| lines.iter().map(|line| line.name.clone()).collect::<Vec<_>>();
        assert_eq!((names(&page.grantable), names(&page.beyond)), (vec!["leads:read".to_owned()], vec!["leads:write".to_owned()]));
        let too_much = oauth::requests::Approval { scopes: Some(vec!["leads:write".into()]), remember: false };
        assert_eq!(bed.node.oauth.approve(&viewer, &bed.signed(), &handle, too_much).await.unwrap_err().code(), "validation_failed");
        let location = bed.node.oauth.approve(&viewer, &bed.signed(), &handle, Default::default()).await.unwrap();
        let tokens = bed.node.redeem(&app, &parameter(&location, "code").unwrap()).await.ok();
        assert_eq!(text(&tokens, "scope"), "leads:read");

        let owner = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let handle = bed.asked(&request(&client, &challenge, "leads:read leads:write")).await;
        let less = oauth::requests::Approval { scopes: Some(vec!["leads:write".into()]), remember: false };
        let location = bed.node.oauth.approve(&owner, &bed.signed(), &handle, less).await.unwrap();
        let tokens = bed.node.redeem(&app, &parameter(&location, "code").unwrap()).await.ok();
        assert_eq!(text(&tokens, "scope"), "leads:write");
    }

    async fn a_request_says_each_thing_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let form = encoded(&[("grant_type", "client_credentials"), ("scope", "leads:read"), ("scope", "leads:read")]);
        let secret = app.secret.clone().unwrap();
        let body = format!("{form}&client_id={}&client_secret={secret}", app.id);
        assert_eq!(bed.node.post_raw("/oauth/token", None, &body).await.error(), (400, "invalid_request"));
    }
}
