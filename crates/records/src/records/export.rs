//! All records that match, some at a time.

use std::sync::Arc;

use kernel::{Result, TenantScope};
use store::Store;

use super::Record;
use super::list::{Order, Place, Plan, rows};
use crate::Records;
use crate::query::Query;
use crate::resource_type::ResourceType;

/// Records that are read at a time: with the largest documents still a bounded number of bytes.
const STEP: usize = 100;

/// A reading of all records that match. What is not asked for is not read.
pub struct Export {
    store: Store,
    scope: TenantScope,
    plan: Arc<Plan>,
    after: Option<Place>,
    is_over: bool,
}

impl Records {
    /// Begins to read all records that match, oldest first unless an order is asked for; the part that `query` names does not matter. Records
    /// that come and go meanwhile may be in it or not; every other one is, once.
    ///
    /// Errors: 404 for an unknown resource type, 422 for a bad query.
    pub fn export(&self, scope: &TenantScope, resource: &str, query: &Query) -> Result<Export> {
        let kind = self.resource_type(resource)?;
        let mut plan = Plan::new(kind, scope.tenant(), query)?;
        if query.sort.is_none() {
            plan.order = Order { field: None, descending: false };
        }
        Ok(Export { store: self.store.clone(), scope: scope.clone(), plan: Arc::new(plan), after: None, is_over: false })
    }
}

impl Export {
    /// The next records; none: those were all.
    pub async fn next(&mut self) -> Result<Vec<Record>> {
        if self.is_over {
            return Ok(Vec::new());
        }
        let (plan, after) = (Arc::clone(&self.plan), self.after.clone());
        let found = self.store.read(self.scope.clone(), move |tx| rows(tx, &plan, after.as_ref(), 0, STEP)).await?;
        self.is_over = found.len() < STEP;
        let value = |value: &String| self.plan.order.field.is_some().then(|| value.clone());
        self.after = found.last().map(|(record, last)| Place { value: value(last), created: record.created_at.millis(), id: record.id });
        Ok(found.into_iter().map(|(record, _)| record).collect())
    }

    /// What is read.
    pub fn resource_type(&self) -> &Arc<ResourceType> {
        &self.plan.kind
    }
}
