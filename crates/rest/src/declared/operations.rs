//! One handler for each operation on records. Authority first, as a value; then the operation of `records`; then the endpoint's answer.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use kernel::{Caller, Error, TenantScope};
use records::{Act, Filter, NewRecord, Operand, RecordRef, Records, Sent, Sort};
use serde_json::{Map, Value};
use web::{Auth, Json, Result};

use super::reply::Found;
use super::{Asked, Route};
use crate::conditions::tagged;
use crate::document::Document;

/// The parent that the path names: the member that holds its id, and the id.
type Below = Option<(String, Value)>;

impl Route {
    fn authority(&self, caller: &Caller) -> kernel::Result<TenantScope> {
        let scope = caller.allow_scope(&self.endpoint.scope)?;
        // Strangers come as the system: who opened the door has no scopes to lend them.
        Ok(if self.endpoint.public { scope.holding_nothing() } else { scope })
    }

    /// The parent that the path's first name names. Error: 404, also for another tenant's.
    async fn below(&self, scope: &TenantScope, asked: &Asked) -> kernel::Result<Below> {
        let Some((member, kind)) = &self.parent else { return Ok(None) };
        let reference = asked.name(0).parse().map_err(|_| Error::not_found(kind.name()))?;
        let parent = self.records.get(scope, kind.name(), reference).await?;
        Ok(Some((member.clone(), kind.id_value(&parent))))
    }

    /// The record that the path names, after its parent if it names one. What cannot name a record names none: 404.
    fn named(&self, asked: &Asked) -> kernel::Result<RecordRef> {
        if self.kind.resource().singleton {
            return Ok(Records::only_ref());
        }
        let at = usize::from(self.parent.is_some());
        asked.name(at).parse().map_err(|_| Error::not_found(self.name()))
    }

    /// Members that the endpoint sets by itself.
    fn set(&self, below: Below) -> Map<String, Value> {
        let now = || Value::String(self.records.now().to_string());
        let constants = self.endpoint.set.iter().map(|(name, value)| (name.clone(), if value == "{now}" { now() } else { value.clone() }));
        constants.chain(below).collect()
    }

    fn reply(&self, found: Found, asked: &Asked) -> Result<Response> {
        self.reply.send(found, asked, self.records.now())
    }
}

type Shared = State<Arc<Route>>;

pub(super) async fn list(State(route): Shared, Auth(caller): Auth, asked: Asked) -> Result<Response> {
    let scope = route.authority(&caller)?;
    let below = route.below(&scope, &asked).await?;
    let mut query = route.list_query(&asked.query)?;
    if let Some((member, id)) = below {
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        query = query.and(Filter::eq(member, Operand::Text(id)));
    }
    if query.sort.is_none()
        && let Some((field, descending)) = &route.endpoint.order
    {
        query.sort = Some(Sort { field: field.clone(), descending: *descending });
    }
    let fields = query.fields.clone();
    let page = route.records.list(&scope, route.name(), query).await?;
    route.reply(Found::Page(page.map(|record| Value::Object(route.kind.wire_of(&record, fields.as_deref())))), &asked)
}

pub(super) async fn get(State(route): Shared, Auth(caller): Auth, asked: Asked) -> Result<Response> {
    let scope = route.authority(&caller)?;
    let record = if route.kind.resource().singleton {
        route.records.only(&scope, route.name()).await?
    } else {
        let below = route.below(&scope, &asked).await?;
        let record = route.records.get(&scope, route.name(), route.named(&asked)?).await?;
        if below.is_some_and(|(member, id)| record.document.get(&member) != Some(&id)) {
            return Err(Error::not_found(route.name()).into());
        }
        record
    };
    let found = match &route.endpoint.member {
        Some(member) => record.document.get(member).cloned().unwrap_or(Value::Null),
        None => route.wire(&record),
    };
    let response = route.reply(Found::One(found), &asked)?;
    Ok(asked.conditions.answer(&record, response)?)
}

pub(super) async fn create(State(route): Shared, Auth(caller): Auth, asked: Asked, Document(document): Document) -> Result<Response> {
    let scope = route.authority(&caller)?;
    let below = route.below(&scope, &asked).await?;
    let (set, mut document) = (route.set(below.clone()), document);
    if let Some((member, id)) = below
        && let Some(sent) = document.shift_remove(&member)
        && sent != id
    {
        return Err(Error::field(format!("/{member}"), "is not the one that the path names").into());
    }
    let (writable, emits) = (route.endpoint.writable.clone(), route.endpoint.emits.clone());
    let record = route.records.create(&scope, route.name(), NewRecord { document, external_id: None, writable, set, emits }).await?;
    let response = route.reply(Found::New(route.location(&record, &asked), route.wire(&record)), &asked)?;
    Ok(tagged(&record, response))
}

pub(super) async fn update(State(route): Shared, Auth(caller): Auth, asked: Asked, Document(patch): Document) -> Result<Response> {
    let scope = route.authority(&caller)?;
    let below = route.below(&scope, &asked).await?;
    change(&route, scope, below, &asked, Sent::Patch(patch)).await
}

/// An update that sets members by itself, or tells of an act: it may have nothing to be told.
pub(super) async fn act(State(route): Shared, Auth(caller): Auth, asked: Asked, body: Option<Document>) -> Result<Response> {
    let scope = route.authority(&caller)?;
    let below = route.below(&scope, &asked).await?;
    let patch = body.map_or_else(Map::new, |Document(patch)| patch);
    change(&route, scope, below, &asked, Sent::Patch(patch)).await
}

pub(super) async fn replace(State(route): Shared, Auth(caller): Auth, asked: Asked, Document(document): Document) -> Result<Response> {
    let scope = route.authority(&caller)?;
    let below = route.below(&scope, &asked).await?;
    change(&route, scope, below, &asked, Sent::Whole(document)).await
}

pub(super) async fn replace_member(State(route): Shared, Auth(caller): Auth, asked: Asked, Json(value): Json<Value>) -> Result<Response> {
    let scope = route.authority(&caller)?;
    let below = route.below(&scope, &asked).await?;
    let member = route.endpoint.member.clone().unwrap_or_default();
    change(&route, scope, below, &asked, Sent::Member(member, value)).await
}

async fn change(route: &Route, scope: TenantScope, below: Below, asked: &Asked, sent: Sent) -> Result<Response> {
    let act = Act { sent, writable: route.endpoint.writable.clone(), set: route.set(None), emits: route.endpoint.emits.clone(), below };
    let records = route.records.expecting(asked.conditions.expected()?);
    let record = records.act(&scope, route.name(), route.named(asked)?, act).await?;
    Ok(tagged(&record, route.reply(Found::One(route.wire(&record)), asked)?))
}

pub(super) async fn delete(State(route): Shared, Auth(caller): Auth, asked: Asked) -> Result<Response> {
    let scope = route.authority(&caller)?;
    let reference = route.named(&asked)?;
    let records = route.records.expecting(asked.conditions.expected()?);
    match route.below(&scope, &asked).await? {
        Some(parent) => records.delete_below(&scope, route.name(), reference, parent).await?,
        None => records.delete(&scope, route.name(), reference).await?,
    }
    route.reply(Found::Nothing, &asked)
}
