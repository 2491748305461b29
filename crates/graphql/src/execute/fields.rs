//! Fields whose value is at hand: members of what was read.

use kernel::Cursor;
use records::Record;
use serde_json::Value;

use super::collect::Chosen;
use super::thing::{Listed, Thing, Way};
use super::{Failed, Run};
use crate::model::{EventPart, Field, PagePart, Source};

impl Run<'_> {
    /// A field without objects below it, of one object.
    pub(super) fn leaf(&self, field: &Field, one: &Chosen<'_>, thing: &Thing, way: &Way) -> Result<Value, Failed> {
        let way = way.key(one.key);
        let made = match (&field.source, thing) {
            (Source::Member(path), Thing::Record(record)) => match path.split_first() {
                Some((first, rest)) => {
                    let value = record.document.get(first).and_then(|value| within(value, rest));
                    return self.complete_leaf(&field.ty, value, one, &way);
                }
                None => Some(Value::Object(record.document.clone())),
            },
            (Source::Member(path), Thing::Inside(value)) => return self.complete_leaf(&field.ty, within(value, path), one, &way),
            (source, Thing::Record(record)) => of_record(source, record),
            (Source::TotalCount, Thing::Listed(listed)) => listed.total.map(Value::from),
            (Source::Cursor, Thing::Edge(listed, at)) => place(listed, listed.edges.get(*at)),
            (Source::Page(part), Thing::Page(listed)) => page(*part, listed),
            (Source::Event(part), Thing::Event(event)) => part_of(*part, event),
            (Source::DeletedId, Thing::Deleted(id)) => Some(Value::from(id.as_str())),
            _ => None,
        };
        self.complete_leaf(&field.ty, made.as_ref(), one, &way)
    }
}

/// What is inside of a value, by names of members.
pub(super) fn within<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |at, name| at.get(name))
}

/// A record's id in words.
pub(super) fn id_of(record: &Record) -> String {
    record.number.map_or_else(|| record.id.to_string(), |number| number.to_string())
}

fn of_record(source: &Source, record: &Record) -> Option<Value> {
    Some(match source {
        Source::Id => Value::from(id_of(record)),
        Source::ExternalId => Value::from(record.external_id.clone()?),
        Source::Revision => Value::from(record.revision),
        Source::CreatedAt => Value::from(record.created_at.to_string()),
        Source::UpdatedAt => Value::from(record.updated_at.to_string()),
        _ => return None,
    })
}

fn place<T>(listed: &Listed, edge: Option<&(T, Cursor)>) -> Option<Value> {
    edge.map(|(_, cursor)| Value::from(cursor.encode(listed.bound)))
}

fn page(part: PagePart, listed: &Listed) -> Option<Value> {
    match part {
        PagePart::HasNext => Some(Value::Bool(listed.has_next)),
        PagePart::HasPrevious => Some(Value::Bool(listed.has_previous)),
        PagePart::Start => place(listed, listed.edges.first()),
        PagePart::End => place(listed, listed.edges.last()),
    }
}

fn part_of(part: EventPart, polled: &::events::PolledEvent) -> Option<Value> {
    let event = &polled.event;
    Some(match part {
        EventPart::Id => Value::from(event.id.to_string()),
        EventPart::Type => Value::from(event.event_type.as_str()),
        EventPart::OccurredAt => Value::from(event.occurred_at.to_string()),
        EventPart::CreatedAt => Value::from(event.created_at.to_string()),
        EventPart::Data => serde_json::from_str(event.data.get()).ok()?,
        EventPart::Cursor => Value::from(polled.cursor.clone()?),
    })
}
