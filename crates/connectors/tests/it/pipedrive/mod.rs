//! Pipedrive against its double: the list of what a connector must stand (vendors' own quirks and faults), as far as Pipedrive has them.

mod faults;
mod hooks;
mod reading;
mod writing;

use std::sync::Arc;

use connectors::{Connector as _, Fault, Outcome, Page, PageAsk, Pipedrive, RemoteRecord, Session, Span, Write, WriteAct};
use kernel::time::ManualClock;
use serde_json::{Map, Value, json};
use vendors::pipedrive::{Options, Pipedrive as Double};
use vendors::stand::Vendor as _;

use crate::bed::{StandCarrier, clock, session};

pub(super) struct Scene {
    pub(super) double: Arc<Double>,
    pub(super) carrier: Arc<StandCarrier<Double>>,
    pub(super) session: Session,
    pub(super) clock: Arc<ManualClock>,
    pub(super) pipedrive: Pipedrive,
}

pub(super) fn scene() -> Scene {
    with(Options::unlimited())
}

pub(super) fn with(options: Options) -> Scene {
    let (clock, ambient) = clock();
    let double = Arc::new(Double::new(Options { ambient: ambient.clone(), ..options }));
    let carrier = StandCarrier::to(&double, &clock, "Bearer");
    let session = session(carrier.clone(), json!({}), &ambient);
    Scene { double, carrier, session, clock, pipedrive: Pipedrive::new() }
}

pub(super) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn create(fields: Value, unique: Option<(&str, &str)>) -> Write {
    let unique = unique.map(|(field, value)| (field.to_owned(), json!(value)));
    Write { act: WriteAct::Create { unique }, fields: object(fields) }
}

pub(super) fn update(id: &str, fields: Value) -> Write {
    Write { act: WriteAct::Update { id: id.to_owned() }, fields: object(fields) }
}

fn object(fields: Value) -> Map<String, Value> {
    let Value::Object(fields) = fields else { panic!("{fields} is no object") };
    fields
}

pub(super) fn delete(id: &str) -> Write {
    Write { act: WriteAct::Delete { id: id.to_owned() }, fields: Map::new() }
}

impl Scene {
    pub(super) fn fault(&self, text: &str) {
        self.double.stand().faults.add(vendors::faults::Fault::parse(text).unwrap());
    }

    pub(super) async fn page(&self, object: &str, span: Span, token: Option<&str>, fields: &[&str]) -> Result<Page, Fault> {
        let fields = names(fields);
        self.pipedrive.page(&self.session, PageAsk { object, span, fields: &fields, filter: None, token }).await
    }

    /// Every page: how many calls, the records, the cursor.
    pub(super) async fn all(&self, object: &str, span: &Span, fields: &[&str]) -> (usize, Vec<RemoteRecord>, String) {
        let (mut pages, mut records, mut token) = (0, Vec::new(), None);
        loop {
            let page = self.page(object, span.clone(), token.as_deref(), fields).await.unwrap();
            pages += 1;
            records.extend(page.records);
            match page.next {
                Some(next) => token = Some(next),
                None => return (pages, records, page.cursor.expect("the last page has a cursor")),
            }
        }
    }

    pub(super) async fn get(&self, object: &str, id: &str, fields: &[&str]) -> Option<RemoteRecord> {
        self.pipedrive.get(&self.session, object, &names(&[id]), &names(fields)).await.unwrap().pop()
    }

    pub(super) async fn write(&self, object: &str, writes: &[Write]) -> Result<Vec<Outcome>, Fault> {
        self.pipedrive.write(&self.session, object, writes).await
    }

    pub(super) async fn one(&self, object: &str, write: Write) -> Outcome {
        self.write(object, &[write]).await.unwrap().pop().unwrap()
    }
}
