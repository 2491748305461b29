//! The fields of a row.

use std::sync::Arc;

/// Names and values, in the order in which they were first set. A row has a few dozen at most, so they are searched one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields<V>(Vec<(Arc<str>, V)>);

impl<V> Default for Fields<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Fields<V> {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// Sets a field; the value it had.
    pub fn set(&mut self, name: impl AsRef<str> + Into<Arc<str>>, value: V) -> Option<V> {
        if let Some((_, old)) = self.0.iter_mut().find(|(key, _)| **key == *name.as_ref()) {
            return Some(std::mem::replace(old, value));
        }
        self.0.push((name.into(), value));
        None
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &V)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl<V, N: Into<Arc<str>>> FromIterator<(N, V)> for Fields<V> {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}
