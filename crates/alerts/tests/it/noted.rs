//! Rules over what the gate and others note: from the real places.

use std::sync::Arc;

use access::clients::ClientInput;
use access::keys::{CreateKey, KeyWithToken, UpdateKey};
use alerts::{Rule, Severity, Status};
use kernel::{Caller, Timestamp};
use serde_json::json;
use signals::Kind;
use usage::RequestRow;

use crate::bed::Bed;

async fn key(bed: &Bed) -> KeyWithToken {
    let client: ClientInput = serde_json::from_value(json!({"name": "CRM"})).unwrap();
    let client = bed.access.create_client(&bed.caller(), client).await.unwrap();
    let client = serde_json::to_value(&client).unwrap()["id"].as_str().unwrap().to_owned();
    let input: CreateKey = serde_json::from_value(json!({"clientId": client, "name": "Sync"})).unwrap();
    bed.access.create_key(&bed.caller(), input).await.unwrap()
}

fn refused(bed: &Bed, status: u16, ip: &str) -> RequestRow {
    let mut row = RequestRow::new(bed.ambient.id(), bed.ambient.now(), "GET", Arc::from("/api/v1/leads"));
    (row.status, row.ip, row.error_code) = (status, Some(ip.parse().unwrap()), Some("invalid_credential"));
    row
}

/// The id of one key with the secret of another, and a right checksum: CRC-32 in base62, six characters.
fn mixed(id_of: &str, secret_of: &str) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (head, _) = id_of.rsplit_once('_').unwrap();
    let (_, secret) = secret_of.rsplit_once('_').unwrap();
    let body = format!("{head}_{}", &secret[..secret.len() - 6]);
    let mut crc = u32::MAX;
    for byte in body.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut rest = !crc;
    let mut tail = [0u8; 6];
    for digit in tail.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    body + std::str::from_utf8(&tail).unwrap()
}

testkit::engines! {
    /// A wrong secret of a key that somebody has is its tenant's matter, one of a key that nobody has is the operator's; a right one is nobody's.
    async fn wrong_secrets_are_counted_for_the_key(bed: Bed) {
        let made = key(&bed).await;
        let token = made.key.clone();
        let other = key(&bed).await.key;
        // The other key's secret with this key's id: the checksum is computed anew.
        let forged = mixed(&token, &other);
        for _ in 0..20 {
            assert!(bed.access.authenticate(&token, None).await.is_ok());
            assert_eq!(bed.access.authenticate(&forged, None).await.unwrap_err().code(), "invalid_credential");
        }
        bed.signals.flush().await.unwrap();
        assert_eq!(bed.looked().await, (1, 0, 0));
        let alert = bed.only().await;
        assert_eq!((alert.subject, alert.value), (made.info.id.to_string(), 20.0));
    }

    /// A key that is switched off, and still used.
    async fn a_disabled_key_that_is_still_used_is_noticed(bed: Bed) {
        let made = key(&bed).await;
        let off: UpdateKey = serde_json::from_value(json!({"enabled": false})).unwrap();
        bed.access.update_key(&bed.caller(), made.info.id, off).await.unwrap();
        for _ in 0..20 {
            assert!(bed.access.authenticate(&made.key, None).await.is_err());
        }
        bed.signals.flush().await.unwrap();
        bed.look().await;
        assert!(bed.only().await.summary.ends_with(": the key is disabled"), "{}", bed.only().await.summary);
    }

    /// From one address, or one network of version 6: the operator's alert, not a tenant's.
    async fn an_address_that_fails_often_is_the_operators_matter(bed: Bed) {
        for n in 0..120 {
            bed.usage.record(refused(&bed, 401, "203.0.113.7"));
            bed.usage.record(refused(&bed, 401, &format!("2001:db8::{n:x}")));
            // Others that fail now and then.
            bed.usage.record(refused(&bed, 401, &format!("198.51.100.{n}")));
            bed.usage.record(refused(&bed, 404, "192.0.2.1"));
        }
        bed.signals.flush().await.unwrap();
        assert_eq!(bed.looked().await, (2, 0, 0));
        assert!(bed.alerts_of(Some(bed.tenant)).await.is_empty());
        let all = bed.alerts_of(None).await;
        let mut subjects: Vec<&str> = all.iter().map(|alert| alert.subject.as_str()).collect();
        subjects.sort_unstable();
        assert_eq!(subjects, ["2001:db8::/64", "203.0.113.7"]);
        assert!(all.iter().all(|alert| alert.rule == Rule::BruteForce && alert.tenant_id.is_none()));
        bed.minutes(11);
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.looked().await, (0, 0, 2));
    }

    async fn refusals_by_limits_are_counted_for_the_key(bed: Bed) {
        let made = key(&bed).await;
        for n in 0..600 {
            let mut row = refused(&bed, 429, "203.0.113.7");
            (row.tenant, row.key, row.error_code) = (Some(bed.tenant), Some(made.info.id), Some("rate_limited"));
            bed.usage.record(row);
            if n == 99 {
                bed.signals.flush().await.unwrap();
                assert_eq!(bed.looked().await, (1, 0, 0));
                assert_eq!(bed.only().await.severity, Severity::Warning);
            }
        }
        bed.signals.flush().await.unwrap();
        assert_eq!(bed.looked().await, (0, 1, 0), "five times the threshold is critical");
        let alert = bed.only().await;
        assert_eq!((alert.rule, alert.severity, alert.value), (Rule::RateLimitBreaches, Severity::Critical, 600.0));
        bed.minutes(11);
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.looked().await, (0, 0, 1));
    }

    /// What a feature reports in its own transaction.
    async fn errors_of_an_integration_open_and_close(bed: Bed) {
        let tenant = bed.tenant;
        let report = |count| {
            bed.store.write(kernel::TenantScope::system("test", tenant), move |tx| {
                signals::report(tx, Kind::IntegrationError, Some(tenant), "src_1", count, "signature_mismatch")
            })
        };
        report(9).await.unwrap();
        assert_eq!(bed.looked().await, (0, 0, 0));
        report(1).await.unwrap();
        assert_eq!(bed.looked().await, (1, 0, 0));
        assert_eq!(bed.only().await.summary, "10 errors in 10 minutes at src_1: signature_mismatch");
        bed.minutes(11);
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.looked().await, (0, 0, 1));
        assert_eq!(bed.only().await.status, Status::Closed);
    }

    /// Signals of a day ago are let go of.
    async fn old_signals_go(bed: Bed) {
        bed.fail("key_1", 3).await;
        bed.minutes(24 * 60 + 2);
        bed.look().await;
        let left = bed
            .store
            .read(crate::bed::system(), |tx| signals::totals(tx, Kind::FailedKey, Timestamp::from_millis(0), 1, 10))
            .await
            .unwrap();
        assert!(left.is_empty());
        let caller = Caller::system("test", Some(bed.stranger));
        assert!(bed.alerts.list(&caller, alerts::AlertFilter::default(), kernel::PageRequest::default()).await.unwrap().data.is_empty());
    }
}
