//! Objects below a field, for all objects that have the field at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use kernel::{Caller, Error, Kind, RecordId, Result, TenantScope};
use records::{Children, Query, Record, RecordRef};
use serde_json::Value;

use super::arguments::Arguments;
use super::collect::{Chosen, asks_for};
use super::fields::{id_of, within};
use super::lists::{asked, shown};
use super::thing::{Raw, Thing, Way};
use super::{Failed, Run};
use crate::failure::Failure;
use crate::model::reach::Act;
use crate::model::{Exposed, Field, Form, ResourceAt, Source};

impl Run<'_> {
    /// What `field` leads to, for each of `things` in their order.
    pub(super) async fn resolve(&self, field: &Field, one: &Chosen<'_>, arguments: &Arguments, things: &[(Thing, Way)]) -> Vec<Raw> {
        self.found(field, one, arguments, things).await.unwrap_or_else(|error| {
            let failure = Failure::of(&error);
            let each = things.iter().map(|(_, way)| {
                let Failed = self.fail(failure.clone(), one, &way.key(one.key));
                Raw::Failed
            });
            each.collect()
        })
    }

    async fn found(&self, field: &Field, one: &Chosen<'_>, arguments: &Arguments, things: &[(Thing, Way)]) -> Result<Vec<Raw>> {
        let source = &field.source;
        let is_asked = matches!(
            source,
            Source::Parent(..)
                | Source::Children(..)
                | Source::Get(_)
                | Source::Single(_)
                | Source::List(..)
                | Source::Create(_)
                | Source::Update(_)
                | Source::Delete(_)
        );
        if !is_asked {
            return Ok(things.iter().map(|(thing, _)| at_hand(source, thing)).collect());
        }
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        if Instant::now() > self.until {
            let detail =
                "The operation took too long before it came to this. Ask for less at once: fewer fields at its root, fewer counts.";
            return Err(Error::invalid("query_too_slow", detail));
        }
        match source {
            Source::Parent(at, member) => self.parents(*at, member, things).await,
            Source::Children(at, member, form) => self.children((*at, member, *form), field, one, arguments, things).await,
            _ => self.at_root(field, one, arguments).await.map(|raw| vec![raw]),
        }
    }

    /// A field of a root.
    async fn at_root(&self, field: &Field, one: &Chosen<'_>, arguments: &Arguments) -> Result<Raw> {
        let model = self.ready.model;
        match &field.source {
            Source::Get(at) => self.get(&model.resources[*at], arguments).await,
            Source::Single(at) => self.single(&model.resources[*at]).await,
            Source::List(at, form) => self.list(&model.resources[*at], *form, field, one, arguments).await,
            Source::Create(at) => self.create(&model.resources[*at], field, one, arguments).await,
            Source::Update(at) => self.update(&model.resources[*at], field, one, arguments).await,
            Source::Delete(at) => self.delete(&model.resources[*at], one, arguments).await,
            _ => Err(Error::internal("a field of a root that is none")),
        }
    }

    /// Authority to see records of a resource type.
    pub(super) fn read(&self, exposed: &Exposed) -> Result<TenantScope> {
        allow(exposed, self.caller, Act::Read)
    }

    /// One record; null if there is none, whoever else may have it.
    async fn get(&self, exposed: &Exposed, arguments: &Arguments) -> Result<Raw> {
        let scope = self.read(exposed)?;
        let id = arguments.get("id").and_then(Value::as_str).unwrap_or_default();
        let Ok(reference) = id.parse::<RecordRef>() else { return Ok(Raw::Null) };
        match self.sources.records.get(&scope, exposed.kind.name(), reference).await {
            Ok(record) => Ok(Raw::One(Thing::Record(Arc::new(record)))),
            Err(error) if error.kind() == Kind::NotFound => Ok(Raw::Null),
            Err(error) => Err(error),
        }
    }

    /// The records that a member names, all of them at once.
    async fn parents(&self, at: ResourceAt, member: &str, things: &[(Thing, Way)]) -> Result<Vec<Raw>> {
        let exposed = &self.ready.model.resources[at];
        let scope = self.read(exposed)?;
        let path: Vec<String> = member.split('.').map(str::to_owned).collect();
        let named: Vec<Option<RecordRef>> = things.iter().map(|(thing, _)| reference(thing, &path)).collect();
        let mut ids: Vec<RecordId> = Vec::new();
        let mut others: Vec<RecordRef> = Vec::new();
        for reference in named.iter().flatten() {
            match reference {
                RecordRef::Id(id) if !ids.contains(id) => ids.push(*id),
                RecordRef::Id(_) => {}
                other if !others.contains(other) => others.push(other.clone()),
                _ => {}
            }
        }
        let records = &self.sources.records;
        let mut found: HashMap<String, Arc<Record>> = HashMap::new();
        if !ids.is_empty() {
            let many = records.get_many(&scope, exposed.kind.name(), ids).await?;
            found.extend(many.into_iter().map(|(id, record)| (id.to_string(), Arc::new(record))));
        }
        for other in others {
            match records.get(&scope, exposed.kind.name(), other.clone()).await {
                Ok(record) => drop(found.insert(key(&other), Arc::new(record))),
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let one = |reference: &Option<RecordRef>| reference.as_ref().and_then(|one| found.get(&key(one)).cloned());
        Ok(named.iter().map(|reference| one(reference).map(Thing::Record).into()).collect())
    }

    /// The records that name these by a member, all of them at once.
    async fn children(
        &self,
        (at, member, form): (ResourceAt, &str, Form),
        field: &Field,
        one: &Chosen<'_>,
        arguments: &Arguments,
        things: &[(Thing, Way)],
    ) -> Result<Vec<Raw>> {
        let exposed = &self.ready.model.resources[at];
        let scope = self.read(exposed)?;
        let name = format!("graphql/{}/{member}", exposed.kind.name());
        let asked = asked(self.ready.model, exposed, field, &name, arguments)?;
        let keys: Vec<Option<String>> = things.iter().map(|(thing, _)| own_id(thing)).collect();
        let mut parents: Vec<String> = keys.iter().flatten().cloned().collect();
        parents.sort_unstable();
        parents.dedup();
        let children = Children { member: member.to_owned(), parents };
        let records = &self.sources.records;
        let mut found = records.children(&scope, exposed.kind.name(), children, asked.query.clone()).await?;
        if form == Form::Connection && asks_for(self.ready, &one.sets, "totalCount") {
            self.count(&scope, exposed, member, &asked.query, &mut found).await?;
        }
        // Two objects of one id share what was found.
        Ok(keys
            .iter()
            .map(|key| match key.as_ref().and_then(|key| found.get(key)) {
                Some(edges) => shown(form, asked.part(edges.clone())),
                None => Raw::Null,
            })
            .collect())
    }

    /// Counts all children of those parents whose children were not all read.
    async fn count(
        &self,
        scope: &TenantScope,
        exposed: &Exposed,
        member: &str,
        query: &Query,
        found: &mut HashMap<String, records::Edges>,
    ) -> Result<()> {
        for (parent, edges) in found {
            if !edges.has_more && query.page.cursor.is_none() {
                edges.total = Some(edges.edges.len() as u64);
                continue;
            }
            let of_parent = records::Filter::eq(member, records::Operand::Text(parent.clone()));
            let mut query = query.clone().and(of_parent);
            (query.total, query.page.cursor, query.page.limit) = (true, None, 1);
            edges.total = self.sources.records.edges(scope, exposed.kind.name(), query).await?.total;
        }
        Ok(())
    }
}

/// Authority to do something to records of a resource type, whatever it may write.
fn allow(exposed: &Exposed, caller: &Caller, act: Act) -> Result<TenantScope> {
    exposed.reach.allow(&exposed.kind, caller, act).map(|granted| granted.scope)
}

/// What a field of something that was read leads to.
fn at_hand(source: &Source, thing: &Thing) -> Raw {
    match (source, thing) {
        (Source::Member(path), Thing::Record(record)) => {
            let first = path.split_first().and_then(|(first, rest)| within(record.document.get(first)?, rest));
            inside(first)
        }
        (Source::Member(path), Thing::Inside(value)) => inside(within(value, path)),
        (Source::Edges, Thing::Listed(listed)) => {
            Raw::Many((0..listed.edges.len()).map(|at| Raw::One(Thing::Edge(Arc::clone(listed), at))).collect())
        }
        (Source::Nodes, Thing::Listed(listed)) => {
            Raw::Many(listed.edges.iter().map(|(record, _)| Raw::One(Thing::Record(Arc::clone(record)))).collect())
        }
        (Source::PageInfo, Thing::Listed(listed)) => Raw::One(Thing::Page(Arc::clone(listed))),
        (Source::Node, Thing::Edge(listed, at)) => listed.edges.get(*at).map(|(record, _)| Thing::Record(Arc::clone(record))).into(),
        (Source::Events, Thing::Happened(event)) => Raw::One(Thing::Event(Arc::clone(event))),
        _ => Raw::Null,
    }
}

/// Objects inside of a document.
fn inside(value: Option<&Value>) -> Raw {
    match value {
        None | Some(Value::Null) => Raw::Null,
        Some(Value::Array(items)) => Raw::Many(items.iter().map(|item| inside(Some(item))).collect()),
        Some(value) => Raw::One(Thing::Inside(Arc::new(value.clone()))),
    }
}

/// The record that a member of a thing names.
fn reference(thing: &Thing, path: &[String]) -> Option<RecordRef> {
    let value = match thing {
        Thing::Record(record) => path.split_first().and_then(|(first, rest)| within(record.document.get(first)?, rest)),
        Thing::Inside(value) => within(value, path),
        _ => None,
    }?;
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().map(RecordRef::Number),
        _ => None,
    }
}

fn key(reference: &RecordRef) -> String {
    match reference {
        RecordRef::Id(id) => id.to_string(),
        RecordRef::Number(number) => number.to_string(),
        RecordRef::External(external) => format!("ext:{external}"),
    }
}

/// By what children name a thing.
fn own_id(thing: &Thing) -> Option<String> {
    match thing {
        Thing::Record(record) => Some(id_of(record)),
        _ => None,
    }
}
