//! What must hold when everything has come to rest.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use serde_json::Value;
use syncs::{ConflictState, LogAction, same};

use super::world::{World, text};

/// Writes of one call for each thing that happened, at most: an echo would make more and more.
const WRITES_PER_EDIT: u64 = 4;

pub(super) async fn all(world: &World) {
    no_duplicates(world).await;
    converged(world).await;
    nothing_lost(world).await;
    let writes = world.bed.carrier.writes.load(Ordering::SeqCst);
    let bound = 40 + WRITES_PER_EDIT * world.edits.len() as u64;
    assert!(writes <= bound, "seed {}: {writes} writes for {} edits", world.seed, world.edits.len());
}

async fn no_duplicates(world: &World) {
    let here: Vec<String> = world.bed.ours().await.iter().map(|(_, members)| text(&members["email"])).collect();
    let there = world.bed.crm.rows().iter().map(|(_, members)| text(&members["email"])).collect();
    for (side, emails) in [("here", here), ("there", there)] {
        let mut seen = HashSet::new();
        for email in emails {
            if !seen.insert(email.clone()) {
                panic!("seed {}: {email} is {side} twice\n{:#?}\n{:#?}", world.seed, story(world, &email).await, world.diary);
            }
        }
    }
}

async fn converged(world: &World) {
    let open = world.open().await;
    let theirs = world.bed.theirs_by_email();
    let ours = world.bed.ours().await;
    let here: HashSet<String> = ours.iter().map(|(_, members)| text(&members["email"])).collect();
    for email in theirs.keys() {
        assert!(here.contains(email), "seed {} ({}): {email} is only there\n{:#?}", world.seed, world.policy, story(world, email).await);
    }
    for (id, members) in &ours {
        let email = text(&members["email"]);
        let Some((_, there)) = theirs.get(&email) else {
            panic!("seed {} ({}): {email} is only here\n{:#?}", world.seed, world.policy, story(world, &email).await);
        };
        for field in world.fields() {
            let is_open = open.get(id).is_some_and(|fields| fields.contains(field));
            let (left, right) = (members.get(field).unwrap_or(&Value::Null), &there[field]);
            assert!(
                is_open || same(left, right),
                "seed {} ({}): {field} of {email} is {left} here and {right} there\n{:#?}",
                world.seed,
                world.policy,
                story(world, &email).await
            );
            assert!(!is_open || world.policy == "manual", "seed {}: a conflict under {}", world.seed, world.policy);
        }
    }
}

/// Every edit is what both sides have, or was overwritten where it stood, or is in a conflict, or was given up by policy and the log says so.
async fn nothing_lost(world: &World) {
    let conflicts = world.bed.conflicts().await;
    let in_conflict: HashSet<String> = conflicts
        .iter()
        .filter(|conflict| conflict.status != ConflictState::Resolved)
        .flat_map(|conflict| [text(&conflict.local_value), text(&conflict.remote_value)])
        .collect();
    let overridden = overridden(world).await;
    let ours = world.bed.ours().await;
    let ids: HashMap<String, String> = ours.iter().map(|(id, members)| (text(&members["email"]), id.to_string())).collect();
    let here = world.bed.ours_by_email().await;
    let theirs = world.bed.theirs_by_email();
    for edit in &world.edits {
        let stands =
            here.get(&edit.email).is_some_and(|members| members.get(edit.field).is_some_and(|value| *value == edit.value.as_str()))
                || theirs.get(&edit.email).is_some_and(|(_, members)| members[edit.field] == edit.value.as_str());
        let given_up = ids.get(&edit.email).is_some_and(|id| overridden.contains(&(id.clone(), edit.field.to_owned())));
        let accounted = stands
            || world.overwritten.contains(&edit.value)
            || in_conflict.contains(&edit.value)
            || world.deleted.contains(&edit.email)
            || given_up;
        assert!(
            accounted,
            "seed {} ({}): {} of {} was {} and is gone without a word\n{:#?}",
            world.seed,
            world.policy,
            edit.field,
            edit.email,
            edit.value,
            story(world, &edit.email).await
        );
    }
}

/// Records and fields in which an edit was given up by policy.
async fn overridden(world: &World) -> HashSet<(String, String)> {
    let lines = world.bed.everything_logged(world.sync).await;
    lines
        .into_iter()
        .filter(|entry| entry.action == LogAction::Overridden)
        .flat_map(|entry| {
            let id = entry.record_id.map(|id| id.to_string()).unwrap_or_default();
            entry.fields.into_iter().map(move |field| (id.clone(), field))
        })
        .collect()
}

/// What is known of a person, for whoever has to find out what happened.
async fn story(world: &World, email: &str) -> Vec<String> {
    let ours = world.bed.ours().await;
    let mut lines: Vec<String> =
        world.edits.iter().filter(|edit| edit.email == email).map(|edit| format!("{} {}", edit.field, edit.value)).collect();
    for (id, members) in ours.iter().filter(|(_, members)| members["email"] == email) {
        lines.push(format!("here {id} {members:?}"));
    }
    for (id, members) in world.bed.crm.rows().iter().filter(|(_, members)| members["email"] == email) {
        lines.push(format!("there {id} {members:?}"));
        for entry in world.bed.everything_logged(world.sync).await {
            if entry.remote_id.as_ref() == Some(id)
                || ours.iter().any(|(ours, members)| members["email"] == email && entry.record_id == Some(*ours))
            {
                lines.push(format!("{entry:?}"));
            }
        }
    }
    lines
}
