//! Callbacks that nobody of ours sends.

use http::Request;
use serde_json::{Value, json};
use vendors::hubspot::{HubSpot, Options};
use vendors::pipedrive::{self, Pipedrive};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{Bed, about, agree, path_of, text};

async fn double() -> Double<HubSpot> {
    Double::start(HubSpot::new(Options::new())).await.unwrap()
}

async fn status_of(bed: &Bed, begun: &Value) -> Value {
    bed.api("GET", &format!("/oauth-connections/{}", text(&begun["id"])), None).await.expect(200).json()["status"].clone()
}

testkit::engines! {
    async fn a_state_is_ours_and_good_once(bed: Bed) {
        let double = double().await;
        let begun = bed.begin(&double, json!({})).await;
        let back = path_of(&agree(&double, begun["authorizeUrl"].as_str().unwrap()));
        let state = back.split("state=").nth(1).unwrap();
        for bad in [
            "/oauth/callback".to_owned(),
            "/oauth/callback?code=x".to_owned(),
            "/oauth/callback?code=x&state=".to_owned(),
            "/oauth/callback?code=x&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            format!("/oauth/callback?code=x&state={state}&state={state}"),
            format!("/oauth/callback?code=x&state={state}%00"),
            format!("/oauth/callback?code={}&state={state}", "x".repeat(17_000)),
            format!("/oauth/callback?code=x&state={}", "s".repeat(9_000)),
            format!("/oauth/callback?code=x&state={}", state.to_uppercase()),
        ] {
            let reply = bed.browse(&bad, None).await.expect(400);
            assert!(reply.header("content-type").starts_with("text/html"), "{bad}");
            assert!(reply.header("content-security-policy").contains("default-src 'none'"));
        }
        assert_eq!(status_of(&bed, &begun).await, "pending", "strangers use nothing up");
        bed.browse(&back, None).await.expect(200);
        bed.browse(&back, None).await.expect(400);
        assert_eq!(status_of(&bed, &begun).await, "connected");
        assert_eq!((double.grants(), bed.told_types().await), (1, vec!["connected".to_owned()]));
    }

    async fn a_state_is_good_for_ten_minutes(bed: Bed) {
        let double = double().await;
        let begun = bed.begin(&double, json!({})).await;
        let back = path_of(&agree(&double, begun["authorizeUrl"].as_str().unwrap()));
        bed.wait(601);
        bed.browse(&back, None).await.expect(400);
        assert_eq!(bed.told_types().await, Vec::<String>::new());
    }

    async fn only_one_of_many_callbacks_at_once_counts(bed: Bed) {
        let double = double().await;
        let begun = bed.begin(&double, json!({})).await;
        let back = path_of(&agree(&double, begun["authorizeUrl"].as_str().unwrap()));
        let replies = futures_util::future::join_all((0..8).map(|_| bed.browse(&back, None))).await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
        assert_eq!(double.stand().log.count("POST", "/token"), 1);
    }

    /// What a signed-in person began ends in that person's browser only.
    async fn another_browser_is_refused(bed: Bed) {
        let double = double().await;
        let reply = bed.as_caller(bed.person(), "POST", "/api/v1/oauth-connections", Some(about(&double, json!({})))).await.expect(201);
        let set = reply.header("set-cookie").to_owned();
        assert!(set.contains("HttpOnly; SameSite=Lax") && set.starts_with("tradewind_connect="), "{set}");
        let cookie = set.split(';').next().unwrap();
        let begun = reply.json();
        assert!(text(&begun["userId"]).starts_with("usr_"), "whoever is signed in");
        let back = path_of(&agree(&double, begun["authorizeUrl"].as_str().unwrap()));
        for other in [None, Some("tradewind_connect=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Some("tradewind_connect=x"), Some("x=y")] {
            bed.browse(&back, other).await.expect(403);
        }
        assert_eq!(status_of(&bed, &begun).await, "pending", "it can still be ended where it was begun");
        bed.browse(&back, Some(&format!("a=b; {cookie}"))).await.expect(200);
        // A second connection of the same browser has the same mark.
        let mut request = Request::builder().method("POST").uri("/api/v1/oauth-connections").extension(bed.person());
        request = request.header("content-type", "application/json").header("cookie", cookie);
        let again = bed.send(request.body(about(&double, json!({})).to_string().into()).unwrap()).await.expect(201);
        assert_eq!(again.header("set-cookie"), set);
        // A host's backend has no browser.
        assert_eq!(bed.api("POST", "/oauth-connections", Some(about(&double, json!({})))).await.expect(201).header("set-cookie"), "");
    }

    /// What comes back belongs to the tenant that began, whoever brings it.
    async fn a_state_of_another_tenant_stays_theirs(bed: Bed) {
        let double = double().await;
        let body = Some(about(&double, json!({"userId": "theirs"})));
        let theirs = bed.as_caller(bed.stranger(), "POST", "/api/v1/oauth-connections", body).await.expect(201).json();
        bed.browse(&path_of(&agree(&double, theirs["authorizeUrl"].as_str().unwrap())), None).await.expect(200);
        assert_eq!(bed.api("GET", "/oauth-tokens", None).await.expect(200).json()["data"], json!([]));
        bed.api("GET", &format!("/oauth-connections/{}", text(&theirs["id"])), None).await.problem(404, "not_found");
        let found = bed.as_caller(bed.stranger(), "GET", "/api/v1/oauth-tokens", None).await.expect(200).json();
        assert_eq!(found["data"][0]["userId"], "theirs");
    }

    async fn a_refusal_is_no_page_of_the_vendors(bed: Bed) {
        let double = double().await;
        for (error, code) in [("access_denied", "access_denied"), ("<script>alert(1)</script>", "oauth_vendor_refused")] {
            let begun = bed.begin(&double, json!({})).await;
            let url = url::Url::parse(begun["authorizeUrl"].as_str().unwrap()).unwrap();
            let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
            let mut target = url::Url::parse("http://localhost:8080/oauth/callback").unwrap();
            target.query_pairs_mut().append_pair("error", error).append_pair("error_description", "<b>x</b>").append_pair("state", &state);
            let reply = bed.browse(&path_of(target.as_str()), None).await;
            assert!(matches!(reply.status.as_u16(), 403 | 409) && !reply.text().contains("<script>") && !reply.text().contains("<b>"));
            let ended = bed.api("GET", &format!("/oauth-connections/{}", text(&begun["id"])), None).await.expect(200).json();
            assert!(text(&ended["error"]).starts_with(code), "{ended}");
        }
        assert_eq!(double.stand().log.count("POST", "/token"), 0);
    }

    /// Pipedrive tells that its app was removed: with the app's secret, or not at all.
    async fn an_uninstalled_app_is_believed_with_its_secret(bed: Bed) {
        use base64::Engine as _;
        let double = Double::start(Pipedrive::new(pipedrive::Options::new())).await.unwrap();
        let token = bed.connect(&double, json!({"userId": "ada"})).await;
        let account = text(&token["account"]);
        let (company, user) = account.split_once(':').unwrap();
        let told = json!({"company_id": company.parse::<i64>().unwrap(), "user_id": user.parse::<i64>().unwrap(), "client_id": "double-client",
            "timestamp": "2026-11-22T12:00:00Z"});
        let tell = async |secret: Option<&str>, told: &Value| {
            let mut request = Request::builder().method("DELETE").uri("/oauth/callback").header("content-type", "application/json");
            if let Some(secret) = secret {
                let pair = base64::engine::general_purpose::STANDARD.encode(format!("double-client:{secret}"));
                request = request.header("authorization", format!("Basic {pair}"));
            }
            bed.send(request.body(told.to_string().into()).unwrap()).await
        };
        tell(None, &told).await.problem(401, "invalid_credential");
        tell(Some("wrong"), &told).await.problem(401, "invalid_credential");
        tell(Some("double-secret"), &json!({"company_id": 1, "user_id": 1})).await.problem(401, "invalid_credential");
        assert_eq!(bed.token(&text(&token["id"])).await["status"], "active");
        tell(Some("double-secret"), &told).await.expect(204);
        let ended = bed.token(&text(&token["id"])).await;
        assert_eq!((&ended["status"], &ended["reason"]), (&json!("reauth_required"), &json!("uninstalled")));
        assert_eq!(bed.told_types().await, ["connected", "reauth_required"]);
    }
}
