//! What must not be seen is seen nowhere, and what is sealed opens in its place only.

use kernel::Scope;
use serde_json::json;
use vendors::faults::{Fault, Kind as Goes};
use vendors::salesforce::{self, Salesforce};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{Bed, about, id_of, text};

testkit::engines! {
    async fn no_secret_is_in_an_answer_an_event_or_the_audit_log(bed: Bed) {
        let double = Double::start(Salesforce::new(salesforce::Options::new())).await.unwrap();
        let token = bed.connect(&double, json!({})).await;
        let id = text(&token["id"]);
        let first = bed.vault.held(&bed.scope(), id_of(&token)).await.unwrap();
        let second = bed.vault.renew(&bed.scope(), id_of(&token), 1).await.unwrap();
        let issued = double.issue();
        let handed = about(&double, json!({"userId": "x", "accessToken": issued.access_token, "refreshToken": issued.refresh_token}));
        let mut seen = vec![
            bed.api("GET", &format!("/oauth-tokens/{id}"), None).await.text(),
            bed.api("POST", &format!("/oauth-tokens/{id}/refresh"), None).await.text(),
            bed.api("POST", "/oauth-tokens", Some(handed.clone())).await.expect(201).text(),
            bed.api("GET", "/oauth-tokens", None).await.text(),
            bed.api("POST", &format!("/oauth-tokens/{id}/reconnect"), None).await.expect(200).text(),
            bed.begin(&double, json!({})).await.to_string(),
            format!("{first:?} {second:?} {:?}", serde_json::from_value::<vault::NewOauthToken>(handed).unwrap()),
        ];
        double.stand().faults.add(Fault::new(Goes::LostAnswer).at("/token").times(1));
        let failure = bed.vault.renew(&bed.scope(), id_of(&token), 3).await.unwrap_err();
        seen.push(format!("{failure:?} {failure}"));
        seen.push(format!("{:?}", bed.told().await));
        seen.push(format!("{:?}", bed.audited().await));
        let secrets = [first.token.reveal(), second.token.reveal(), "double-secret", &issued.access_token, &issued.refresh_token.unwrap()].map(str::to_owned);
        for (n, text) in seen.iter().enumerate() {
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "place {n} shows {secret}");
            }
            assert!(!text.contains("5Aep861"), "place {n} shows a refresh token");
        }
    }

    /// A row's sealed part, copied to another tenant's row, opens nothing.
    async fn what_is_sealed_is_bound_to_tenant_and_row(bed: Bed) {
        let body = |token: &str| Some(json!({"provider": "slack", "accessToken": token}));
        let ours = bed.api("POST", "/oauth-tokens", body("xoxb-ours")).await.expect(201).json();
        let theirs = bed.as_caller(bed.stranger(), "POST", "/api/v1/oauth-tokens", body("xoxb-theirs")).await.expect(201).json();
        let sealed = async |id: String| -> Vec<u8> {
            let sql = "SELECT sealed FROM oauth_tokens WHERE id = ?1";
            bed.store.read(Scope::system("test"), move |tx| tx.query_one(sql, &[id.into()], |row| row.get(0))).await.unwrap()
        };
        let copied = sealed(text(&ours["id"])).await;
        assert!(!String::from_utf8_lossy(&copied).contains("xoxb"));
        let (id, sql) = (text(&theirs["id"]), "UPDATE oauth_tokens SET sealed = ?2 WHERE id = ?1");
        bed.store.write(Scope::system("test"), move |tx| tx.exec(sql, &[id.into(), copied.into()])).await.unwrap();
        let scope = kernel::TenantScope::system("test", bed.other);
        let error = bed.second_node().await.vault.held(&scope, id_of(&theirs)).await.unwrap_err();
        assert_eq!(error.code(), "internal");
        assert_eq!(bed.vault.held(&scope, id_of(&ours)).await.unwrap_err().code(), "not_found", "another tenant's id");
        assert_eq!(bed.vault.renew(&scope, id_of(&ours), 1).await.unwrap_err().code(), "not_found");
    }
}
