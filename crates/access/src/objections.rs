//! What keys and clients have against a changed blueprint: they hold a scope, or have a tier, that is gone.

use blueprint::Blueprint;
use kernel::{Error, Result};
use products::Objection;
use store::{Tx, Value};

/// Scopes that somebody holds, and tiers that a client has, and that `new` does not declare any more.
pub fn objections(tx: &mut Tx<'_>, old: &Blueprint, new: &Blueprint) -> Result<Vec<Objection>> {
    let mut out = Vec::new();
    let gone: Vec<&str> = old.scopes.iter().map(|scope| scope.name.as_str()).filter(|name| new.scope(name).is_none()).collect();
    if !gone.is_empty() {
        let now = tx.now();
        let alive = "SELECT scopes, COUNT(*) FROM api_keys WHERE scopes IS NOT NULL AND status <> 'revoked' AND (expires_at IS NULL OR expires_at > ?1) \
                     GROUP BY scopes";
        let keys = holders(tx, alive, &[now.into()], &gone)?;
        let clients = holders(tx, "SELECT scopes, COUNT(*) FROM clients WHERE scopes IS NOT NULL GROUP BY scopes", &[], &gone)?;
        for ((name, keys), clients) in gone.iter().zip(keys).zip(clients).filter(|((_, keys), clients)| keys + clients > 0) {
            out.push(Objection {
                code: "scope_in_use",
                place: format!("scopes[{name:?}]"),
                reason: format!("the scope is gone, and {} and {} hold it", counted(keys, "key"), counted(clients, "client")),
                way_out:
                    "take it from them first (PATCH /api/v1/api-keys/{id} and /api/v1/api-clients/{id}), or leave the scope in the file"
                        .to_owned(),
            });
        }
    }
    for tier in old.tiers.iter().filter(|tier| new.tier(&tier.name).is_none()) {
        let sql = "SELECT COUNT(*) FROM clients WHERE rate_limit_tier = ?1";
        let clients: u64 = tx.query_one(sql, &[tier.name.as_str().into()], |row| row.get(0))?;
        if clients > 0 {
            out.push(Objection {
                code: "tier_in_use",
                place: format!("tiers[{:?}]", tier.name),
                reason: format!("the tier is gone, and {} of it", counted(clients, "client is")),
                way_out: "give them another first (PATCH /api/v1/api-clients/{id} with rateLimitTier), or leave the tier in the file"
                    .to_owned(),
            });
        }
    }
    Ok(out)
}

/// How many rows hold each of `names`. There are few different sets of scopes, however many hold them.
fn holders(tx: &mut Tx<'_>, sql: &str, params: &[Value], names: &[&str]) -> Result<Vec<u64>> {
    let sets = tx.query(sql, params, |row| Ok((row.get::<String>(0)?, row.get::<u64>(1)?)))?;
    let mut counts = vec![0; names.len()];
    for (set, rows) in sets {
        let held: Vec<String> = serde_json::from_str(&set).map_err(Error::internal)?;
        for (count, _) in counts.iter_mut().zip(names).filter(|(_, name)| held.iter().any(|one| one == *name)) {
            *count += rows;
        }
    }
    Ok(counts)
}

fn counted(count: u64, what: &str) -> String {
    match (count, what.split_once(' ')) {
        (1, _) => format!("1 {what}"),
        (_, Some((noun, _))) => format!("{count} {noun}s are"),
        (_, None) => format!("{count} {what}s"),
    }
}
