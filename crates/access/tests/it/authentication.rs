//! The check of credentials: refusals, caching, and what another process changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use access::keys::token;
use access::{Access, service_keys};
use kernel::{IdRef, PermissionSet};

use crate::bed::{Bed, blueprint};

testkit::engines! {
    async fn bad_credentials_look_the_same(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let (good, revoked) = (bed.key(&tenant, client).await, bed.key(&tenant, client).await);
        bed.access.revoke_key(&bed.acting(&tenant), None, revoked.info.id).await.unwrap();
        let foreign = bed.key(&tenant, client).await.key;
        // The id of one key with the secret of another, and a right checksum.
        let mixed = format!("{}_{}", good.info.key_id, &foreign[foreign.len() - 49..foreign.len() - 6]);
        let mixed = with_checksum(&mixed);
        assert!(token::parse(&mixed).is_ok());
        let unknown = with_checksum(&format!("ins_live_{}_{}", "a".repeat(12), "b".repeat(43)));
        let unknown_service = with_checksum(&format!("tws_live_{}_{}", "a".repeat(12), "b".repeat(43)));
        let as_service = with_checksum(&good.key[..good.key.len() - 6].replace("ins_", "tws_"));
        let typo = format!("{}x", &good.key[..good.key.len() - 1]);
        let long = "x".repeat(100_000);
        bed.admitted(&good.key).await.unwrap();
        for bad in [mixed.as_str(), &unknown, &unknown_service, &as_service, &typo, &long, "", "Bearer", "ins_live__", "💥", &revoked.key] {
            for _ in 0..2 {
                let error = bed.admitted(bad).await.unwrap_err();
                assert_eq!((error.code(), error.detail()), ("invalid_credential", "Invalid API key or access token"), "{bad:.40}");
            }
        }
        assert!(bed.access.try_authenticate_cached(&unknown, None).is_none(), "an unknown id is not cached");
        bed.admitted(&good.key).await.unwrap();
    }

    async fn a_revocation_beats_every_reader(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        for _ in 0..15 {
            let made = Arc::new(bed.key(&tenant, client).await);
            let stop = Arc::new(AtomicBool::new(false));
            let readers: Vec<_> = (0..4)
                .map(|_| {
                    let (access, made, stop) = (Arc::clone(&bed.access), Arc::clone(&made), Arc::clone(&stop));
                    tokio::spawn(async move {
                        let mut admitted = 0u64;
                        while !stop.load(Ordering::SeqCst) {
                            admitted += u64::from(access.authenticate(&made.key, None).await.is_ok());
                            tokio::task::yield_now().await;
                        }
                        admitted
                    })
                })
                .collect();
            bed.access.revoke_key(&bed.acting(&tenant), None, made.info.id).await.unwrap();
            for _ in 0..20 {
                assert_eq!(bed.refused(&made.key).await, "invalid_credential", "after the revocation was answered");
            }
            stop.store(true, Ordering::SeqCst);
            for reader in readers {
                reader.await.unwrap();
            }
            assert_eq!(bed.refused(&made.key).await, "invalid_credential");
        }
    }

    async fn what_another_process_changes_is_seen(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let made = bed.key(&tenant, client).await;
        let service = service_keys::create(&bed.store, service_keys::NewServiceKey::default()).await.unwrap();
        bed.admitted(&made.key).await.unwrap();
        bed.admitted(service.key.reveal()).await.unwrap();

        let elsewhere = bed.other_process().await;
        let other = Access::new(elsewhere.clone(), bed.ambient.clone(), Arc::new(blueprint()), Vec::new()).await.unwrap();
        other.authenticate(&made.key, None).await.unwrap();
        // This process's LISTEN may not stand yet when the first notice is sent, so both are revoked until they are refused here.
        let (caller, service_id) = (bed.acting(&tenant), service.info.id.to_string());
        testkit::wait::until("the revocations to arrive", Duration::from_secs(10), || async {
            service_keys::revoke(&elsewhere, &service_id).await.unwrap();
            other.revoke_key(&caller, Some(IdRef::Id(client)), made.info.id).await.unwrap();
            let refused = bed.admitted(&made.key).await.is_err() && bed.admitted(service.key.reveal()).await.is_err();
            refused.then_some(())
        })
        .await;
    }

    async fn a_principal_becomes_the_caller(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, Some(&["self:manage"])).await.client.id;
        let made = bed.key(&tenant, client).await;
        let caller = bed.admitted(&made.key).await.unwrap().caller();
        assert_eq!((caller.tenant(), caller.client()), (Some(tenant.id), Some(client)));
        assert_eq!(caller.scopes(), ["self:manage"]);
        assert!(caller.permissions() != PermissionSet::all() && caller.is_bound_by_scopes());
        bed.access.get_client(&caller, IdRef::Id(client)).await.unwrap();
    }
}

/// `body` with its right checksum, found by the same arithmetic as api.md's.
pub(crate) fn with_checksum(body: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = !body.bytes().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    let mut sum = [b'0'; 6];
    for slot in sum.iter_mut().rev() {
        *slot = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{body}{}", std::str::from_utf8(&sum).unwrap())
}
