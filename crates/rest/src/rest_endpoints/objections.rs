//! What endpoints have against a changed blueprint: they work on a resource type, or ask for a scope, that is gone.

use std::collections::BTreeMap;

use blueprint::Blueprint;
use kernel::{Error, Result};
use products::Objection;
use store::Tx;

use super::endpoint::Definition;

/// Endpoints that are looked at in one go.
const BATCH: u32 = 500;

/// Resource types and scopes that endpoints of tenants name, and that `new` does not declare any more.
pub fn objections(tx: &mut Tx<'_>, old: &Blueprint, new: &Blueprint) -> Result<Vec<Objection>> {
    let lost = |definition: &Definition| {
        let resource = Some(&definition.operation.resource).filter(|name| old.resource(name).is_some() && new.resource(name).is_none());
        let scopes = definition.scopes.iter().filter(|name| old.scope(name).is_some() && new.scope(name).is_none());
        scopes.map(|name| format!("scopes[{name:?}]")).chain(resource.map(|name| format!("resources[{name:?}]"))).collect::<Vec<_>>()
    };
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let sql = "SELECT id, definition FROM rest_endpoints WHERE id > ?1 ORDER BY id LIMIT ?2";
        let rows = tx.query(sql, &[after.as_str().into(), BATCH.into()], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
        for (_, text) in &rows {
            let definition: Definition = serde_json::from_str(text).map_err(Error::internal)?;
            lost(&definition).into_iter().for_each(|place| *counts.entry(place).or_default() += 1);
        }
        match rows.last() {
            Some((id, _)) if rows.len() == BATCH as usize => after.clone_from(id),
            _ => break,
        }
    }
    let objection = |(place, count): (String, u64)| Objection {
        code: "endpoint_in_use",
        place,
        reason: format!("it is gone, and {count} of the endpoints that tenants declared need it"),
        way_out: "have them deleted first (DELETE /api/v1/rest-endpoints/{id}), or leave it in the file".to_owned(),
    };
    Ok(counts.into_iter().map(objection).collect())
}
