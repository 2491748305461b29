//! Renewing: in advance, after a 401, when answers are lost, when the vendor is down, when a server dies, on two servers.

use std::sync::Arc;
use std::time::Duration;

use kernel::Kind;
use serde_json::json;
use vendors::faults::{Fault, Kind as Goes};
use vendors::hubspot::{self, HubSpot};
use vendors::salesforce::{self, Salesforce};
use vendors::stand::{Double, Vendor};
use vendors::zoho::{self, Zoho};

use crate::bed::{Bed, agree, id_of, path_of, text};
use crate::connecting::called;

async fn hubspot(bed: &Bed) -> Double<HubSpot> {
    Double::start(HubSpot::new(hubspot::Options { ambient: bed.ambient.clone(), ..hubspot::Options::new() })).await.unwrap()
}

async fn salesforce(bed: &Bed) -> Double<Salesforce> {
    Double::start(Salesforce::new(salesforce::Options { ambient: bed.ambient.clone(), ..salesforce::Options::new() })).await.unwrap()
}

/// Requests to the token endpoint.
fn asked<V: Vendor>(double: &Double<V>) -> usize {
    double.stand().log.entries().iter().filter(|entry| entry.method == "POST" && entry.target.ends_with("/token")).count()
}

testkit::engines! {
    /// HubSpot's tokens live for half an hour: a call that comes five minutes before the end gets a new one.
    async fn a_token_is_renewed_before_it_ends(bed: Bed) {
        let double = hubspot(&bed).await;
        let id = id_of(&bed.connect(&double, json!({})).await);
        bed.wait(24 * 60);
        let held = bed.vault.held(&bed.scope(), id).await.unwrap();
        assert_eq!((held.generation, asked(&double)), (1, 1));
        bed.wait(2 * 60);
        let held = bed.vault.held(&bed.scope(), id).await.unwrap();
        assert_eq!((held.generation, asked(&double), called(&held, "/crm/v3/objects/contacts").await), (2, 2, 200));
        assert_eq!(bed.vault.held(&bed.scope(), id).await.unwrap().generation, 2);
    }

    /// After a 401 there is one renewal, however many ask, on however many servers; who asks late gets what is there.
    async fn one_renewal_answers_everybody(bed: Bed) {
        let double = salesforce(&bed).await;
        let id = id_of(&bed.connect(&double, json!({})).await);
        let second = bed.second_node().await;
        let scope = bed.scope();
        assert_eq!(second.vault.held(&scope, id).await.unwrap().generation, 1);
        double.expire_tokens();
        let vaults = [&bed.vault, &second.vault];
        let all = futures_util::future::join_all((0..16).map(|n| vaults[n % 2].renew(&scope, id, 1))).await;
        let generations: Vec<u64> = all.into_iter().map(|held| held.unwrap().generation).collect();
        assert_eq!((generations, asked(&double)), (vec![2; 16], 2));
        for vault in vaults {
            assert_eq!(called(&vault.held(&scope, id).await.unwrap(), "/services/data/v62.0/limits").await, 200);
            assert_eq!(vault.renew(&scope, id, 1).await.unwrap().generation, 2);
        }
        assert_eq!((asked(&double), double.grants()), (2, 1));
    }

    /// The vendor has rotated and its answer is lost. Where tokens do not rotate the second try brings them.
    async fn a_lost_answer_is_asked_for_again(bed: Bed) {
        let double = hubspot(&bed).await;
        let id = id_of(&bed.connect(&double, json!({})).await);
        double.stand().faults.add(Fault::lost_refresh().times(1));
        assert_eq!(bed.vault.renew(&bed.scope(), id, 1).await.unwrap().generation, 2);
        assert!(double.stand().faults.is_spent());
        assert_eq!((asked(&double), bed.told_types().await), (3, vec!["connected".to_owned()]));
        // A request that never arrived is the same to us.
        let lost = Fault { body: Some("refresh_token".to_owned()), ..Fault::new(Goes::LostRequest).at("/token") };
        double.stand().faults.add(lost.times(2));
        assert_eq!(bed.vault.renew(&bed.scope(), id, 2).await.unwrap().generation, 3);
    }

    /// Where a rotated token must not be shown again the grant is over, and that is said at once, with a link that mends it.
    async fn a_grant_that_is_over_is_connected_again(bed: Bed) {
        let double = salesforce(&bed).await;
        let token = bed.connect(&double, json!({"userId": "ada"})).await;
        let id = id_of(&token);
        double.stand().faults.add(Fault::lost_refresh().times(1));
        let error = bed.vault.renew(&bed.scope(), id, 1).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("oauth_token_reauth_required", Kind::Conflict));
        assert_eq!(bed.vault.held(&bed.scope(), id).await.unwrap_err().code(), "oauth_token_reauth_required");
        assert_eq!(asked(&double), 3, "a grant that is over is not asked about again");
        let shown = bed.token(&id.to_string()).await;
        assert_eq!((&shown["status"], &shown["reason"]), (&json!("reauth_required"), &json!("invalid_grant: expired access/refresh token (400)")));
        let (name, data) = bed.told().await.pop().unwrap();
        assert_eq!((name.as_str(), &data["userId"], &data["account"]), ("oauth_token.reauth_required", &json!("ada"), &token["account"]));
        // The link of the event: whoever opens it is sent to the vendor, and comes back in the same browser.
        let link = text(&data["reconnectUrl"]);
        let reply = bed.browse(&path_of(&link), None).await.expect(303);
        let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        let back = path_of(&agree(&double, reply.header("location")));
        bed.browse(&back, None).await.expect(403);
        bed.browse(&back, Some(&cookie)).await.expect(200);
        let held = bed.vault.held(&bed.scope(), id).await.unwrap();
        assert_eq!((held.generation, called(&held, "/services/data/v62.0/limits").await), (2, 200));
        assert_eq!(bed.token(&id.to_string()).await["status"], "active");
        assert_eq!(bed.told_types().await, ["connected", "reauth_required", "connected"]);
        // Other links open nothing, and this one not for ever.
        for bad in [format!("/oauth/reconnect/x{}", link.rsplit('/').next().unwrap()), "/oauth/reconnect/AAAA".to_owned(), "/oauth/reconnect/%00".to_owned()] {
            bed.browse(&bad, None).await.expect(404);
        }
        bed.wait(7 * 86_400);
        bed.browse(&path_of(&link), None).await.expect(404);
    }

    /// A vendor that is down ends no grant: what is still good is used, then it is tried again, not too often.
    async fn a_vendor_that_is_down_degrades_and_recovers(bed: Bed) {
        let double = hubspot(&bed).await;
        let id = id_of(&bed.connect(&double, json!({})).await);
        double.stand().faults.add(Fault::new(Goes::Html(503)).at("/token"));
        bed.wait(26 * 60);
        let held = bed.vault.held(&bed.scope(), id).await.unwrap();
        assert_eq!(held.generation, 1, "it is good for four minutes yet");
        let shown = bed.token(&id.to_string()).await;
        assert_eq!((&shown["status"], asked(&double)), (&json!("degraded"), 4));
        bed.vault.held(&bed.scope(), id).await.unwrap();
        assert_eq!(asked(&double), 4, "not again so soon");
        bed.wait(5 * 60);
        let error = bed.vault.held(&bed.scope(), id).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("oauth_token_unavailable", Kind::Unavailable));
        let error = bed.vault.held(&bed.scope(), id).await.unwrap_err();
        assert!(error.wait().is_some_and(|wait| wait <= Duration::from_secs(10)), "{error:?}");
        assert_eq!(asked(&double), 7);
        double.stand().faults.clear();
        // The keeper tries by itself when it is due.
        bed.wait(11);
        assert_eq!(bed.vault.look_after().await.unwrap(), 1);
        assert_eq!(bed.token(&id.to_string()).await["status"], "active");
        assert_eq!(bed.vault.held(&bed.scope(), id).await.unwrap().generation, 2);
        assert_eq!(bed.told_types().await, ["connected", "degraded", "recovered"]);
    }

    /// An app that is not taken is the operator's business: no person can mend it, and no grant is over.
    async fn a_wrong_secret_ends_no_grant(bed: Bed) {
        let double = hubspot(&bed).await;
        let id = id_of(&bed.connect(&double, json!({})).await);
        double.with_grants(&mut |grants| grants.apps[0].client_secret = "another".into());
        assert_eq!(bed.vault.renew(&bed.scope(), id, 1).await.unwrap_err().code(), "oauth_token_unavailable");
        let shown = bed.token(&id.to_string()).await;
        assert_eq!(shown["status"], "degraded");
        assert!(text(&shown["reason"]).starts_with("invalid_client"), "{shown}");
        double.with_grants(&mut |grants| grants.apps[0].client_secret = "double-secret".into());
        bed.api("POST", &format!("/oauth-tokens/{id}/refresh"), None).await.expect(200);
        assert_eq!(bed.token(&id.to_string()).await["status"], "active");
    }

    /// A server claims a renewal and dies. Its claim ends, and another goes on; nothing is lost, since nothing was shown twice.
    async fn a_claim_ends_with_its_time(bed: Bed) {
        let double = salesforce(&bed).await;
        let id = id_of(&bed.connect(&double, json!({})).await);
        let (tenant, until) = (bed.tenant, bed.ambient.now());
        let until = until.plus(Duration::from_secs(60));
        let sql = "UPDATE oauth_tokens SET claim_epoch = claim_epoch + 1, claim_until = ?3 WHERE tenant_id = ?1 AND id = ?2";
        let claimed = bed.store.write(bed.scope(), move |tx| tx.exec(sql, &[tenant.into(), id.into(), until.into()])).await.unwrap();
        assert_eq!(claimed, 1);
        let (vault, scope) = (Arc::clone(&bed.vault), bed.scope());
        let waiting = tokio::spawn(async move { vault.renew(&scope, id, 1).await });
        // It waits for the dead one as long as the claim holds.
        tokio::time::timeout(Duration::from_millis(700), async { while !waiting.is_finished() { tokio::task::yield_now().await } }).await.unwrap_err();
        assert_eq!(asked(&double), 1);
        bed.wait(61);
        assert_eq!(waiting.await.unwrap().unwrap().generation, 2);
        assert_eq!((asked(&double), double.grants()), (2, 1));
    }

    /// Whoever asked may go away: the exchange is finished, and its tokens are stored.
    async fn impatience_costs_no_tokens(bed: Bed) {
        let double = salesforce(&bed).await;
        let id = id_of(&bed.connect(&double, json!({})).await);
        double.stand().faults.add(Fault::new(Goes::Slow(Duration::from_millis(300))).at("/token").times(1));
        let gone = tokio::time::timeout(Duration::from_millis(20), bed.vault.renew(&bed.scope(), id, 1)).await;
        assert!(gone.is_err());
        assert_eq!(bed.vault.renew(&bed.scope(), id, 1).await.unwrap().generation, 2);
        assert_eq!((asked(&double), double.grants()), (2, 1));
    }

    /// Zoho gives ten access tokens in ten minutes for a refresh token; the eleventh is not asked for.
    async fn the_vendors_budget_is_kept(bed: Bed) {
        let double = Double::start(Zoho::new(zoho::Options { ambient: bed.ambient.clone(), ..zoho::Options::new() })).await.unwrap();
        let id = id_of(&bed.connect(&double, json!({})).await);
        let second = bed.second_node().await;
        for generation in 1..10 {
            let vault = if generation % 2 == 0 { &bed.vault } else { &second.vault };
            assert_eq!(vault.renew(&bed.scope(), id, generation).await.unwrap().generation, generation + 1);
        }
        for vault in [&bed.vault, &second.vault] {
            let error = vault.renew(&bed.scope(), id, 10).await.unwrap_err();
            assert_eq!((error.code(), error.wait()), ("oauth_token_unavailable", Some(Duration::from_secs(600))));
            assert_eq!(vault.held(&bed.scope(), id).await.unwrap().generation, 10, "what there is is good");
        }
        assert_eq!((asked(&double), bed.told_types().await), (10, vec!["connected".to_owned()]));
        bed.wait(600);
        assert_eq!(bed.vault.renew(&bed.scope(), id, 10).await.unwrap().generation, 11);
    }

    /// A grant that nobody uses is used before the vendor forgets it, by one of the servers.
    async fn idle_grants_are_kept_alive(bed: Bed) {
        let double = salesforce(&bed).await;
        let id = id_of(&bed.connect(&double, json!({})).await);
        let second = bed.second_node().await;
        for _ in 0..20 {
            bed.wait(5 * 86_400);
            bed.vault.look_after().await.unwrap();
            second.vault.look_after().await.unwrap();
        }
        // A hundred days, every ten.
        assert_eq!((asked(&double), double.grants()), (11, 1));
        assert_eq!(called(&bed.vault.held(&bed.scope(), id).await.unwrap(), "/services/data/v62.0/limits").await, 200);
        let held = Double::start(HubSpot::new(hubspot::Options { ambient: bed.ambient.clone(), ..hubspot::Options::new() })).await.unwrap();
        bed.connect(&held, json!({})).await;
        bed.wait(200 * 86_400);
        bed.vault.look_after().await.unwrap();
        assert_eq!(asked(&held), 1, "HubSpot does not forget");
    }
}
