//! The demo of any other blueprint: a partner, and records made of what the types' schemas say.

use std::time::Duration;

use blueprint::Blueprint;
use blueprint::model::{Operation, Resource};
use serde_json::{Map, Value, json};
use vendors::receiver::Receiver;
use web::openapi::{Fill, example};

use crate::client::Client;
use crate::leads::{ensure, subscribe, text};
use crate::print;

/// Records that a type has at first.
const FIRST: usize = 3;
/// Records after which nothing more is made: nobody looks at an endless list.
const MOST: usize = 100;

/// What the demo prints and adds to.
pub(crate) struct Sample {
    /// The partner.
    pub(crate) tenant: String,
    /// Its credential; the second half where the product has two.
    pub(crate) key: String,
    pub(crate) secret: Option<String>,
    /// A declared list, which the partner may ask for.
    pub(crate) list: Option<String>,
    makers: Vec<Maker>,
}

/// Makes records of one type.
struct Maker {
    resource: Resource,
    made: usize,
    /// The id of one of its records, to which others may belong: a text or a number.
    first: Option<Value>,
}

/// Makes what is not there yet. The key is made anew at every start: it is shown only once.
pub(crate) async fn load(host: &Client, receiver: &Receiver, product: &Blueprint) -> anyhow::Result<Sample> {
    let tenant = ensure(host, None, "/api/v1/tenants", "demo-harbor", &json!({"name": "Harbor Ltd"})).await?;
    let client = json!({"name": "Harbor's program", "contactEmail": "dev@example.com"});
    let client = ensure(host, Some(&tenant), "/api/v1/api-clients", "demo-program", &client).await?;
    subscribe(host, receiver, &tenant, &client).await?;
    let made = host.post(Some(&tenant), "/api/v1/api-keys", &json!({"clientId": client, "name": "demo"})).await?;
    let (key, secret) = (text(&made, "key")?, made["secret"].as_str().map(str::to_owned));
    let makers = ordered(product).into_iter().map(|resource| Maker { resource: resource.clone(), made: 0, first: None }).collect();
    let mut sample = Sample { tenant, key, secret, list: list(product), makers };
    for at in 0..sample.makers.len() {
        let path = format!("/api/v1/records/{}?limit=1", sample.makers[at].resource.name);
        let there = host.get(Some(&sample.tenant), &path).await?;
        if let Some(known) = there["data"][0].get("id") {
            (sample.makers[at].first, sample.makers[at].made) = (Some(known.clone()), FIRST);
            continue;
        }
        for _ in 0..FIRST {
            if let Err(error) = sample.make(host, at).await {
                print::no_sample(&sample.makers[at].resource.name, &error);
                break;
            }
        }
    }
    Ok(sample)
}

/// The types whose records can be made, those to which others belong first.
fn ordered(product: &Blueprint) -> Vec<&Resource> {
    let mut waiting: Vec<&Resource> = product.resources.iter().filter(|resource| !resource.singleton).collect();
    let mut out: Vec<&Resource> = Vec::new();
    let settled = |resource: &Resource, waiting: &[&Resource]| {
        resource.parents.iter().all(|parent| waiting.iter().all(|other| other.name != parent.resource))
    };
    // A blueprint's parents never lead back to themselves.
    while let Some(at) = waiting.iter().position(|resource| settled(resource, &waiting)) {
        out.push(waiting.remove(at));
    }
    out
}

/// The first declared list that needs no name in its path.
fn list(product: &Blueprint) -> Option<String> {
    let lists = product.endpoints.iter().filter(|endpoint| endpoint.operation == Operation::List && !endpoint.public);
    lists.map(|endpoint| endpoint.full_path(&product.style)).find(|path| !path.contains('{'))
}

impl Sample {
    /// The types, for whoever wants to see their records.
    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        self.makers.iter().filter(|maker| maker.made > 0).map(|maker| maker.resource.name.as_str())
    }

    /// Makes a record of a type: with all members, or, if that is refused, with those that it must have.
    async fn make(&mut self, host: &Client, at: usize) -> anyhow::Result<()> {
        let maker = &self.makers[at];
        let path = format!("/api/v1/records/{}", maker.resource.name);
        let whole = self.document(&maker.resource, maker.made + 1, Fill::All);
        let made = match host.post(Some(&self.tenant), &path, &whole).await {
            Ok(made) => made,
            Err(_) => host.post(Some(&self.tenant), &path, &self.document(&maker.resource, maker.made + 1, Fill::Needed)).await?,
        };
        let maker = &mut self.makers[at];
        maker.made += 1;
        maker.first.get_or_insert_with(|| made["id"].clone());
        Ok(())
    }

    /// What the schema says, the `n`th time.
    fn document(&self, resource: &Resource, n: usize, fill: Fill) -> Value {
        let mut members = match example(&resource.schema, &Map::new(), fill) {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let states = resource.states.as_ref().map(|states| states.field.as_str());
        members.retain(|name, _| !resource.is_derived(name) && states != Some(name.as_str()));
        for (name, value) in &mut members {
            let named =
                resource.unique.contains(name) || ["name", "title", "subject"].iter().any(|word| name.to_lowercase().ends_with(word));
            if let Some(text) = value.as_str().filter(|_| named) {
                *value = Value::String(numbered(&resource.schema["properties"][name], text, n));
            }
        }
        for parent in &resource.parents {
            let known = self.makers.iter().find(|maker| maker.resource.name == parent.resource).and_then(|maker| maker.first.as_ref());
            match known {
                Some(id) => drop(members.insert(parent.field.clone(), id.clone())),
                None => drop(members.remove(&parent.field)),
            }
        }
        Value::Object(members)
    }
}

/// Another text for another record, where the schema leaves the text free: `Ada 2`, `ada2@example.com`, another day.
fn numbered(schema: &Value, text: &str, n: usize) -> String {
    let made = match (schema["format"].as_str(), text.split_once('@')) {
        (Some("date"), _) => format!("2026-{:02}-{:02}", 1 + n / 28 % 12, 1 + n % 28),
        (None | Some("email"), Some((name, host))) => format!("{name}{n}@{host}"),
        (None, None) => format!("{text} {n}"),
        _ => text.to_owned(),
    };
    let fits = schema["maxLength"].as_u64().is_none_or(|most| made.chars().count() as u64 <= most);
    let free = ["enum", "const", "pattern"].iter().all(|word| schema.get(word).is_none());
    if fits && free { made } else { text.to_owned() }
}

/// Makes a record more every `every`, of each type in turn, until the task is aborted or there are enough.
pub(crate) async fn keep_adding(host: Client, mut sample: Sample, every: Duration) {
    let types: Vec<usize> = (0..sample.makers.len()).filter(|at| sample.makers[*at].made > 0).collect();
    let mut ticks = tokio::time::interval(every);
    ticks.tick().await;
    for step in 0..if types.is_empty() { 0 } else { MOST } {
        ticks.tick().await;
        if let Err(error) = sample.make(&host, types[step % types.len()]).await {
            print::trouble(&error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_before_their_children() {
        let product = blueprint::load("call-coaching").unwrap();
        let order: Vec<&str> = ordered(&product).iter().map(|resource| resource.name.as_str()).collect();
        let at = |name: &str| order.iter().position(|one| *one == name).unwrap();
        assert!(at("company") < at("agent"), "{order:?}");
    }

    #[test]
    fn texts_are_numbered_where_they_are_free() {
        assert_eq!(numbered(&json!({}), "An example", 2), "An example 2");
        assert_eq!(numbered(&json!({"format": "email"}), "ada@example.com", 3), "ada3@example.com");
        assert_eq!(numbered(&json!({"format": "date"}), "2026-01-31", 3), "2026-01-04");
        assert_eq!(numbered(&json!({"format": "uri"}), "https://example.com", 3), "https://example.com");
        assert_eq!(numbered(&json!({"maxLength": 10}), "An example", 2), "An example");
        assert_eq!(numbered(&json!({"pattern": "^[a-z]+$"}), "text", 2), "text");
    }
}
