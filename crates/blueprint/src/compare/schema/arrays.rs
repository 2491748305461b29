//! Lists.

use serde_json::{Map, Value};

use super::facets::{least, most};
use super::{Compare, Given, Lack, every};

impl Compare {
    pub(super) fn array_keyword(&mut self, all: &Given<'_>, keyword: &str, value: &Value, wanted: &Map<String, Value>, at: &str) {
        let number = value.as_f64().unwrap_or_default();
        match keyword {
            // The two belong together and are looked at once.
            "prefixItems" => self.items(all, wanted, at),
            "items" if !wanted.contains_key("prefixItems") => self.items(all, wanted, at),
            "minItems" => self.unless(most(all, "minItems") >= number, at, Lack::Size, || "shorter lists".to_owned()),
            "maxItems" => self.unless(least(all, "maxItems") <= number, at, Lack::Size, || "longer lists".to_owned()),
            "uniqueItems" if *value == Value::Bool(true) => {
                let fits = all.iter().any(|one| one.get("uniqueItems") == Some(value)) || least(all, "maxItems") <= 1.0;
                self.unless(fits, at, Lack::Unknown, || "lists with the same item twice".to_owned());
            }
            "contains" => self.same(all, wanted, &["contains", "minContains", "maxContains"], at),
            "unevaluatedItems" if *value != Value::Bool(true) => {
                self.lack(at, Lack::Unknown, "unevaluatedItems cannot be compared");
            }
            _ => {}
        }
    }

    fn items(&mut self, all: &Given<'_>, wanted: &Map<String, Value>, at: &str) {
        let places = all.iter().copied().chain([wanted]).map(|one| prefix(one).len()).max().unwrap_or_default();
        let longest = least(all, "maxItems");
        for place in 0..=places {
            #[allow(clippy::cast_precision_loss, reason = "a schema has at most a few thousand items")]
            let beyond = place as f64 >= longest;
            if beyond {
                return;
            }
            let given = every(all.iter().map(|one| item(one, place)).collect());
            let here = if place == places { format!("{at}/*") } else { format!("{at}/{place}") };
            self.contained(&given, &item(wanted, place), &here);
        }
    }
}

fn prefix(schema: &Map<String, Value>) -> &[Value] {
    schema.get("prefixItems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The schema of the item at a place.
fn item(schema: &Map<String, Value>, place: usize) -> Value {
    prefix(schema).get(place).or_else(|| schema.get("items")).cloned().unwrap_or(Value::Bool(true))
}
