//! Reading: pages, records by id, records by a value, what was deleted.

use std::time::Duration;

use kernel::Timestamp;
use serde_json::Value;

use super::model::{Object, Operation};
use super::pages::{Paged, Place, items};
use super::record::{self, record, scalar};
use super::template::{Reference, Values, refused};
use super::{Manifest, form, unexpected, without};
use crate::driver::{self, bounded};
use crate::{DeletedPage, Deletion, Fault, Page, PageAsk, RemoteRecord, Session, Span};

/// How far a run looks back where the manifest says nothing: what was committed late, and clocks that differ.
const OVERLAP: u32 = 120;
/// Most records that [`crate::Connector::find`] answers.
const MOST_FOUND: usize = 10;

impl Manifest {
    pub(super) async fn tested(&self, session: &Session) -> Result<String, Fault> {
        let call = self.model.test.request.call(&self.values(session))?;
        let answer = driver::ask(session, &self.judge(), call).await?;
        let who = self.model.test.answer.answer.as_ref().and_then(|pointer| scalar(answer.json.pointer(pointer)?));
        Ok(who.map_or_else(|| self.model.about.name.clone(), |who| bounded(&who)))
    }

    pub(super) async fn read_page(&self, session: &Session, ask: PageAsk<'_>) -> Result<Page, Fault> {
        let object = self.object(ask.object)?;
        let list = object.list.as_ref().ok_or_else(|| without(object, "list"))?;
        let incremental = list.request.names(&Reference::Cursor);
        let before = match &ask.span {
            Span::Full => None,
            Span::Since(_) if !incremental => return Err(without(object, "ask for changes of")),
            Span::Since(cursor) => Some(read_cursor(cursor)?),
        };
        let back = Duration::from_secs(u64::from(list.answer.overlap_seconds.unwrap_or(OVERLAP)) + u64::from(object.form.lag_seconds));
        let values = Values {
            fields: (!ask.fields.is_empty()).then_some(ask.fields),
            cursor: before.map(|before| record::write_time(object.form.time, before.minus(back))),
            ..self.values(session)
        };
        let query = filters(list, ask.filter)?;
        let answer = &list.answer;
        let paged = Paged { request: &list.request, pages: &answer.pages, records: &answer.records, total: answer.total.as_deref() };
        let mut place = Place::read(ask.token)?;
        let sheet = place.turn(session, &self.judge(), &paged, values, query).await?;
        let mut records = Vec::with_capacity(sheet.items.len());
        for item in &sheet.items {
            let record = record(&object.form, item, ask.fields)?;
            place.watermark.saw(record.modified_at);
            records.push(record);
        }
        Ok(Page {
            records,
            next: sheet.more.then(|| place.token()),
            cursor: (incremental && !sheet.more).then(|| place.watermark.cursor(before).to_string()),
            total: answer.total.as_ref().and_then(|pointer| sheet.answer.json.pointer(pointer)?.as_u64()),
        })
    }

    pub(super) async fn read_records(
        &self,
        session: &Session,
        object: &str,
        ids: &[String],
        fields: &[String],
    ) -> Result<Vec<RemoteRecord>, Fault> {
        let object = self.object(object)?;
        let wanted = (!fields.is_empty()).then_some(fields);
        let mut found = Vec::new();
        let many = object.get_many.as_ref().filter(|many| object.get.is_none() || ids.len() >= many.answer.from.unwrap_or(2));
        if let Some(many) = many {
            for ids in ids.chunks(many.answer.max.unwrap_or(100)) {
                let values = Values { ids: Some(ids), fields: wanted, ..self.values(session) };
                let mut answer = driver::ask(session, &self.judge(), many.request.call(&values)?).await?;
                for item in items(&mut answer, &many.answer.records)? {
                    found.push(record(&object.form, &item, fields)?);
                }
            }
            return Ok(found);
        }
        let get = object.get.as_ref().ok_or_else(|| without(object, "read one of"))?;
        for id in ids {
            let values = Values { id: Some(id), fields: wanted, ..self.values(session) };
            match driver::ask(session, &self.judge(), get.request.call(&values)?).await {
                Ok(answer) => {
                    let value = answer.json.pointer(&get.answer.record);
                    let value = value.ok_or_else(|| unexpected(&format!("there is no record at {}", get.answer.record)))?;
                    found.push(record(&object.form, value, fields)?);
                }
                Err(Fault::NotFound { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    pub(super) async fn found(
        &self,
        session: &Session,
        object: &str,
        field: &str,
        value: &Value,
        fields: &[String],
    ) -> Result<Vec<RemoteRecord>, Fault> {
        let asked = with(fields, field);
        let form = self.object(object)?;
        let (search, items) = self.searched(session, form, field, value, &asked).await?;
        if search.answer.partial {
            let ids = ids(form, search, &items);
            let records = self.read_records(session, object, &ids, &asked).await?;
            return Ok(records.into_iter().filter(|record| has(record, field, value)).collect());
        }
        let mut found = Vec::new();
        for item in &items {
            let record = record(&form.form, item, &asked)?;
            if has(&record, field, value) && found.len() < MOST_FOUND {
                found.push(record);
            }
        }
        Ok(found)
    }

    /// The ids of what a search answers, whatever these records have in the field: at most 10. For connectors around a manifest.
    pub(crate) async fn found_ids(&self, session: &Session, object: &str, field: &str, value: &Value) -> Result<Vec<String>, Fault> {
        let form = self.object(object)?;
        let (search, items) = self.searched(session, form, field, value, &[]).await?;
        Ok(ids(form, search, &items))
    }

    async fn searched<'a>(
        &self,
        session: &Session,
        object: &'a Object,
        field: &str,
        value: &Value,
        fields: &[String],
    ) -> Result<(&'a Operation<form::Search>, Vec<Value>), Fault> {
        let names = |search: &&Operation<form::Search>| search.answer.fields.iter().any(|one| one == field || one == "*");
        let search = object.search.iter().find(names).ok_or_else(|| without(object, &format!("search by {field} in")))?;
        let values = Values { field: Some(field), value: Some(value), fields: Some(fields), ..self.values(session) };
        let mut answer = driver::ask(session, &self.judge(), search.request.call(&values)?).await?;
        let items = items(&mut answer, &search.answer.records)?;
        Ok((search, items))
    }

    pub(super) async fn read_deleted(
        &self,
        session: &Session,
        object: &str,
        cursor: Option<&str>,
        token: Option<&str>,
    ) -> Result<DeletedPage, Fault> {
        let object = self.object(object)?;
        let deleted = object.deleted.as_ref().ok_or_else(|| without(object, "tell what was deleted of"))?;
        let now = session.ambient.now();
        let Some(cursor) = cursor else {
            return Ok(DeletedPage { cursor: Some(now.to_string()), ..DeletedPage::default() });
        };
        let before = read_cursor(cursor)?;
        let reach = deleted.answer.reaches_days.map(|days| Duration::from_hours(24 * u64::from(days)));
        if reach.is_some_and(|reach| now.since(before) >= reach) {
            let message =
                format!("the vendor tells deletions of {} days, and the cursor is older", reach.unwrap_or_default().as_secs() / 86_400);
            return Err(Fault::Stale { message });
        }
        let back = Duration::from_secs(u64::from(deleted.answer.overlap_seconds.unwrap_or(OVERLAP)) + u64::from(object.form.lag_seconds));
        let values = Values { cursor: Some(record::write_time(object.form.time, before.minus(back))), ..self.values(session) };
        let answer = &deleted.answer;
        let paged = Paged { request: &deleted.request, pages: &answer.pages, records: &answer.records, total: None };
        let mut place = Place::read(token)?;
        let sheet = place.turn(session, &self.judge(), &paged, values, Vec::new()).await?;
        let mut deletions = Vec::with_capacity(sheet.items.len());
        for item in &sheet.items {
            let id = record::id(item.pointer(&answer.id)).ok_or_else(|| unexpected(&format!("a deletion has no id at {}", answer.id)))?;
            let at = answer.at.as_ref().and_then(|pointer| record::read_time(object.form.time, item.pointer(pointer)?));
            place.watermark.saw(at);
            let merged_into = answer.merged_into.as_ref().and_then(|pointer| record::id(item.pointer(pointer)));
            deletions.push(Deletion { id, at, merged_into });
        }
        let cursor = (!sheet.more).then(|| place.watermark.cursor(Some(before)).to_string());
        Ok(DeletedPage { deletions, next: sheet.more.then(|| place.token()), cursor })
    }
}

fn read_cursor(text: &str) -> Result<Timestamp, Fault> {
    Timestamp::parse(text).map_err(|_| Fault::Stale { message: "the cursor cannot be read".to_owned() })
}

/// What must hold, as members of the query.
fn filters(list: &Operation<form::List>, filter: Option<&Value>) -> Result<Vec<(String, String)>, Fault> {
    let Some(filter) = filter else { return Ok(Vec::new()) };
    let unsupported = |what: &str| refused("filter_unsupported", format!("the connector cannot filter by {what}"));
    let filter = filter.as_object().ok_or_else(|| unsupported("what is no object of field and value"))?;
    let one = |(name, value): (&String, &Value)| {
        let parameter = list.answer.filters.get(name).ok_or_else(|| unsupported(name))?;
        let text = scalar(value).ok_or_else(|| unsupported(&format!("{name} with a value that is no text, number or truth")))?;
        Ok((parameter.clone(), text))
    };
    filter.iter().map(one).collect()
}

fn ids(object: &Object, search: &Operation<form::Search>, items: &[Value]) -> Vec<String> {
    let pointer = search.answer.id.as_ref().unwrap_or(&object.form.id);
    items.iter().filter_map(|item| record::id(item.pointer(pointer))).take(MOST_FOUND).collect()
}

fn with(fields: &[String], field: &str) -> Vec<String> {
    let mut fields = fields.to_vec();
    if !fields.iter().any(|name| name == field) {
        fields.push(field.to_owned());
    }
    fields
}

/// Searches find more than what is meant: parts of words, other fields. A record whose answer does not carry the field is believed.
fn has(record: &RemoteRecord, field: &str, value: &Value) -> bool {
    let Some(own) = record.fields.get(field) else { return true };
    match (scalar(own), scalar(value)) {
        (Some(own), Some(value)) => own.trim().to_lowercase() == value.trim().to_lowercase(),
        _ => own == value,
    }
}

impl Object {
    /// The fields that the object's answers are asked for when nobody names any.
    pub(super) fn declared(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.name.clone()).collect()
    }
}
