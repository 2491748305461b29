//! Members that need a scope of their own, beside what lets a caller write the record. Asked inside the change itself, by what it changes: so it
//! holds for every way to write a record, and who sends back what is there already is not refused.

use blueprint::model::Guarded;
use kernel::{Error, Permission, Result, TenantScope};
use serde_json::{Map, Value};

use crate::Task;
use crate::document::pointer;
use crate::resource_type::ResourceType;

/// What the holder of `scope` may not set. Whoever holds `records.write` may write every record whole.
pub(crate) fn barred(kind: &ResourceType, scope: &TenantScope) -> Vec<Guarded> {
    let guarded = &kind.resource().guarded;
    if guarded.is_empty() || scope.permits(Permission::RecordsWrite) {
        return Vec::new();
    }
    guarded.iter().filter(|one| !scope.holds(&one.scope)).cloned().collect()
}

impl Task {
    /// The same where these members are the endpoint's own to set: its scope is what they take.
    pub(crate) fn setting(&self, set: &Map<String, Value>) -> Self {
        let mut task = self.clone();
        task.barred.retain(|one| !set.contains_key(&one.field));
        task
    }

    /// The same for a feature that has chosen the members itself.
    pub(crate) fn unbarred(mut self) -> Self {
        self.barred.clear();
        self
    }
}

/// Refuses a change of a guarded member. `before`: nothing, for a new record, which begins with its default values.
///
/// Error: 403 `insufficient_scope`.
pub(crate) fn check(task: &Task, before: Option<&Map<String, Value>>, after: &Map<String, Value>) -> Result<()> {
    for guard in &task.barred {
        let null = Value::Null;
        let default = || task.resource_type.resource().schema["properties"][&guard.field].get("default");
        let was = before.map_or_else(default, |before| before.get(&guard.field)).unwrap_or(&null);
        let is = after.get(&guard.field).unwrap_or(&null);
        if was == is || !(guard.to.is_empty() || guard.to.contains(is)) {
            continue;
        }
        let what = if guard.to.is_empty() { guard.field.clone() } else { format!("{} to {is}", guard.field) };
        let detail = format!("Insufficient permissions. Required scope: {}, to set {what}", guard.scope);
        return Err(Error::forbidden("insufficient_scope", detail).at(pointer(&guard.field), format!("needs the scope {}", guard.scope)));
    }
    Ok(())
}
