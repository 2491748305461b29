//! Disconnecting, and what goes with a tenant.

use serde_json::json;
use vendors::faults::{Fault, Kind as Goes};
use vendors::hubspot::{self, HubSpot};
use vendors::salesforce::{self, Salesforce};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{Bed, id_of, text, until};

testkit::engines! {
    /// Here it is over at once; the vendor has ended it soon after.
    async fn disconnecting_ends_the_grant_at_the_vendor(bed: Bed) {
        let double = Double::start(Salesforce::new(salesforce::Options::new())).await.unwrap();
        let token = bed.connect(&double, json!({})).await;
        let (id, path) = (id_of(&token), format!("/oauth-tokens/{}", text(&token["id"])));
        bed.vault.held(&bed.scope(), id).await.unwrap();
        bed.api("DELETE", &path, None).await.expect(204);
        assert_eq!(bed.vault.held(&bed.scope(), id).await.unwrap_err().code(), "not_found");
        for (method, path) in [("GET", path.clone()), ("DELETE", path.clone()), ("POST", format!("{path}/refresh")), ("POST", format!("{path}/reconnect"))] {
            bed.api(method, &path, None).await.problem(404, "not_found");
        }
        assert_eq!(bed.api("GET", "/oauth-tokens", None).await.expect(200).json()["data"], json!([]));
        until("the vendor has ended it", async || double.grants() == 0).await;
        let revoked = async || bed.api("GET", "/oauth-tokens?status=revoked", None).await.expect(200).json()["data"][0].clone();
        until("that is written down", async || revoked().await["revocation"] == "done").await;
        assert_eq!(bed.told_types().await, ["connected", "revoked"]);
        let audited: Vec<String> = bed.audited().await.into_iter().map(|(action, _)| action).collect();
        assert!(audited.ends_with(&["oauth_token.delete".into(), "oauth_token.revoke".into()]), "{audited:?}");
        // Nothing of it is kept but that it was.
        bed.wait(31 * 86_400);
        bed.vault.look_after().await.unwrap();
        assert_eq!(bed.api("GET", "/oauth-tokens?status=revoked", None).await.expect(200).json()["data"], json!([]));
    }

    /// A vendor that does not answer is asked again.
    async fn a_revocation_is_tried_again(bed: Bed) {
        let double = Double::start(Salesforce::new(salesforce::Options::new())).await.unwrap();
        let token = bed.connect(&double, json!({})).await;
        double.stand().faults.add(Fault::new(Goes::Html(503)).at("/revoke").times(2));
        bed.api("DELETE", &format!("/oauth-tokens/{}", text(&token["id"])), None).await.expect(204);
        let revoked = async || bed.api("GET", "/oauth-tokens?status=revoked", None).await.expect(200).json()["data"][0].clone();
        let tries = || double.stand().log.count("POST", "/revoke");
        until("it was tried", async || tries() == 1).await;
        until("that is written down", async || bed.audited().await.iter().any(|(action, _)| action == "oauth_token.revoke")).await;
        assert_eq!((revoked().await["revocation"].clone(), double.grants()), (json!("pending"), 1));
        bed.vault.look_after().await.unwrap();
        assert_eq!(tries(), 1, "not at once");
        bed.wait(61);
        bed.vault.look_after().await.unwrap();
        bed.wait(121);
        bed.vault.look_after().await.unwrap();
        assert_eq!((tries(), double.grants(), revoked().await["revocation"].clone()), (3, 0, json!("done")));
    }

    /// A token that is disconnected while it is renewed: what the vendor has just made is ended, not only what was there before.
    async fn what_is_renewed_while_it_is_disconnected_ends_too(bed: Bed) {
        let double = Double::start(Salesforce::new(salesforce::Options::new())).await.unwrap();
        let token = bed.connect(&double, json!({})).await;
        let id = id_of(&token);
        double.stand().faults.add(Fault::new(Goes::Slow(std::time::Duration::from_millis(400))).at("/token").times(1));
        double.stand().faults.add(Fault::new(Goes::Html(503)).at("/revoke").times(1));
        let (vault, scope) = (std::sync::Arc::clone(&bed.vault), bed.scope());
        let renewing = tokio::spawn(async move { vault.renew(&scope, id, 1).await });
        until("it is under way", async || double.stand().log.count("POST", "/token") == 2).await;
        bed.api("DELETE", &format!("/oauth-tokens/{id}"), None).await.expect(204);
        assert_eq!(renewing.await.unwrap().unwrap_err().code(), "not_found");
        let over = async || {
            bed.wait(61);
            bed.vault.look_after().await.unwrap();
            double.grants() == 0
        };
        until("the vendor has ended it", over).await;
    }

    async fn a_vendors_end_is_no_failure_of_ours(bed: Bed) {
        let double = Double::start(HubSpot::new(hubspot::Options::new())).await.unwrap();
        let token = bed.connect(&double, json!({})).await;
        double.withdraw();
        assert_eq!(bed.vault.renew(&bed.scope(), id_of(&token), 1).await.unwrap_err().code(), "oauth_token_reauth_required");
        // It can still be put away.
        bed.api("DELETE", &format!("/oauth-tokens/{}", text(&token["id"])), None).await.expect(204);
        assert_eq!(bed.told_types().await, ["connected", "reauth_required", "revoked"]);
    }

    async fn a_tenants_tokens_go_with_it(bed: Bed) {
        let double = Double::start(HubSpot::new(hubspot::Options::new())).await.unwrap();
        let token = bed.connect(&double, json!({})).await;
        bed.vault.held(&bed.scope(), id_of(&token)).await.unwrap();
        bed.vault.flush().await.unwrap();
        let id = kernel::IdRef::Id(bed.tenant);
        bed.access.delete_tenant(&Bed::operator(), id).await.unwrap();
        let count = |table: &'static str| {
            let sql = format!("SELECT COUNT(*) FROM {table}");
            bed.store.read(kernel::Scope::system("test"), move |tx| tx.query_one(&sql, &[], |row| row.get::<u64>(0)))
        };
        for table in ["oauth_tokens", "oauth_token_uses", "oauth_connections"] {
            assert_eq!(count(table).await.unwrap(), 0, "{table}");
        }
        assert_eq!(bed.vault.held(&bed.scope(), id_of(&token)).await.unwrap_err().code(), "not_found");
    }
}
