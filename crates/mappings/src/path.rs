//! Fields of our records: `email`, and inside of objects `address.city`.

use serde_json::{Map, Value};

/// The value at a path. A member whose name is the whole path comes first, so that a flat map of paths and values reads like the record.
pub fn get<'a>(record: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = record.get(path) {
        return Some(value);
    }
    let (head, tail) = path.split_once('.')?;
    get(record.get(head)?.as_object()?, tail)
}

/// Puts a value at a path; objects on the way are made, and anything else that stands there is replaced by one.
pub fn set(record: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            record.insert(path.to_owned(), value);
        }
        Some((head, tail)) => {
            let inner = record.entry(head).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Some(inner) = inner.as_object_mut() {
                set(inner, tail, value);
            }
        }
    }
}

/// A flat map of paths and values as the nested record that it means.
pub fn nest(flat: &Map<String, Value>) -> Map<String, Value> {
    let mut nested = Map::new();
    for (path, value) in flat {
        set(&mut nested, path, value.clone());
    }
    nested
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flat_map_reads_like_the_nested_record() {
        let flat = json!({"address.city": "Bonn", "address.geo.lat": 50.7, "name": "A"});
        let nested = nest(flat.as_object().unwrap());
        assert_eq!(Value::Object(nested.clone()), json!({"address": {"city": "Bonn", "geo": {"lat": 50.7}}, "name": "A"}));
        for path in ["address.city", "address.geo.lat", "name"] {
            assert_eq!(get(&nested, path), get(flat.as_object().unwrap(), path));
        }
        assert_eq!(get(&nested, "name.first"), None);
    }
}
