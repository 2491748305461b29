//! Lists for front doors that follow relations: a cursor with each row, and the children of many records at once.

use std::collections::HashMap;

use kernel::{Cursor, Error, RecordId, Result, TenantScope};

use super::plan::Plan;
use super::{children, place_of, read};
use crate::query::{Filter, Operand, Query};
use crate::records::Record;
use crate::resource_type::ResourceType;
use crate::{Records, fields};

/// A record in a list, with its place there.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The record.
    pub record: Record,
    /// Its place: as `page.cursor` of the same query, the list goes on after it. [`Cursor::encode`] makes a text of it.
    pub cursor: Cursor,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edges {
    /// The rows.
    pub edges: Vec<Edge>,
    /// Whether there are more after them.
    pub has_more: bool,
    /// How many match in all, if that was asked for.
    pub total: Option<u64>,
}

/// The children of many records: which member names the parent, and by which values.
#[derive(Clone, Debug)]
pub struct Children {
    /// A declared filter of the children's resource type: `companyId`.
    pub member: String,
    /// The parents' values of it; at most 1,000 are read.
    pub parents: Vec<String>,
}

/// Most parents of one call.
const MOST_PARENTS: usize = 1000;

impl Records {
    /// [`Records::list`] with a cursor for each row.
    pub async fn edges(&self, scope: &TenantScope, resource: &str, query: Query) -> Result<Edges> {
        let is_sorted = self.is_sorted(resource, &query)?;
        let (page, found, total) = self.find(scope, resource, query).await?;
        Ok(Edges { total, ..edges(found, page.limit as usize, is_sorted) })
    }

    /// The first rows of `query` for each of many parents, read in one go: no thread is waited for between them. A parent without children has
    /// an empty entry.
    ///
    /// Errors: as for [`Records::list`].
    pub async fn children(&self, scope: &TenantScope, resource: &str, children: Children, query: Query) -> Result<HashMap<String, Edges>> {
        let kind = self.resource_type(resource)?;
        let (limit, is_sorted) = (query.page.limit as usize, self.is_sorted(resource, &query)?);
        let whole = Plan::new(kind, scope.tenant(), &query)?;
        if children::fits(&whole) {
            return self.first_children(scope, kind, whole, children, query).await;
        }
        let mut plans = Vec::new();
        for parent in children.parents.into_iter().take(MOST_PARENTS) {
            let of_parent = Filter::eq(children.member.clone(), Operand::Text(parent.clone()));
            let query = Query { filter: of_parent.and(query.filter.clone()), ..query.clone() };
            plans.push((parent, Plan::new(kind, scope.tenant(), &query)?));
        }
        let page = query.page;
        self.store
            .read(scope, move |tx| {
                let mut out = HashMap::with_capacity(plans.len());
                for (parent, plan) in plans {
                    out.insert(parent, edges(read::page(tx, &plan, &page, limit + 1)?, limit, is_sorted));
                }
                Ok(out)
            })
            .await
    }

    /// The same in one statement for many parents.
    async fn first_children(
        &self,
        scope: &TenantScope,
        kind: &ResourceType,
        plan: Plan,
        wanted: Children,
        query: Query,
    ) -> Result<HashMap<String, Edges>> {
        let Children { member, parents } = wanted;
        if !kind.resource().filters.contains(&member) {
            return Err(Error::field("/filter", format!("{member} is not a filter of this list")));
        }
        let forms = |parent: String| {
            let forms = fields::forms(kind, &member, &Operand::Text(parent.clone()));
            forms.into_iter().map(move |form| (parent.clone(), form))
        };
        let parents: Vec<String> = parents.into_iter().take(MOST_PARENTS).collect();
        let mut out: HashMap<String, Edges> = parents.iter().map(|parent| (parent.clone(), Edges::default())).collect();
        let named: Vec<children::Named> = parents.into_iter().flat_map(forms).collect();
        let page = query.page;
        let limit = page.limit as usize;
        let found = self.store.read(scope, move |tx| children::first(tx, &plan, &member, &named, &page, limit + 1)).await?;
        out.extend(found.into_iter().map(|(parent, rows)| (parent, edges(rows, limit, false))));
        Ok(out)
    }

    /// The records with these ids, in any order; what is not there, or not this tenant's, is left out. At most 1,000 are read.
    ///
    /// Error: 404 for an unknown resource type.
    pub async fn get_many(&self, scope: &TenantScope, resource: &str, ids: Vec<RecordId>) -> Result<HashMap<RecordId, Record>> {
        let (tenant, name) = (scope.tenant(), self.resource_type(resource)?.name().to_owned());
        self.store.read(scope, move |tx| super::super::sql::find_many(tx, tenant, &name, &ids)).await
    }
}

fn edges(mut found: Vec<super::Found>, limit: usize, is_sorted: bool) -> Edges {
    let has_more = found.len() > limit;
    found.truncate(limit);
    let edge = |(record, value): super::Found| Edge { cursor: place_of(&record, &value, is_sorted), record };
    Edges { edges: found.into_iter().map(edge).collect(), has_more, total: None }
}
