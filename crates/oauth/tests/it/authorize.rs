//! `/oauth/authorize`: what is wrong with a request is told before anybody signs in, and to whom.

use serde_json::json;

use crate::bed::{Bed, CALLBACK, ISSUER, challenge, encoded, parameter, request};

/// The request with one parameter replaced, or left out.
fn changed<'a>(good: &[(&'a str, &'a str)], name: &'a str, value: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let mut out: Vec<_> = good.iter().copied().filter(|(known, _)| *known != name).collect();
    out.extend(value.map(|value| (name, value)));
    out
}

testkit::engines! {
    async fn faults_go_to_the_client_once_its_address_is_known(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let (client, challenge) = (app.id.to_string(), challenge());
        let good = request(&client, &challenge, "leads:read");
        for (name, value, error) in [
            ("response_type", None, "invalid_request"),
            ("response_type", Some("token"), "unsupported_response_type"),
            ("response_type", Some("code id_token"), "unsupported_response_type"),
            ("response_mode", Some("fragment"), "invalid_request"),
            ("scope", Some("leads:write"), "invalid_scope"),
            ("scope", Some("no:such"), "invalid_scope"),
            ("code_challenge", None, "invalid_request"),
            ("code_challenge", Some("short"), "invalid_request"),
            ("code_challenge_method", None, "invalid_request"),
            ("code_challenge_method", Some("plain"), "invalid_request"),
            ("request", Some("eyJhbGciOiJub25lIn0.e30."), "request_not_supported"),
            ("resource", Some("https://other.example"), "invalid_target"),
            ("prompt", Some("none consent"), "invalid_request"),
            ("max_age", Some("-1"), "invalid_request"),
        ] {
            let answer = bed.node.authorize(&changed(&good, name, value)).await;
            assert_eq!(answer.status, 303, "{name} {value:?}: {}", answer.text);
            let location = answer.location();
            assert!(location.starts_with(&format!("{CALLBACK}?")), "{location}");
            assert_eq!(parameter(location, "error").as_deref(), Some(error), "{name} {value:?}");
            assert_eq!(parameter(location, "state").as_deref(), Some("s t&=1"));
            assert_eq!(parameter(location, "iss").as_deref(), Some(ISSUER), "RFC 9207");
            assert!(parameter(location, "code").is_none());
        }
        assert_eq!(bed.count("oauth_requests").await, 0, "nothing of them is kept");
        bed.asked(&good).await;
    }

    /// RFC 9700 §4.1, §4.11: nothing is sent to an address that the client did not register, letter by letter.
    async fn an_address_in_doubt_gets_nothing(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let (client, challenge) = (app.id.to_string(), challenge());
        let good = request(&client, &challenge, "leads:read");
        for uri in [
            "https://evil.example/cb",
            "https://app.example/cb/",
            "https://app.example/CB",
            "https://APP.example/cb",
            "https://app.example:443/cb",
            "https://app.example/cb?x=1",
            "https://app.example/cb#f",
            "https://app.example/cb/../x",
            "https://app.example/cb%2f..%2fx",
            "https://user@app.example/cb",
            "https://app.example@evil.example/cb",
            "https://app.example.evil.example/cb",
            "https://sub.app.example/cb",
            "https://app.example\\@evil.example/cb",
            "http://app.example/cb",
            "javascript:alert(1)",
            "//evil.example/cb",
        ] {
            let answer = bed.node.authorize(&changed(&good, "redirect_uri", Some(uri))).await;
            assert_eq!(answer.status, 400, "{uri}");
            assert!(answer.headers.get("location").is_none(), "{uri}");
            assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        }
        for (name, value) in [("client_id", None), ("client_id", Some("cli_nobody")), ("client_id", Some("<script>"))] {
            let answer = bed.node.authorize(&changed(&good, name, value)).await;
            assert!(answer.status == 400 && answer.headers.get("location").is_none(), "{value:?}");
            assert!(!answer.text.contains("<script"), "{}", answer.text);
        }
        let twice = format!("/oauth/authorize?{}&redirect_uri=https%3A%2F%2Fevil.example", encoded(&good));
        assert_eq!(bed.node.get(&twice).await.status, 400);
        let two = bed.make(&tenant, json!({"name": "Two", "redirectUris": [CALLBACK, "https://app.example/cb2"], "scopes": ["leads:read"]})).await;
        let two_id = two.id.to_string();
        assert_eq!(bed.node.authorize(&changed(&request(&two_id, &challenge, "leads:read"), "redirect_uri", None)).await.status, 400);
    }

    async fn an_application_on_the_machine_chooses_its_port(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let input = json!({"name": "Cli", "redirectUris": ["http://127.0.0.1/cb"], "scopes": ["leads:read"], "confidential": false});
        let app = bed.make(&tenant, input).await;
        let (client, challenge) = (app.id.to_string(), challenge());
        let good = request(&client, &challenge, "leads:read");
        bed.asked(&changed(&good, "redirect_uri", Some("http://127.0.0.1:51004/cb"))).await;
        for uri in ["http://127.0.0.1:51004/other", "http://localhost:51004/cb", "http://127.0.0.1:51004@evil.example/cb"] {
            assert_eq!(bed.node.authorize(&changed(&good, "redirect_uri", Some(uri))).await.status, 400, "{uri}");
        }
    }

    async fn a_client_that_may_not_work_asks_in_vain(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let (client, challenge) = (app.id.to_string(), challenge());
        let good = request(&client, &challenge, "leads:read");
        bed.set(&tenant, &app, json!({"grantTypes": ["client_credentials"]})).await.unwrap();
        let location = bed.node.authorize(&good).await.location().to_owned();
        assert_eq!(parameter(&location, "error").unwrap(), "unauthorized_client");
        bed.set(&tenant, &app, json!({})).await.unwrap();
        bed.asked(&good).await;
        let suspend = access::clients::UpdateClient { status: web::Patch::Value(access::clients::ClientStatus::Suspended), ..Default::default() };
        bed.node.access.update_client(&bed.acting(&tenant), kernel::IdRef::Id(app.id), suspend).await.unwrap();
        assert_eq!(bed.node.authorize(&good).await.status, 400, "and the cache knows at once");
    }

    /// RFC 9126.
    async fn a_pushed_request_is_used_once_by_its_client(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let (app, other) = (bed.app(&tenant, &["leads:read"]).await, bed.app(&tenant, &["leads:read"]).await);
        let (client, other_id, challenge) = (app.id.to_string(), other.id.to_string(), challenge());
        let good = request(&client, &challenge, "leads:read");
        let push = async || {
            let answer = bed.node.post(&app, "/oauth/par", &good).await;
            assert_eq!((answer.status.as_u16(), &answer.body["expires_in"]), (201, &json!(90)), "{}", answer.text);
            answer.body["request_uri"].as_str().unwrap().to_owned()
        };
        let uri = push().await;
        assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"), "{uri}");
        assert_eq!(bed.node.authorize(&[("client_id", &other_id), ("request_uri", &uri)]).await.status, 400);
        bed.asked(&[("client_id", &client), ("request_uri", &uri)]).await;
        assert_eq!(bed.node.authorize(&[("client_id", &client), ("request_uri", &uri)]).await.status, 400, "used");
        let late = push().await;
        bed.advance(90);
        assert_eq!(bed.node.authorize(&[("client_id", &client), ("request_uri", &late)]).await.status, 400, "over");
        // A request that waits for a person is no pushed one.
        let handle = bed.asked(&good).await;
        let direct = format!("urn:ietf:params:oauth:request_uri:{handle}");
        assert_eq!(bed.node.authorize(&[("client_id", &client), ("request_uri", &direct)]).await.status, 400);
        let nobody = bed.node.post_raw("/oauth/par", None, &encoded(&good)).await;
        assert_eq!(nobody.error(), (401, "invalid_client"));

        bed.set(&tenant, &app, json!({"requirePar": true})).await.unwrap();
        let location = bed.node.authorize(&good).await.location().to_owned();
        assert_eq!(parameter(&location, "error").unwrap(), "invalid_request");
        let uri = push().await;
        bed.asked(&[("client_id", &client), ("request_uri", &uri)]).await;
    }

    async fn the_documents_say_what_is_served(bed: Bed) {
        let document = bed.node.get("/.well-known/oauth-authorization-server").await.ok();
        assert_eq!(document["issuer"], ISSUER);
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["response_types_supported"], json!(["code"]));
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        for (member, path) in [("token_endpoint", "/oauth/token"), ("pushed_authorization_request_endpoint", "/oauth/par")] {
            assert_eq!(document[member], format!("{ISSUER}{path}"));
        }
        for absent in ["password", "implicit"] {
            assert!(!document["grant_types_supported"].as_array().unwrap().iter().any(|grant| grant == absent));
        }
        let resource = bed.node.get("/.well-known/oauth-protected-resource").await.ok();
        assert_eq!((&resource["resource"], &resource["authorization_servers"]), (&json!(ISSUER), &json!([ISSUER])));
        let mcp = bed.node.get("/.well-known/oauth-protected-resource/mcp").await.ok();
        assert_eq!(mcp["resource"], format!("{ISSUER}/mcp"));
        assert_eq!(bed.node.get("/.well-known/oauth-protected-resource/elsewhere").await.status, 404);
    }
}
