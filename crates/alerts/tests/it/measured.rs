//! Rules over what is counted by hour, and over what ends.

use std::sync::Arc;
use std::time::Duration;

use access::clients::ClientInput;
use access::keys::CreateKey;
use alerts::{AlertRuleInput, Rule, Severity, Status};
use dispatch::destinations::{self, NewDestination};
use dispatch::{Policy, signing_keys};
use kernel::{DestinationId, NodeId, TenantId, Timestamp};
use serde_json::json;
use usage::RequestRow;

use crate::bed::{Bed, system};

const DAY: Duration = Duration::from_hours(24);

/// So many calls of a tenant, now.
async fn call(bed: &Bed, tenant: TenantId, times: u64) {
    for _ in 0..times {
        let mut row = RequestRow::new(bed.ambient.id(), bed.ambient.now(), "GET", Arc::from("/api/v1/leads"));
        row.tenant = Some(tenant);
        bed.usage.record(row);
    }
    bed.usage.flush().await;
}

/// Attempts of a destination in the hour of now.
async fn attempts(bed: &Bed, destination: DestinationId, made: u64, succeeded: u64) {
    let (tenant, now, node): (TenantId, Timestamp, NodeId) = (bed.tenant, bed.ambient.now(), bed.ambient.id());
    let hour = now.millis().div_euclid(3_600_000) * 3_600_000;
    let buckets: String = (0..24).map(|bucket| format!(", h{bucket:02}")).collect();
    let sql = format!(
        "INSERT INTO attempt_rollups (tenant_id, destination_id, hour, node, attempts, succeeded, duration_ms, slowest_ms, last_success_at, \
         last_failure_at{buckets}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0{})",
        ", 0".repeat(24)
    );
    bed.store
        .logs()
        .write(system(), move |tx| {
            tx.exec(&sql, &[tenant.into(), destination.into(), hour.into(), node.into(), made.into(), succeeded.into()])
        })
        .await
        .unwrap();
}

/// That ends on this day.
fn certificate(year: i32, month: u8, day: u8) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["tradewind.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, month, day);
    params.self_signed(&key).unwrap().pem()
}

async fn mtls_destination(bed: &Bed, id: DestinationId, certificate: String) {
    let (tenant, client) = (bed.tenant, bed.ambient.id());
    let config = json!({"url": "https://partner.example/", "auth": {"type": "mtls", "certificate": certificate, "privateKey": "-"}});
    let new = NewDestination { id, tenant, client, channel: "http".into(), config, policy: Policy::default() };
    bed.store.write(system(), move |tx| destinations::create(tx, new)).await.unwrap();
}

testkit::engines! {
    /// Three times the calls of the same hour of past days, and at least five hundred: it lasts over the hour, and closes after it.
    async fn more_calls_than_usual(bed: Bed) {
        for _ in 0..7 {
            call(&bed, bed.tenant, 100).await;
            call(&bed, bed.stranger, 200).await;
            assert_eq!(bed.looked().await, (0, 0, 0));
            bed.clock.advance(DAY);
        }
        call(&bed, bed.tenant, 499).await;
        call(&bed, bed.stranger, 500).await;
        assert_eq!(bed.looked().await, (0, 0, 0), "too few in all, and not three times as many");
        call(&bed, bed.tenant, 1).await;
        assert_eq!(bed.looked().await, (1, 0, 0));
        let alert = bed.only().await;
        assert_eq!((alert.rule, alert.subject.as_str(), alert.value), (Rule::UnusualVolume, "more_calls", 5.0));
        assert_eq!(alert.summary, "500 calls in this hour, where the past 7 days had 100 on average");
        // The next hour begins; what was is the hour before.
        bed.minutes(60);
        assert_eq!(bed.looked().await, (0, 0, 0));
        assert_eq!(bed.only().await.status, Status::Open);
        bed.minutes(60);
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.looked().await, (0, 0, 1));
        assert!(bed.alerts_of(Some(bed.stranger)).await.is_empty());
    }

    /// An hour that is over, with a third of the usual calls or fewer; also with none.
    async fn fewer_calls_than_usual(bed: Bed) {
        for _ in 0..4 {
            call(&bed, bed.tenant, 600).await;
            call(&bed, bed.stranger, 600).await;
            bed.clock.advance(DAY);
        }
        call(&bed, bed.stranger, 250).await;
        assert_eq!(bed.looked().await, (0, 0, 0), "the hour has just begun");
        bed.minutes(60);
        assert_eq!(bed.looked().await, (1, 0, 0));
        let alert = bed.only().await;
        assert_eq!((alert.subject.as_str(), alert.value), ("fewer_calls", 600.0));
        assert_eq!(alert.summary, "0 calls in the hour before this one, where the past 4 days had 600 on average");
        bed.minutes(60);
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.looked().await, (0, 0, 1));
    }

    /// A tenant of two days has no usual.
    async fn a_new_tenant_has_no_usual(bed: Bed) {
        bed.clock.advance(DAY * 2);
        call(&bed, bed.tenant, 1000).await;
        assert_eq!(bed.looked().await, (0, 0, 0));
        bed.clock.advance(DAY);
        call(&bed, bed.tenant, 3500).await;
        assert_eq!(bed.looked().await, (1, 0, 0));
    }

    /// Nine of ten must arrive, of at least twenty; it closes when well more do, or nothing is sent any more.
    async fn a_webhook_that_fails_often(bed: Bed) {
        let (good, bad, rare): (DestinationId, DestinationId, DestinationId) = (bed.ambient.id(), bed.ambient.id(), bed.ambient.id());
        attempts(&bed, good, 100, 95).await;
        attempts(&bed, bad, 40, 37).await;
        attempts(&bed, rare, 19, 0).await;
        assert_eq!(bed.looked().await, (0, 0, 0));
        attempts(&bed, bad, 10, 2).await;
        assert_eq!(bed.looked().await, (1, 0, 0));
        let alert = bed.only().await;
        assert_eq!((alert.rule, alert.subject, alert.value, alert.severity), (Rule::WebhookSuccessRate, bad.to_string(), 78.0, Severity::Warning));
        attempts(&bed, bad, 100, 0).await;
        assert_eq!(bed.looked().await, (0, 1, 0));
        assert_eq!(bed.only().await.severity, Severity::Critical);
        bed.minutes(60);
        attempts(&bed, bad, 850, 850).await;
        bed.look().await;
        bed.minutes(12);
        assert_eq!(bed.looked().await, (0, 0, 0), "889 of 1000 are bad");
        attempts(&bed, bad, 1000, 1000).await;
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.looked().await, (0, 0, 1));
    }

    /// A key that ends in a fortnight; told again as its end comes near; over when it is extended.
    async fn a_key_that_ends(bed: Bed) {
        let client: ClientInput = serde_json::from_value(json!({"name": "CRM"})).unwrap();
        let client = bed.access.create_client(&bed.caller(), client).await.unwrap();
        let client = serde_json::to_value(&client).unwrap()["id"].clone();
        let make = async |name: &str, days: u64| {
            let ends = bed.ambient.now().plus(DAY * u32::try_from(days).unwrap());
            let input: CreateKey = serde_json::from_value(json!({"clientId": client, "name": name, "expiresAt": ends})).unwrap();
            bed.access.create_key(&bed.caller(), input).await.unwrap().info.id
        };
        let key = make("Sync", 20).await;
        make("Passing", 1).await;
        assert_eq!(bed.looked().await, (0, 0, 0), "later, or made for a day");
        bed.clock.advance(DAY * 6);
        assert_eq!(bed.looked().await, (1, 0, 0));
        let alert = bed.only().await;
        assert_eq!((alert.rule, alert.subject.as_str(), alert.value, alert.severity), (Rule::Expiry, key.to_string().as_str(), 14.0, Severity::Warning));
        assert!(alert.summary.starts_with(&format!("API key {key} (Sync) ends at 2026-03-21T")), "{}", alert.summary);
        bed.minutes(1);
        assert_eq!(bed.looked().await, (0, 0, 0));
        assert_eq!(bed.only().await, alert);
        bed.clock.advance(DAY);
        assert_eq!(bed.looked().await, (0, 1, 0), "a day later, once");
        bed.clock.advance(DAY * 11);
        bed.look().await;
        assert_eq!(bed.only().await.severity, Severity::Critical);
        bed.access.revoke_key(&bed.caller(), None, key).await.unwrap();
        assert_eq!(bed.looked().await, (0, 0, 1));
        assert_eq!(bed.only().await.closed_reason.as_deref(), Some("recovered"));
    }

    async fn certificates_and_signing_keys_that_end(bed: Bed) {
        let (soon, later): (DestinationId, DestinationId) = (bed.ambient.id(), bed.ambient.id());
        mtls_destination(&bed, soon, certificate(2026, 3, 11)).await;
        mtls_destination(&bed, later, certificate(2026, 6, 9)).await;
        let (tenant, until) = (bed.tenant, bed.ambient.now().plus(DAY * 3));
        let kid = bed
            .store
            .write(kernel::TenantScope::system("test", tenant), move |tx| {
                signing_keys::ensure(tx, tenant)?;
                let kid = signing_keys::list(tx, tenant)?.remove(0).kid;
                signing_keys::rotate(tx, tenant, until)?;
                Ok(kid)
            })
            .await
            .unwrap();
        assert_eq!(bed.looked().await, (2, 0, 0));
        let mut subjects: Vec<String> = bed.alerts_of(Some(tenant)).await.into_iter().map(|alert| alert.subject).collect();
        subjects.sort();
        assert_eq!(subjects, [format!("certificate:{soon}"), format!("signing_key:{kid}")]);
        // A new certificate ends the alert; the signing key ends, and is over a day later.
        let config = json!({"url": "https://partner.example/", "auth":
            {"type": "mtls", "certificate": certificate(2027, 3, 1), "privateKey": "-"}});
        let change = destinations::DestinationUpdate { config: Some(config), policy: None };
        bed.store.write(system(), move |tx| destinations::update(tx, tenant, soon, change)).await.unwrap();
        assert_eq!(bed.looked().await, (0, 0, 1));
        bed.clock.advance(DAY * 3 + Duration::from_hours(1));
        bed.look().await;
        let open: Vec<String> = bed.alerts_of(Some(tenant)).await.into_iter().filter(|a| a.status == Status::Open).map(|a| a.summary).collect();
        assert!(open.len() == 1 && open[0].contains(" ended at "), "{open:?}");
        bed.clock.advance(DAY);
        assert_eq!(bed.looked().await, (0, 0, 1));
    }

    /// A tenant that wants to know ninety days ahead does.
    async fn how_early_is_the_tenants_to_say(bed: Bed) {
        let id = bed.ambient.id();
        mtls_destination(&bed, id, certificate(2026, 4, 30)).await;
        assert_eq!(bed.looked().await, (0, 0, 0));
        let set = AlertRuleInput { threshold: Some(90.0), ..AlertRuleInput::default() };
        bed.alerts.set_rule(&bed.caller(), "expiry", set).await.unwrap();
        assert_eq!(bed.looked().await, (1, 0, 0));
    }
}
