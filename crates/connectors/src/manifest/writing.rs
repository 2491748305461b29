//! Writing, one request an item, and webhooks that are set up at the vendor.

use serde_json::{Map, Value};

use super::errors::{DUPLICATE, is};
use super::form;
use super::model::{Object, Operation};
use super::record::{self, record, sent};
use super::template::Values;
use super::{Manifest, unexpected, without};
use crate::driver::{self, Answer};
use crate::{Fault, Outcome, RemoteRecord, Session, WebhookPlan, Write, WriteAct};

impl Manifest {
    pub(super) async fn written(&self, session: &Session, object: &str, writes: &[Write]) -> Result<Vec<Outcome>, Fault> {
        let object = self.object(object)?;
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            let outcome = self.one(session, object, write).await;
            match outcome {
                // It concerns all that is still to come; what was done before is done.
                Outcome::Failed(fault) if concerns_all(&fault) => {
                    if outcomes.is_empty() {
                        return Err(fault);
                    }
                    outcomes.resize(writes.len(), Outcome::Failed(fault));
                    return Ok(outcomes);
                }
                outcome => outcomes.push(outcome),
            }
        }
        Ok(outcomes)
    }

    async fn one(&self, session: &Session, object: &Object, write: &Write) -> Outcome {
        let judge = self.judge();
        let done = match &write.act {
            WriteAct::Create { unique } => self.create(session, &judge, object, &write.fields, unique.as_ref()).await,
            WriteAct::Update { id } => self.update(session, &judge, object, id, &write.fields).await,
            WriteAct::Delete { id } => match self.delete(session, &judge, object, id).await {
                Err(Fault::NotFound { .. }) => Ok(Outcome::Deleted),
                done => done,
            },
        };
        match done {
            Ok(outcome) => outcome,
            Err(Fault::Refused { code, .. }) if code == DUPLICATE => Outcome::Exists { id: judge.take_existing() },
            Err(Fault::NotFound { .. }) if matches!(write.act, WriteAct::Update { .. }) => Outcome::Gone { merged_into: None },
            Err(fault @ Fault::Lost { .. }) => Outcome::Unknown(fault),
            Err(fault) => Outcome::Failed(fault),
        }
    }

    async fn create(
        &self,
        session: &Session,
        judge: &super::Judge<'_>,
        object: &Object,
        fields: &Map<String, Value>,
        unique: Option<&(String, Value)>,
    ) -> Result<Outcome, Fault> {
        let fields = sent(&object.form, fields);
        let values = Values { record: Some(&fields), ..self.values(session) };
        let upsert = object.upsert.as_ref().zip(unique).filter(|(upsert, (field, _))| upsert.answer.by == *field);
        if let Some((upsert, (field, value))) = upsert {
            let values = Values { field: Some(field), value: Some(value), ..values };
            let answer = driver::ask(session, judge, upsert.request.call(&values)?).await?;
            let form = &upsert.answer;
            let record = answered(object, &answer, form.record.as_deref(), form.id.as_deref(), None)?;
            let made = is(&answer.json, form.created.as_ref()) || form.created_status == Some(answer.status.as_u16());
            return Ok(if made { Outcome::Created(record) } else { Outcome::Updated(record) });
        }
        let create = object.create.as_ref().ok_or_else(|| without(object, "make"))?;
        let answer = driver::ask(session, judge, create.request.call(&values)?).await?;
        // It was made: an answer that cannot be read takes nothing back.
        let record = answered(object, &answer, create.answer.record.as_deref(), create.answer.id.as_deref(), None);
        Ok(match record {
            Ok(record) => Outcome::Created(record),
            Err(fault) => Outcome::Unknown(Fault::Lost { message: text(&fault) }),
        })
    }

    async fn update(
        &self,
        session: &Session,
        judge: &super::Judge<'_>,
        object: &Object,
        id: &str,
        fields: &Map<String, Value>,
    ) -> Result<Outcome, Fault> {
        let update = object.update.as_ref().ok_or_else(|| without(object, "change"))?;
        let fields = sent(&object.form, fields);
        let values = Values { id: Some(id), record: Some(&fields), ..self.values(session) };
        let answer = driver::ask(session, judge, update.request.call(&values)?).await?;
        answered(object, &answer, update.answer.record.as_deref(), update.answer.id.as_deref(), Some(id)).map(Outcome::Updated)
    }

    async fn delete(&self, session: &Session, judge: &super::Judge<'_>, object: &Object, id: &str) -> Result<Outcome, Fault> {
        let delete: &Operation<form::Nothing> = object.delete.as_ref().ok_or_else(|| without(object, "delete"))?;
        let values = Values { id: Some(id), ..self.values(session) };
        driver::ask(session, judge, delete.request.call(&values)?).await?;
        Ok(Outcome::Deleted)
    }

    pub(super) async fn watched(
        &self,
        session: &Session,
        object: &str,
        url: &str,
        secret: &kernel::Secret<String>,
        existing: Option<&str>,
    ) -> Result<Option<WebhookPlan>, Fault> {
        let object = self.object(object)?;
        let Some(watch) = &object.watch else { return Ok(None) };
        let expires = watch.answer.expires_at.is_some();
        if let Some(id) = existing.filter(|_| !expires) {
            return Ok(Some(WebhookPlan { id: id.to_owned(), expires_at: None }));
        }
        let values = Values { url: Some(url), secret: Some(secret.reveal()), ..self.values(session) };
        let answer = driver::ask(session, &self.judge(), watch.request.call(&values)?).await?;
        let id = record::id(answer.json.pointer(&watch.answer.id)).ok_or_else(|| unexpected("the new webhook has no id"))?;
        let ends = watch.answer.expires_at.as_ref().and_then(|pointer| record::read_time(object.form.time, answer.json.pointer(pointer)?));
        // A new one is there: the one before would call twice until it ends.
        if let Some(old) = existing.filter(|old| *old != id) {
            self.unwatched(session, &object.form.name, old).await?;
        }
        Ok(Some(WebhookPlan { id, expires_at: ends }))
    }

    pub(super) async fn unwatched(&self, session: &Session, object: &str, id: &str) -> Result<(), Fault> {
        let object = self.object(object)?;
        let Some(unwatch) = &object.unwatch else { return Ok(()) };
        let values = Values { id: Some(id), ..self.values(session) };
        match driver::ask(session, &self.judge(), unwatch.request.call(&values)?).await {
            Ok(_) | Err(Fault::NotFound { .. }) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

/// The record that an answer carries, or only its id.
fn answered(object: &Object, answer: &Answer, at: Option<&str>, id_at: Option<&str>, known: Option<&str>) -> Result<RemoteRecord, Fault> {
    if let Some(value) = at.and_then(|pointer| answer.json.pointer(pointer)).filter(|value| value.is_object()) {
        return record(&object.form, value, &[]);
    }
    let said = id_at.and_then(|pointer| record::id(answer.json.pointer(pointer)));
    let id = said.or_else(|| known.map(str::to_owned)).ok_or_else(|| unexpected("it does not tell the record's id"))?;
    Ok(RemoteRecord { id, fields: Map::new(), modified_at: None, deleted: false, merged_into: None })
}

/// Whether a fault is not about one record.
fn concerns_all(fault: &Fault) -> bool {
    matches!(fault, Fault::Unauthorized { .. } | Fault::RateLimited { .. } | Fault::Exhausted { .. } | Fault::Unavailable { .. })
}

fn text(fault: &Fault) -> String {
    match fault {
        Fault::Refused { message, .. } => message.clone(),
        other => other.code().to_owned(),
    }
}
