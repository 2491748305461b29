//! Calls of vendors.

use connectors::HintKind;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::IntegrationId;
use serde_json::{Value, json};
use sha2::Sha256;
use vault::OauthApp;

use crate::bed::{Bed, PUBLIC};

fn mac(secret: &str, parts: &[&str]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part.as_bytes()));
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn events() -> String {
    json!({"events": [{"what": "contact", "id": "con_7", "action": "changed"}, {"what": "contact", "id": "con_8", "action": "removed"}]})
        .to_string()
}

async fn acme(bed: &Bed) -> (IntegrationId, String, String) {
    let id = bed.acme("http://127.0.0.1:9", "key").await;
    let secret = bed.integrations.inbound_secret(&bed.scope(), id).await.unwrap().reveal().clone();
    (id, secret, format!("/in/integrations/{id}"))
}

testkit::engines! {
    /// A call that the integration's secret signed is kept and answered; anything else is refused and kept nowhere.
    async fn a_signed_call_becomes_hints(bed: Bed) {
        let (id, secret, path) = acme(&bed).await;
        assert_eq!(bed.shown(id).await["webhookUrl"], format!("{PUBLIC}{path}"));
        assert!((40..=50).contains(&secret.len()), "long enough to be secret, short enough for Zoho");
        let body = events();
        let good = format!("sha256={}", hex(&mac(&secret, &[&body])));
        bed.call(&path, &[("x-acme-signature", &good)], &body).await.expect(200);
        let kept = bed.hints.take();
        assert_eq!(kept.len(), 1);
        let (tenant, integration, hints) = &kept[0];
        assert_eq!((*tenant, *integration), (bed.tenant, id));
        let said: Vec<(&str, &str, bool)> =
            hints.iter().map(|hint| (hint.object.as_str(), hint.id.as_str(), hint.kind == HintKind::Deleted)).collect();
        assert_eq!(said, [("contacts", "con_7", false), ("contacts", "con_8", true)]);
        let forged = format!("sha256={}", hex(&mac("another", &[&body])));
        for headers in [vec![("x-acme-signature", forged.as_str())], vec![("x-acme-signature", "sha256=")], vec![]] {
            assert_eq!(bed.call(&path, &headers, &body).await.expect(401).fault().0, "call_not_verified");
        }
        bed.call(&path, &[("x-acme-signature", &good)], &format!("{body} ")).await.expect(401);
        assert_eq!(bed.hints.take(), []);
    }

    /// A secret that the vendor chose counts beside ours.
    async fn the_vendor_s_own_secret_counts_too(bed: Bed) {
        let (id, _, path) = acme(&bed).await;
        let patch = json!({"credentials": {"apiKey": "key", "webhookSecret": "theirs"}});
        bed.api("PATCH", &format!("/integrations/{id}"), Some(patch)).await.expect(200);
        let body = events();
        let signature = format!("sha256={}", hex(&mac("theirs", &[&body])));
        bed.call(&path, &[("x-acme-signature", &signature)], &body).await.expect(200);
        assert_eq!(bed.hints.take().len(), 1);
    }

    async fn what_is_not_there_or_switched_off_takes_no_calls(bed: Bed) {
        let (id, secret, path) = acme(&bed).await;
        let body = events();
        let good = format!("sha256={}", hex(&mac(&secret, &[&body])));
        bed.call("/in/integrations/int_01h455vb4pex5vsknk084sn02q", &[("x-acme-signature", &good)], &body).await.expect(404);
        bed.api("PATCH", &format!("/integrations/{id}"), Some(json!({"enabled": false}))).await.expect(200);
        bed.call(&path, &[("x-acme-signature", &good)], &body).await.expect(404);
        bed.call("/in/providers/nobody", &[], "[]").await.expect(404);
        bed.call("/in/providers/hubspot", &[], "[]").await.expect(404);
        bed.call(&path, &[], &"x".repeat(1024 * 1024 + 1)).await.expect(413);
    }

    /// A call to the operator's app reaches the integrations of the accounts that it names, of every tenant, and no others.
    async fn an_app_s_call_reaches_its_accounts(bed: Bed) {
        let app = OauthApp {
            client_secret: Some("app-secret".into()),
            ..serde_json::from_value(json!({"clientId": "app"})).unwrap()
        };
        bed.vault.put_provider(&Bed::operator(), "hubspot", app).await.unwrap();
        let mut made = Vec::new();
        for (caller, account) in [(bed.caller(), "1"), (bed.stranger(), "1"), (bed.caller(), "2")] {
            let token = json!({"provider": "hubspot", "accessToken": format!("t{account}"), "account": account, "userId": account});
            let token = bed.vault.create(&caller, serde_json::from_value(token).unwrap()).await.unwrap();
            let body = json!({"connector": "hubspot", "oauthTokenId": token.id});
            let answer = bed.api_as(caller.clone(), "POST", "/integrations", Some(body)).await.expect(201).json();
            let id: IntegrationId = answer["id"].as_str().unwrap().parse().unwrap();
            bed.integrations.session(&caller.tenant_scope().unwrap(), id).await.unwrap();
            made.push(id);
        }
        let event = |portal: u64, id: u64| json!({"subscriptionType": "contact.creation", "portalId": portal, "objectId": id, "occurredAt": 1});
        let body = Value::Array(vec![event(1, 10), event(3, 30), event(1, 11)]).to_string();
        let at = bed.ambient.now().millis().to_string();
        let signature = mac("app-secret", &["POST", &format!("{PUBLIC}/in/providers/hubspot"), &body, &at]);
        let signature = { use base64::Engine as _; base64::engine::general_purpose::STANDARD.encode(signature) };
        let headers = [("x-hubspot-signature-v3", signature.as_str()), ("x-hubspot-request-timestamp", at.as_str())];
        bed.call("/in/providers/hubspot", &headers, &body).await.expect(200);
        let mut kept = bed.hints.take();
        kept.sort_by_key(|(tenant, ..)| *tenant != bed.tenant);
        let reached: Vec<(IntegrationId, usize)> = kept.iter().map(|(_, id, hints)| (*id, hints.len())).collect();
        assert_eq!(reached, [(made[0], 2), (made[1], 2)]);
        assert_eq!((kept[0].0, kept[1].0), (bed.tenant, bed.other));
        bed.call("/in/providers/hubspot", &headers, &format!("{body} ")).await.expect(401);
    }
}
