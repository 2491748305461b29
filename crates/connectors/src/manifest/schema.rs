//! Which fields there are: as the vendor says, as the manifest says, or as the records look.

use serde_json::Value;

use super::form;
use super::guess::{by_value, by_word};
use super::model::Object;
use super::pages::{Paged, Place, truth};
use super::record::{record, scalar};
use super::{Manifest, without};
use crate::{Fault, FieldAbout, FieldKind, ObjectSchema, Session};

/// Most fields of an object.
const MOST: usize = 5000;

impl Manifest {
    pub(super) async fn described(&self, session: &Session, name: &str) -> Result<ObjectSchema, Fault> {
        let object = self.object(name)?;
        let mut fields: Vec<FieldAbout> = Vec::new();
        if let Some(schema) = &object.schema {
            let answer = &schema.answer;
            let paged = Paged { request: &schema.request, pages: &answer.pages, records: &answer.records, total: None };
            let mut place = Place::default();
            loop {
                let sheet = place.turn(session, &self.judge(), &paged, self.values(session), Vec::new()).await?;
                fields.extend(sheet.items.iter().filter_map(|item| field(answer, item)));
                if !sheet.more || fields.len() > MOST {
                    break;
                }
            }
            fields.truncate(MOST);
        }
        for declared in object.fields.iter().map(declared) {
            match fields.iter_mut().find(|field| field.name == declared.name) {
                Some(field) => *field = declared,
                None => fields.push(declared),
            }
        }
        if fields.is_empty() {
            fields = self.sampled(session, object).await?;
        }
        Ok(ObjectSchema { object: name.to_owned(), fields })
    }

    /// The fields of the first page's records.
    async fn sampled(&self, session: &Session, object: &Object) -> Result<Vec<FieldAbout>, Fault> {
        let list = object.list.as_ref().ok_or_else(|| without(object, "describe"))?;
        let answer = &list.answer;
        let paged = Paged { request: &list.request, pages: &answer.pages, records: &answer.records, total: None };
        let declared = object.declared();
        let values = super::Values { fields: (!declared.is_empty()).then_some(&declared), ..self.values(session) };
        let sheet = Place::default().turn(session, &self.judge(), &paged, values, Vec::new()).await?;
        let mut fields: Vec<FieldAbout> = Vec::new();
        for item in &sheet.items {
            for (name, value) in &record(&object.form, item, &[])?.fields {
                let kind = by_value(name, value);
                match fields.iter_mut().find(|field| field.name == *name) {
                    Some(field) if field.kind == FieldKind::Other => field.kind = kind.unwrap_or(FieldKind::Other),
                    Some(_) => {}
                    None => fields.push(FieldAbout {
                        name: name.clone(),
                        label: name.clone(),
                        kind: kind.unwrap_or(FieldKind::Other),
                        required: false,
                        read_only: object.form.id == format!("/{name}"),
                        unique: false,
                        custom: false,
                        options: Vec::new(),
                    }),
                }
            }
            if fields.len() > MOST {
                break;
            }
        }
        Ok(fields)
    }
}

fn field(form: &form::Schema, item: &Value) -> Option<FieldAbout> {
    let name = scalar(item.pointer(&form.name)?).filter(|name| !name.is_empty())?;
    let text = |pointer: &Option<String>| scalar(item.pointer(pointer.as_deref()?)?);
    let holds = |pointer: &Option<String>| pointer.as_ref().and_then(|pointer| item.pointer(pointer)).is_some_and(truth);
    let word = text(&form.kind);
    let kind = word.as_ref().map_or(FieldKind::Other, |word| form.kinds.get(word).copied().unwrap_or_else(|| by_word(word)));
    let options = form.options.as_ref().and_then(|pointer| item.pointer(pointer)?.as_array());
    let option = |value: &Value| scalar(form.option.as_ref().map_or(Some(value), |pointer| value.pointer(pointer))?);
    Some(FieldAbout {
        label: text(&form.label).unwrap_or_else(|| name.clone()),
        name,
        kind,
        required: holds(&form.required),
        read_only: holds(&form.read_only),
        unique: holds(&form.unique),
        custom: holds(&form.custom),
        options: options.into_iter().flatten().filter_map(option).collect(),
    })
}

fn declared(field: &form::Field) -> FieldAbout {
    FieldAbout {
        name: field.name.clone(),
        label: field.label.clone().unwrap_or_else(|| field.name.clone()),
        kind: field.kind,
        required: field.required,
        read_only: field.read_only,
        unique: field.unique,
        custom: field.custom,
        options: field.options.clone(),
    }
}
