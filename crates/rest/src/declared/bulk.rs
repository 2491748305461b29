//! Declared endpoints on many records at once: batch, export and import.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use blueprint::Blueprint;
use blueprint::model::Operation;
use kernel::{Caller, Error, TenantScope};
use records::{Filter, Operand, Touch};
use serde_json::Value;
use web::{Auth, Result};

use super::{Asked, Members, Route};
use crate::bulk::{self, Batch, Import, Once};
use crate::document::Document;

/// An endpoint on many records.
pub(super) struct Bulk {
    pub(super) route: Arc<Route>,
    /// The scope of the product's own endpoint that deletes one of them: an item that deletes needs it too.
    delete_scope: Option<String>,
}

impl Bulk {
    pub(super) fn of(blueprint: &Blueprint, route: Arc<Route>) -> Arc<Self> {
        let deletes = |one: &&blueprint::model::Endpoint| one.operation == Operation::Delete && one.resource == route.endpoint.resource;
        let delete_scope = blueprint.endpoints.iter().find(deletes).map(|one| one.scope.clone());
        Arc::new(Self { route, delete_scope })
    }

    /// The endpoint's own scope was checked before.
    fn allows(&self, caller: &Caller, touch: Touch) -> kernel::Result<()> {
        match (&self.delete_scope, touch) {
            (Some(scope), Touch::Delete) => caller.allow_scope(scope).map(drop),
            (None, Touch::Delete) => self.route.kind.authority(caller, Touch::Delete).map(drop),
            _ => Ok(()),
        }
    }

    /// The parent that the path names, as a member of its children.
    async fn below(&self, scope: &TenantScope, asked: &Asked) -> kernel::Result<Option<(String, Value)>> {
        let Some((member, kind)) = &self.route.parent else { return Ok(None) };
        let reference = asked.name(0).parse().map_err(|_| Error::not_found(kind.name()))?;
        let parent = self.route.records.get(scope, kind.name(), reference).await?;
        Ok(Some((member.clone(), kind.id_value(&parent))))
    }
}

pub(super) async fn batch(State(bulk): State<Arc<Bulk>>, Auth(caller): Auth, asked: Asked, Document(body): Document) -> Result<Response> {
    let route = &bulk.route;
    let scope = caller.allow_scope(&route.endpoint.scope)?;
    let set: Members = bulk.below(&scope, &asked).await?.into_iter().collect();
    let is_below = !set.is_empty();
    let allows = |touch, sent: &Members| {
        bulk.allows(&caller, touch)?;
        route.kind.check_sent(&caller, sent)
    };
    let writable = route.endpoint.writable.clone();
    let batch = Batch { records: &route.records, kind: &route.kind, allows: &allows, writable, set, creates_only: is_below };
    Ok(batch.run(&scope, body, route.reply.wrap).await?)
}

pub(super) async fn export(State(bulk): State<Arc<Bulk>>, Auth(caller): Auth, asked: Asked) -> Result<Response> {
    let route = &bulk.route;
    let scope = caller.allow_scope(&route.endpoint.scope)?;
    let below = bulk.below(&scope, &asked).await?;
    let text = |id: Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let also = below.map_or_else(Filter::default, |(member, id)| Filter::eq(member, Operand::Text(text(id))));
    Ok(bulk::export(&route.records, &scope, &route.kind, &asked.query, also)?)
}

pub(super) async fn import(State(bulk): State<Arc<Bulk>>, Auth(caller): Auth, asked: Asked, request: Request) -> Result<Response> {
    let route = &bulk.route;
    let scope = caller.allow_scope(&route.endpoint.scope)?;
    let set: Members = bulk.below(&scope, &asked).await?.into_iter().collect();
    let allows = |sent: &Members| {
        route.kind.check_sent(&caller, sent)?;
        route.kind.check_writable(sent, route.endpoint.writable.as_deref())
    };
    let (head, body) = request.into_parts();
    let once = Once::of(&head)?;
    let theirs = route.kind.set_by_operator(&caller);
    let import = Import { records: &route.records, kind: &route.kind, allows: &allows, theirs, set, once };
    Ok(import.run(&scope, &head.headers, body).await?)
}
