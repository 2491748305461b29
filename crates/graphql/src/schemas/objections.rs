//! What tenants' own schemas have against a changed blueprint: they name types and members that are gone, or that another kind of value has.

use std::collections::HashMap;
use std::sync::Arc;

use blueprint::Blueprint;
use kernel::Result;
use products::Objection;
use records::ResourceType;
use store::Tx;

use super::{sdl, sql};

/// Schemas that are looked at in one go.
const BATCH: u32 = 100;

/// Schemas of tenants that could be served with `old` and cannot with `new`.
pub fn objections(tx: &mut Tx<'_>, old: &Blueprint, new: &Blueprint) -> Result<Vec<Objection>> {
    let (before, after) = (kinds(old)?, kinds(new)?);
    let faults = |blueprint: &Blueprint, kinds: &Kinds, type_defs: &str| {
        let kind = |name: &str| kinds.get(name).cloned();
        sdl::compile(type_defs, &sdl::World { blueprint, kind: &kind }).err()
    };
    let (mut count, mut first) = (0_u64, None);
    let mut last = String::new();
    loop {
        let rows = sql::some_after(tx, &last, BATCH)?;
        for (tenant, type_defs) in rows.iter().filter(|(_, type_defs)| !type_defs.is_empty()) {
            let Some(fault) = faults(new, &after, type_defs) else { continue };
            // What could not be served before either is no fault of the change.
            if faults(old, &before, type_defs).is_none() {
                count += 1;
                first.get_or_insert_with(|| format!("{tenant}, {}", fault.into_iter().next().unwrap_or_default()));
            }
        }
        match rows.last() {
            Some((tenant, _)) if rows.len() == BATCH as usize => last.clone_from(tenant),
            _ => break,
        }
    }
    let objection = |first: String| Objection {
        code: "graphql_schema_in_use",
        place: "resources".to_owned(),
        reason: format!("{count} of the GraphQL schemas that tenants set for themselves cannot be served with it (the first: {first})"),
        way_out: "have them set anew first (PUT /api/v1/graphql-schema), or leave what they name in the file".to_owned(),
    };
    Ok(first.map(objection).into_iter().collect())
}

type Kinds = HashMap<String, Arc<ResourceType>>;

fn kinds(blueprint: &Blueprint) -> Result<Kinds> {
    let compile = |resource: &blueprint::model::Resource| {
        Ok((resource.name.clone(), Arc::new(ResourceType::compile(resource, blueprint.style.naming)?)))
    };
    blueprint.resources.iter().map(compile).collect()
}
