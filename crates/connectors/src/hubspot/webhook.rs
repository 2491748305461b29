//! HubSpot's webhooks. They belong to the app: one address for all accounts, which each event names. Up to 100 events come in one call, some
//! twice, some before what happened earlier; of each record only the latest is passed on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kernel::Timestamp;
use serde::Deserialize;

use super::{objects, signature};
use crate::{Hint, HintKind, InboundCall, Verified};

/// Events of one call that are read: ten times what HubSpot sends.
const MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'e> {
    #[serde(borrow)]
    subscription_type: Cow<'e, str>,
    portal_id: Option<u64>,
    object_id: Option<u64>,
    #[serde(borrow, default)]
    object_type_id: Option<Cow<'e, str>>,
    #[serde(default)]
    occurred_at: Option<i64>,
    #[serde(default)]
    primary_object_id: Option<u64>,
    #[serde(default)]
    new_object_id: Option<u64>,
    #[serde(default)]
    merged_object_ids: Vec<u64>,
}

/// Reads a call. `None`: it is not HubSpot's, or no events.
pub(super) fn webhook(call: &InboundCall<'_>) -> Option<Verified> {
    if !signature::is_genuine(call) {
        return None;
    }
    let events: Vec<Event<'_>> = serde_json::from_slice(call.body).ok()?;
    Some(Verified { hints: hints(events.into_iter().take(MAX)), answer: None })
}

/// Account, object and id.
type Subject = (Option<u64>, String, u64);

/// When, how grave, what.
type Said = (i64, u8, HintKind);

/// By account, object and id the latest that is said; of what happened at the same time the graver.
fn hints<'e>(events: impl Iterator<Item = Event<'e>>) -> Vec<Hint> {
    let mut latest: BTreeMap<Subject, Said> = BTreeMap::new();
    let mut put = |account, object: &str, id: u64, at: i64, kind: HintKind| {
        let gravity = match kind {
            HintKind::Changed => 0,
            HintKind::Deleted => 1,
            HintKind::Merged(_) => 2,
        };
        let known = latest.entry((account, object.to_owned(), id)).or_insert_with(|| (at, gravity, kind.clone()));
        if (at, gravity) > (known.0, known.1) {
            *known = (at, gravity, kind);
        }
    };
    for event in events {
        let Some((kind, what)) = event.subscription_type.split_once('.') else { continue };
        let Some(object) = object(kind, event.object_type_id.as_deref()) else { continue };
        let (account, at) = (event.portal_id, event.occurred_at.unwrap_or_default());
        let Some(id) = event.object_id.or(event.primary_object_id) else { continue };
        match what {
            "deletion" | "privacyDeletion" => put(account, object, id, at, HintKind::Deleted),
            "merge" => {
                // Merges of late make a third record; those of old keep the primary one.
                let into = event.new_object_id.or(event.primary_object_id).unwrap_or(id);
                put(account, object, into, at, HintKind::Changed);
                let gone = event.merged_object_ids.iter().copied().chain(event.primary_object_id);
                gone.filter(|id| *id != into).for_each(|id| put(account, object, id, at, HintKind::Merged(into.to_string())));
            }
            _ => put(account, object, id, at, HintKind::Changed),
        }
    }
    let hint = |((account, object, id), (at, _, kind)): (Subject, Said)| Hint {
        account: account.map(|account| account.to_string()),
        object,
        id: id.to_string(),
        kind,
        at: (at > 0).then(|| Timestamp::from_millis(at)),
    };
    latest.into_iter().map(hint).collect()
}

/// The object of an event: by its singular, or by its type's id where the event is of `object.*`.
fn object<'o>(singular: &str, number: Option<&'o str>) -> Option<&'o str> {
    if singular == "object" {
        let number = number?;
        return Some(objects::KNOWN.iter().find(|known| known.number == number).map_or(number, |known| known.name));
    }
    objects::KNOWN.iter().find(|known| known.singular == singular).map(|known| known.name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(events: &Value) -> Vec<(String, String, HintKind)> {
        let text = events.to_string();
        let events: Vec<Event<'_>> = serde_json::from_str(&text).unwrap();
        hints(events.into_iter()).into_iter().map(|hint| (hint.object, hint.id, hint.kind)).collect()
    }

    fn event(kind: &str, id: u64, at: i64) -> Value {
        json!({"eventId": 1, "subscriptionType": kind, "portalId": 62515, "objectId": id, "occurredAt": at, "changeSource": "CRM_UI"})
    }

    #[test]
    fn of_each_record_the_latest_is_told_once() {
        let told = read(&json!([
            event("contact.deletion", 1, 20),
            event("contact.propertyChange", 1, 10),
            event("contact.propertyChange", 2, 10),
            event("contact.propertyChange", 2, 10),
            event("deal.creation", 1, 5),
            event("contact.restore", 1, 30),
            event("conversation.newMessage", 1, 30),
        ]));
        let expected = [("contacts", "1"), ("contacts", "2"), ("deals", "1")]
            .map(|(object, id)| (object.to_owned(), id.to_owned(), HintKind::Changed));
        assert_eq!(told, expected);
    }

    #[test]
    fn a_merge_tells_of_both_and_of_a_third() {
        let mut merge = event("company.merge", 7, 9);
        (merge["primaryObjectId"], merge["mergedObjectIds"]) = (json!(7), json!([8, 9]));
        let own = |id: &str, kind| ("companies".to_owned(), id.to_owned(), kind);
        let merged = |into: &str| HintKind::Merged(into.to_owned());
        assert_eq!(read(&json!([merge])), [own("7", HintKind::Changed), own("8", merged("7")), own("9", merged("7"))]);
        merge["newObjectId"] = json!(11);
        let three = [own("7", merged("11")), own("8", merged("11")), own("9", merged("11")), own("11", HintKind::Changed)];
        assert_eq!(read(&json!([merge])), three);
    }

    #[test]
    fn objects_are_known_by_their_numbers_too() {
        let mut custom = event("object.creation", 3, 1);
        custom["objectTypeId"] = json!("2-17");
        let mut lead = event("object.deletion", 4, 1);
        lead["objectTypeId"] = json!("0-136");
        let expected = [("2-17".to_owned(), "3".to_owned(), HintKind::Changed), ("leads".to_owned(), "4".to_owned(), HintKind::Deleted)];
        assert_eq!(read(&json!([custom, lead, event("object.creation", 5, 1)])), expected);
    }
}
