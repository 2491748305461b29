//! From "somebody wants to" to a token that works, at each of the doubles.

use std::time::Duration;

use http::{HeaderMap, Method};
use serde_json::{Value, json};
use vault::Held;
use vendors::hubspot::{self, HubSpot};
use vendors::pipedrive::{self, Pipedrive};
use vendors::salesforce::{self, Salesforce};
use vendors::stand::{Double, Vendor};
use vendors::zoho::{self, Zoho};
use web::outbound::{OutboundRequest, to_uri};

use crate::bed::{Bed, about, agree, id_of, outbound, path_of, text};

/// The status of a call of the vendor's API with a credential.
pub(crate) async fn called(held: &Held, path: &str) -> u16 {
    let url = url::Url::parse(&format!("{}{path}", held.base_url.as_ref().unwrap())).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("authorization", held.authorization().reveal().parse().unwrap());
    let request = OutboundRequest {
        method: Method::GET,
        uri: to_uri(&url).unwrap(),
        headers,
        body: bytes::Bytes::new(),
        timeout: Duration::from_secs(10),
        response_cap: 1 << 20,
        repeatable: true,
    };
    outbound().send(request).await.unwrap().status.as_u16()
}

/// Connects, and uses the token at the vendor.
async fn whole<V: Vendor>(bed: &Bed, double: &Double<V>, path: &str) -> Value {
    let token = bed.connect(double, json!({"userId": "ada"})).await;
    assert_eq!((&token["status"], &token["userId"], &token["ownApp"]), (&json!("active"), &json!("ada"), &json!(true)));
    assert_eq!((&token["renewable"], &token["missingScopes"]), (&json!(true), &json!([])), "{token}");
    let held = bed.vault.held(&bed.scope(), id_of(&token)).await.unwrap();
    assert_eq!(held.base_url.as_deref().map(|base| base.starts_with(&double.url())), Some(true));
    assert_eq!(called(&held, path).await, 200);
    token
}

testkit::engines! {
    async fn every_vendor_is_connected_in_its_own_way(bed: Bed) {
        let salesforce = Double::start(Salesforce::new(salesforce::Options { ambient: bed.ambient.clone(), ..salesforce::Options::new() })).await.unwrap();
        let token = whole(&bed, &salesforce, "/services/data/v62.0/limits").await;
        let account = text(&token["account"]);
        assert!(account.starts_with("00D") && account.contains(":005"), "{account}");
        assert_eq!(token["metadata"]["instance_url"], json!(salesforce.url()));
        let hubspot = Double::start(HubSpot::new(hubspot::Options { ambient: bed.ambient.clone(), ..hubspot::Options::new() })).await.unwrap();
        let token = whole(&bed, &hubspot, "/crm/v3/objects/contacts").await;
        assert_eq!((&token["account"], &token["metadata"]["hub_id"]), (&json!("62515"), &json!(62515)));
        let pipedrive = Double::start(Pipedrive::new(pipedrive::Options { ambient: bed.ambient.clone(), ..pipedrive::Options::new() })).await.unwrap();
        let token = whole(&bed, &pipedrive, "/api/v2/persons").await;
        assert!(text(&token["account"]).contains(':'), "{token}");
        let zoho = Double::start(Zoho::new(zoho::Options { ambient: bed.ambient.clone(), location: "eu".into(), ..zoho::Options::new() })).await.unwrap();
        zoho.seed_leads(1);
        let token = whole(&bed, &zoho, "/crm/v8/Leads?fields=Last_Name").await;
        assert_eq!(token["metadata"]["location"], "eu");
        assert!(token["account"].is_string(), "{token}");
        let held = bed.vault.held(&bed.scope(), id_of(&token)).await.unwrap();
        assert!(held.authorization().reveal().starts_with("Zoho-oauthtoken 1000."));
        assert_eq!(bed.told_types().await, ["connected"; 4]);
        let all = bed.api("GET", "/oauth-tokens?userId=ada", None).await.expect(200).json();
        assert_eq!((all["data"].as_array().unwrap().len(), &all["pagination"]["total"]), (4, &json!(4)));
        let one = bed.api("GET", "/oauth-tokens?provider=zoho&userId=ada", None).await.expect(200).json();
        assert_eq!(one["data"][0]["id"], token["id"]);
        assert_eq!(bed.api("GET", "/oauth-tokens?userId=bob", None).await.expect(200).json()["data"], json!([]));
        assert_eq!(bed.as_caller(bed.stranger(), "GET", "/api/v1/oauth-tokens", None).await.expect(200).json()["data"], json!([]));
    }

    /// PKCE is at work: a code that somebody else got, without our verifier, is no good to them, and ours is bound to S256.
    async fn codes_are_bound_where_the_vendor_takes_it(bed: Bed) {
        let double = Double::start(Salesforce::new(salesforce::Options::new())).await.unwrap();
        let begun = bed.begin(&double, json!({})).await;
        let url = text(&begun["authorizeUrl"]);
        assert!(url.contains("code_challenge_method=S256&prompt=consent") && url.contains("&code_challenge="), "{url}");
        let pipedrive = Double::start(Pipedrive::new(pipedrive::Options::new())).await.unwrap();
        assert!(!text(&bed.begin(&pipedrive, json!({})).await["authorizeUrl"]).contains("code_challenge"));
        // The challenge of another verifier: the vendor refuses the exchange.
        let other = text(&bed.begin(&double, json!({})).await["authorizeUrl"]);
        let challenge = |url: &str| url.split('&').find(|pair| pair.starts_with("code_challenge=")).unwrap().to_owned();
        let swapped = url.replace(&challenge(&url), &challenge(&other));
        let reply = bed.browse(&path_of(&agree(&double, &swapped)), None).await.expect(409);
        assert!(reply.text().contains("refused the code"), "{}", reply.text());
        let ended = bed.api("GET", &format!("/oauth-connections/{}", text(&begun["id"])), None).await.expect(200).json();
        assert_eq!(ended["status"], "failed");
        assert!(text(&ended["error"]).starts_with("oauth_vendor_refused: "), "{ended}");
        assert_eq!(double.with_token_count(), 0);
    }

    async fn what_was_not_granted_is_shown(bed: Bed) {
        let double = Double::start(HubSpot::new(hubspot::Options::new())).await.unwrap();
        double.with_grants(&mut |grants| grants.withheld = vec!["crm.objects.deals.read".into()]);
        let asked = json!({"scopes": ["oauth", "crm.objects.contacts.read", "crm.objects.deals.read"]});
        let token = bed.connect(&double, asked.clone()).await;
        assert_eq!(token["missingScopes"], json!(["crm.objects.deals.read"]));
        assert_eq!((&token["requestedScopes"], &token["scopes"]), (&asked["scopes"], &json!(["oauth", "crm.objects.contacts.read"])));
    }

    /// The person is sent back to where the host wants them, and nowhere else; a refusal is told as well.
    async fn people_are_sent_back(bed: Bed) {
        let double = Double::start(HubSpot::new(hubspot::Options::new())).await.unwrap();
        let back = async |to: &str| {
            let begun = bed.begin(&double, json!({"returnTo": to})).await;
            let reply = bed.browse(&path_of(&agree(&double, begun["authorizeUrl"].as_str().unwrap())), None).await.expect(303);
            assert_eq!((reply.header("cache-control"), reply.header("referrer-policy")), ("no-store", "no-referrer"));
            (text(&begun["id"]), reply.header("location").to_owned())
        };
        let (id, location) = back("https://app.example/done?tab=2").await;
        assert!(location.starts_with(&format!("https://app.example/done?tab=2&status=connected&connectionId={id}&oauthTokenId=otk_")), "{location}");
        let (_, location) = back("/portal/integrations").await;
        assert!(location.starts_with("http://localhost:8080/portal/integrations?status=connected&"), "{location}");
        double.deny_next();
        let (id, location) = back("https://app.example/done").await;
        assert_eq!(location, format!("https://app.example/done?status=failed&connectionId={id}&error=access_denied"));
        let refused = about(&double, json!({"returnTo": "https://evil.example"}));
        bed.api("POST", "/oauth-connections", Some(refused)).await.problem(422, "return_to_not_allowed");
    }

    /// Connecting the same account again replaces its grant: the 20 places that Zoho has for refresh tokens are not used up, and what was
    /// replaced is ended at the vendor.
    async fn the_same_account_has_one_grant(bed: Bed) {
        let double = Double::start(Zoho::new(zoho::Options { ambient: bed.ambient.clone(), ..zoho::Options::new() })).await.unwrap();
        double.seed_leads(1);
        let first = bed.connect(&double, json!({"userId": "ada"})).await;
        for _ in 0..24 {
            let again = bed.connect(&double, json!({"userId": "ada"})).await;
            assert_eq!(again["id"], first["id"]);
            bed.vault.look_after().await.unwrap();
            assert_eq!(double.grants(), 1);
        }
        let held = bed.vault.held(&bed.scope(), id_of(&first)).await.unwrap();
        assert_eq!((held.generation, called(&held, "/crm/v8/Leads?fields=Last_Name").await), (25, 200));
        let replaced = bed.api("GET", "/oauth-tokens?status=revoked&limit=100", None).await.expect(200).json();
        let all = replaced["data"].as_array().unwrap();
        assert_eq!(all.len(), 24);
        assert!(all.iter().all(|one| one["revocation"] == "done" && one["reason"] == "replaced"));
        let other = bed.connect(&double, json!({"userId": "bob"})).await;
        assert_ne!(other["id"], first["id"]);
    }

    /// Whoever signs in at the vendor as somebody else does not slip another account under what is built on the first.
    async fn another_account_does_not_take_the_place_of_the_first(bed: Bed) {
        let double = Double::start(Salesforce::new(salesforce::Options::new())).await.unwrap();
        let token = bed.connect(&double, json!({"userId": "ada"})).await;
        double.with_grants(&mut |grants| grants.user += 1);
        let again = bed.api("POST", &format!("/oauth-tokens/{}/reconnect", text(&token["id"])), None).await.expect(200).json();
        let reply = bed.browse(&path_of(&agree(&double, again["authorizeUrl"].as_str().unwrap())), None).await.expect(409);
        assert!(reply.text().contains("Another account was connected than before"));
        assert_eq!(bed.token(&text(&token["id"])).await["account"], token["account"]);
        let second = bed.connect(&double, json!({"userId": "ada"})).await;
        assert_ne!((&second["id"], &second["account"]), (&token["id"], &token["account"]));
    }

    /// Zoho's data centres: a person whose data is elsewhere comes back with that place, and the code is exchanged there.
    async fn a_code_is_exchanged_where_the_callback_says(bed: Bed) {
        let double = Double::start(Zoho::new(zoho::Options::new())).await.unwrap();
        let begun = bed.begin(&double, json!({})).await;
        let back = path_of(&agree(&double, begun["authorizeUrl"].as_str().unwrap()));
        assert!(back.contains("accounts-server="), "{back}");
        let bent = back.replace(&format!("accounts-server={}", url::form_urlencoded::byte_serialize(double.url().as_bytes()).collect::<String>()),
            "accounts-server=https%3A%2F%2Fevil.example");
        assert_ne!(bent, back);
        let reply = bed.browse(&bent, None).await.expect(409);
        assert!(reply.text().contains("none of the vendor"), "{}", reply.text());
        // The state is used up.
        bed.browse(&back, None).await.expect(400);
    }
}

/// How many tokens a double gave for codes.
trait Counted {
    fn with_token_count(&self) -> usize;
}

impl<V: Vendor> Counted for Double<V> {
    fn with_token_count(&self) -> usize {
        self.stand()
            .log
            .entries()
            .iter()
            .filter(|entry| entry.method == "POST" && entry.target.contains("token") && entry.status == 200)
            .count()
    }
}
