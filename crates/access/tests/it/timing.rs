//! What an answer's time tells: nothing about which ids exist, and nothing about which of two secrets was wrong.
//!
//! The kinds of bad credentials are tried in turns, so that whatever else the machine does weighs on all of them, and their medians are compared.
//! The small size finds a kind that is answered in another way (from memory, without the hash, by another statement: several times the
//! difference allowed); `cargo xtask prove timing` is strict.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use access::keys::{CreateKey, token};
use kernel::IdRef;
use testkit::{Engine, engine};
use web::Patch;

use crate::authentication::with_checksum;
use crate::bed::Bed;

/// Rounds, and by how much the medians may differ.
#[allow(clippy::disallowed_methods, reason = "the size of the proof comes from whoever starts it")]
fn size() -> (usize, f64) {
    if std::env::var_os("TRADEWIND_FULL").is_some() { (20_000, 1.03) } else { (300, 1.6) }
}

/// The key with another secret, and a right checksum.
fn with_wrong_secret(key: &str) -> String {
    let body = &key[..key.len() - token::CHECKSUM_LEN];
    let last = if body.ends_with('A') { 'B' } else { 'A' };
    with_checksum(&format!("{}{last}", &body[..body.len() - 1]))
}

#[allow(clippy::disallowed_methods, reason = "measures time")]
async fn measure(bed: &Bed) {
    let tenant = bed.tenant("Acme").await;
    let client = bed.client(&tenant, None).await.client.id;
    let dual = bed.client(&tenant, None).await.client.id;
    let on = access::clients::UpdateClient { dual_auth: Patch::Value(true), ..Default::default() };
    bed.access.update_client(&bed.acting(&tenant), IdRef::Id(dual), on).await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..60 {
        keys.push(bed.key_with(&tenant, client, CreateKey::default()).await.unwrap());
    }
    let two = bed.key(&tenant, dual).await;
    let secret = two.secret.as_deref();
    // Some known to the cache, some not; ids that nobody has lie among those that somebody has.
    for key in &keys[..20] {
        bed.admitted(&key.key).await.unwrap();
    }
    bed.access.authenticate(&two.key, secret).await.unwrap();
    let kinds: [(&str, String, Option<&str>); 5] = [
        ("an id that nobody has", with_checksum(&format!("ins_live_{}_{}", "a".repeat(12), "b".repeat(43))), secret),
        ("a wrong secret of a cached key", with_wrong_secret(&keys[0].key), secret),
        ("a wrong secret of a key that is not cached", with_wrong_secret(&keys[40].key), secret),
        ("a wrong key with the right second secret", with_wrong_secret(&two.key), secret),
        ("a right key with a wrong second secret", two.key.clone(), Some(&two.key)),
    ];
    let (rounds, most) = size();
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for round in 0..rounds {
        for at in 0..kinds.len() {
            // Another order in every round: none is always the one after a certain other.
            let (name, bearer, second) = &kinds[(at * (1 + round % 4) + round) % kinds.len()];
            let begun = Instant::now();
            let outcome = bed.access.authenticate(bearer, *second).await;
            let took = begun.elapsed();
            assert_eq!(outcome.unwrap_err().code(), "invalid_credential", "{name}");
            times.entry(name).or_default().push(took);
        }
    }
    let medians: Vec<(&str, Duration)> = times
        .iter_mut()
        .map(|(name, all)| {
            all.sort_unstable();
            (*name, all[all.len() / 2])
        })
        .collect();
    let (low, high) = (medians.iter().map(|one| one.1).min().unwrap(), medians.iter().map(|one| one.1).max().unwrap());
    let ratio = high.as_secs_f64() / low.as_secs_f64();
    assert!(ratio <= most, "the medians differ by {ratio:.3}: {medians:?}");
}

#[test]
fn prove_timing() {
    engine::run(Engine::sqlite(), async |bed: Bed| measure(&bed).await);
}

#[test]
fn prove_timing_on_postgres() {
    engine::run(Engine::postgres(), async |bed: Bed| measure(&bed).await);
}
