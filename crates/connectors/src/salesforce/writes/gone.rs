//! What was to be changed and is gone may have been merged: where it lives on.

use super::Job;
use crate::salesforce::{ids, lookup};
use crate::{Outcome, WriteAct};

impl Job<'_> {
    /// Says of each item that is gone into which record it was merged. It is a favour: where it fails, the items are just gone.
    pub(super) async fn follow(&self, outcomes: &mut [Option<Outcome>]) {
        let gone: Vec<_> = outcomes
            .iter()
            .zip(self.writes)
            .enumerate()
            .filter_map(|(item, (outcome, write))| match (outcome, &write.act) {
                (Some(Outcome::Gone { merged_into: None }), WriteAct::Update { id }) => Some((item, ids::full(id)?)),
                _ => None,
            })
            .collect();
        let wanted: Vec<_> = gone.iter().map(|(_, id)| id.clone()).collect();
        let Ok(masters) = lookup::masters(self.session, self.settings, self.object, &wanted).await else { return };
        for (item, id) in gone {
            if let Some(master) = masters.get(&id) {
                outcomes[item] = Some(Outcome::Gone { merged_into: Some(master.clone()) });
            }
        }
    }
}
