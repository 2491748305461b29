//! The operator's apps at vendors.

use serde_json::json;
use vendors::hubspot::{self, HubSpot};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{Bed, agree, id_of, path_of, text};

testkit::engines! {
    /// A tenant connects with the operator's app without knowing it; a new secret of the app serves the tokens that are there.
    async fn tenants_connect_with_the_operators_app(bed: Bed) {
        let double = Double::start(HubSpot::new(hubspot::Options::new())).await.unwrap();
        let app = json!({"clientId": "double-client", "clientSecret": "double-secret", "baseUrl": double.url(), "scopes": ["oauth"]});
        let put = async |body| bed.as_caller(Bed::operator(), "PUT", "/api/v1/oauth-providers/hubspot", Some(body)).await;
        let shown = put(app).await.expect(200).json();
        assert_eq!((&shown["configured"], &shown["clientId"], &shown["redirectUri"]), (&json!(true), &json!("double-client"), &json!("http://localhost:8080/oauth/callback")));
        let begun = bed.api("POST", "/oauth-connections", Some(json!({"provider": "hubspot"}))).await.expect(201).json();
        assert_eq!(begun["scopes"], json!(["oauth"]));
        bed.browse(&path_of(&agree(&double, begun["authorizeUrl"].as_str().unwrap())), None).await.expect(200);
        let all = bed.api("GET", "/oauth-tokens", None).await.expect(200).json();
        let token = &all["data"][0];
        assert_eq!((&token["ownApp"], &token["clientId"]), (&json!(false), &json!("double-client")));
        double.with_grants(&mut |grants| grants.apps[0].client_secret = "new-secret".into());
        put(json!({"clientId": "double-client", "clientSecret": "new-secret", "baseUrl": double.url()})).await.expect(200);
        assert_eq!(bed.vault.renew(&bed.scope(), id_of(token), 1).await.unwrap().generation, 2);
        // A change without the secret keeps it; another app's secret is not this one's.
        put(json!({"clientId": "double-client", "baseUrl": double.url()})).await.expect(200);
        assert_eq!(bed.vault.renew(&bed.scope(), id_of(token), 2).await.unwrap().generation, 3);
        put(json!({"clientId": "another", "baseUrl": double.url()})).await.expect(200);
        assert_eq!(bed.vault.renew(&bed.scope(), id_of(token), 3).await.unwrap_err().code(), "oauth_token_unavailable");
        let reason = text(&bed.token(&text(&token["id"])).await["reason"]);
        assert!(reason.contains("not configured any more"), "{reason}");
    }

    /// The operator's secret is for the vendor: a tenant cannot have it sent elsewhere.
    async fn a_tenant_cannot_have_the_operators_secret(bed: Bed) {
        let app = json!({"clientId": "ours", "clientSecret": "s3cret"});
        for provider in ["hubspot", "salesforce"] {
            bed.as_caller(Bed::operator(), "PUT", &format!("/api/v1/oauth-providers/{provider}"), Some(app.clone())).await.expect(200);
        }
        let connect = async |body| bed.api("POST", "/oauth-connections", Some(body)).await;
        let reply = connect(json!({"provider": "hubspot", "baseUrl": "http://127.0.0.1:9"})).await.expect(422);
        assert_eq!(reply.json()["errors"][0]["pointer"], "/baseUrl");
        connect(json!({"provider": "salesforce", "loginHost": "evil.example"})).await.problem(422, "login_host_refused");
        let begun = connect(json!({"provider": "salesforce", "loginHost": "acme.my.salesforce.com"})).await.expect(201).json();
        assert!(text(&begun["authorizeUrl"]).starts_with("https://acme.my.salesforce.com/services/oauth2/authorize?response_type=code&client_id=ours&"));
        for body in [json!({"provider": "hubspot"}), json!({"provider": "hubspot", "clientId": "mine"})] {
            assert!(!connect(body).await.expect(201).text().contains("s3cret"));
        }
    }

    async fn the_list_says_what_can_be_connected(bed: Bed) {
        let list = async |caller| bed.as_caller(caller, "GET", "/api/v1/oauth-providers", None).await.expect(200).json();
        let all = list(bed.caller()).await;
        let ids: Vec<String> = all["data"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
        assert_eq!(ids, ["salesforce", "hubspot", "pipedrive", "zoho", "slack", "microsoft", "google", "razorpay", "custom"]);
        assert!(all["data"].as_array().unwrap().iter().all(|one| one["configured"] == false));
        let one = "/api/v1/oauth-providers/slack";
        bed.as_caller(Bed::operator(), "PUT", one, Some(json!({"clientId": "c", "clientSecret": "s"}))).await.expect(200);
        let person = bed.as_caller(bed.person(), "GET", one, None).await.expect(200).json();
        assert_eq!((&person["configured"], person.get("clientId")), (&json!(true), None), "whose app it is is the operator's business");
        bed.as_caller(bed.person(), "PUT", one, Some(json!({"clientId": "c"}))).await.problem(403, "operator_only");
        bed.as_caller(bed.person(), "DELETE", one, None).await.problem(403, "operator_only");
        bed.as_caller(Bed::operator(), "PUT", "/api/v1/oauth-providers/nobody", Some(json!({"clientId": "c"}))).await.problem(404, "not_found");
        let custom = bed.as_caller(Bed::operator(), "PUT", "/api/v1/oauth-providers/custom", Some(json!({"clientId": "c"}))).await.expect(422);
        assert_eq!(custom.json()["errors"][0]["pointer"], "/definition");
        bed.as_caller(Bed::operator(), "DELETE", one, None).await.expect(204);
        bed.as_caller(Bed::operator(), "DELETE", one, None).await.problem(404, "not_found");
    }
}
