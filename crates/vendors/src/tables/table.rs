//! The rows of one kind.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::RangeBounds;
use std::sync::Arc;

use super::{Fields, Gone, How, Row, Version};

/// Who writes, when, and when search will know.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// When, in milliseconds.
    pub at: i64,
    /// The user.
    pub by: u64,
    /// How far search is behind, in milliseconds.
    pub lag_ms: i64,
}

/// The rows of one kind, by number and by time of change.
#[derive(Clone, Debug)]
pub struct Table<V> {
    next: u64,
    rows: BTreeMap<u64, Row<V>>,
    changed: BTreeSet<(i64, u64)>,
    names: HashSet<Arc<str>>,
    keys: HashMap<Arc<str>, HashMap<String, Vec<u64>>>,
    key: fn(&V) -> Option<String>,
    /// What rows were before the attempt that is under way, and the number that was next; rows that were not there are none.
    journal: Option<(u64, HashMap<u64, Option<Row<V>>>)>,
}

impl<V: Clone + PartialEq> Table<V> {
    /// Empty; the first row gets the number `first`. `key` makes of a value that by which it is found; values without one are not.
    pub fn new(first: u64, key: fn(&V) -> Option<String>) -> Self {
        Self {
            next: first,
            rows: BTreeMap::new(),
            changed: BTreeSet::new(),
            names: HashSet::new(),
            keys: HashMap::new(),
            key,
            journal: None,
        }
    }

    /// From now on rows are found by this field.
    pub fn index(&mut self, field: &str) {
        let name = self.name(field);
        let mut found: HashMap<String, Vec<u64>> = HashMap::new();
        for row in self.iter() {
            if let Some(key) = row.get(field).and_then(self.key) {
                found.entry(key).or_default().push(row.id);
            }
        }
        self.keys.insert(name, found);
    }

    /// The first row that is there and whose indexed field has this value. Finds nothing by a field without an index.
    pub fn find(&self, field: &str, value: &V) -> Option<u64> {
        self.keys.get(field)?.get(&(self.key)(value)?)?.iter().copied().min()
    }

    /// The number that the next new row gets.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Begins an attempt: [`Table::end`] can take back what happens from here on. Attempts do not stand in each other.
    pub fn begin(&mut self) {
        self.journal = Some((self.next, HashMap::new()));
    }

    /// Ends an attempt.
    pub fn end(&mut self, take_back: bool) {
        let Some((next, before)) = self.journal.take().filter(|_| take_back) else { return };
        self.next = next;
        for (id, row) in before {
            if self.get(id).is_some() {
                self.enter(id, false);
            }
            if let Some(now) = self.rows.remove(&id) {
                self.changed.remove(&(now.changed_at, id));
            }
            if let Some(row) = row {
                let is_there = row.gone.is_none();
                self.changed.insert((row.changed_at, id));
                self.rows.insert(id, row);
                if is_there {
                    self.enter(id, true);
                }
            }
        }
    }

    /// Remembers what a row was.
    fn remember(&mut self, id: u64) {
        if let Some((_, before)) = &mut self.journal {
            before.entry(id).or_insert_with(|| self.rows.get(&id).cloned());
        }
    }

    /// Puts a row's keys into the indexes, or takes them out.
    fn enter(&mut self, id: u64, is_there: bool) {
        let Self { rows, keys, key, .. } = self;
        let Some(row) = rows.get(&id) else { return };
        for (field, found) in keys.iter_mut() {
            let Some(key) = row.get(field).and_then(*key) else { continue };
            if is_there {
                found.entry(key).or_default().push(id);
            } else if let Some(ids) = found.get_mut(&key) {
                ids.retain(|one| *one != id);
                if ids.is_empty() {
                    found.remove(&key);
                }
            }
        }
    }

    /// The one copy of a name.
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.names.insert(name.clone());
        name
    }

    /// A new row; its number.
    pub fn insert<'n>(&mut self, fields: impl IntoIterator<Item = (&'n str, V)>, change: Change) -> u64 {
        let id = self.next;
        self.remember(id);
        self.next += 1;
        let mut own = Fields::default();
        for (name, value) in fields {
            own.set(self.name(name), value);
        }
        let row = Row {
            id,
            fields: own,
            created_at: change.at,
            changed_at: change.at,
            gone: None,
            changed_by: change.by,
            indexed_at: change.at + change.lag_ms,
            before: None,
        };
        self.changed.insert((row.changed_at, id));
        self.rows.insert(id, row);
        self.enter(id, true);
        id
    }

    /// Sets fields of a row that is there: names, old values and new values of those that differ. `None` if there is no such row.
    ///
    /// A write that changes nothing moves the time all the same, as the vendors do.
    pub fn update<'n>(
        &mut self,
        id: u64,
        fields: impl IntoIterator<Item = (&'n str, V)>,
        change: Change,
    ) -> Option<Vec<(Arc<str>, Option<V>, V)>> {
        self.get(id)?;
        let fields: Vec<_> = fields.into_iter().map(|(name, value)| (self.name(name), value)).collect();
        self.remember(id);
        self.enter(id, false);
        let row = self.moved(id, change)?;
        let mut differences = Vec::new();
        for (name, value) in fields {
            let old = row.fields.set(name.clone(), value.clone());
            if old.as_ref() != Some(&value) {
                differences.push((name, old, value));
            }
        }
        self.enter(id, true);
        Some(differences)
    }

    /// Takes a row away, or makes its being away final. `false` if there is no such row.
    pub fn remove(&mut self, id: u64, how: How, change: Change) -> bool {
        let known = self.rows.get(&id).is_some_and(|row| row.gone.is_none() || how == How::Purged);
        if self.get(id).is_some() {
            self.remember(id);
            self.enter(id, false);
        }
        if known && let Some(row) = self.moved(id, change) {
            row.gone = Some(Gone { at: change.at, how });
            row.indexed_at = change.at;
        }
        known
    }

    /// Brings a row back out of the bin. `false` if it is not there.
    pub fn restore(&mut self, id: u64, change: Change) -> bool {
        let binned = self.rows.get(&id).is_some_and(|row| row.gone.is_some_and(|gone| gone.how == How::Bin));
        if binned && let Some(row) = self.moved(id, change) {
            row.gone = None;
            self.enter(id, true);
        }
        binned
    }

    /// Notes the change of a row; what it was is kept where search needs it.
    fn moved(&mut self, id: u64, change: Change) -> Option<&mut Row<V>> {
        let row = self.rows.get_mut(&id)?;
        self.changed.remove(&(row.changed_at, id));
        if change.lag_ms > 0 {
            let seen = row.searched(change.at).map(|(fields, changed_at)| Version { fields: fields.clone(), changed_at });
            row.before = seen.map(Box::new);
        } else {
            row.before = None;
        }
        (row.changed_at, row.changed_by, row.indexed_at) = (change.at, change.by, change.at + change.lag_ms);
        self.changed.insert((row.changed_at, id));
        Some(row)
    }

    /// A row that is there.
    pub fn get(&self, id: u64) -> Option<&Row<V>> {
        self.rows.get(&id).filter(|row| row.gone.is_none())
    }

    /// A row, also one that is gone.
    pub fn any(&self, id: u64) -> Option<&Row<V>> {
        self.rows.get(&id)
    }

    /// Rows that are there, in order of their numbers.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Row<V>> {
        self.all(..).filter(|row| row.gone.is_none())
    }

    /// Rows, also those that are gone, in order of their numbers.
    pub fn all(&self, ids: impl RangeBounds<u64>) -> impl DoubleEndedIterator<Item = &Row<V>> {
        self.rows.range(ids).map(|(_, row)| row)
    }

    /// Rows that changed within a range of (milliseconds, number), also those that are gone, in that order.
    pub fn changed(&self, range: impl RangeBounds<(i64, u64)>) -> impl DoubleEndedIterator<Item = &Row<V>> {
        self.changed.range(range).filter_map(|(_, id)| self.rows.get(id))
    }

    /// How many rows are there.
    pub fn count(&self) -> usize {
        self.iter().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at: i64, lag_ms: i64) -> Change {
        Change { at, by: 1, lag_ms }
    }

    #[test]
    fn search_is_behind_and_then_is_not() {
        let mut table = Table::new(7, |n: &i32| Some(n.to_string()));
        let id = table.insert([("a", 1)], at(100, 50));
        let seen = |table: &Table<i32>, now| table.get(id).unwrap().searched(now).map(|(fields, _)| *fields.get("a").unwrap());
        assert_eq!((id, seen(&table, 149), seen(&table, 150)), (7, None, Some(1)));
        table.update(id, [("a", 2)], at(160, 50)).unwrap();
        assert_eq!((seen(&table, 209), seen(&table, 210)), (Some(1), Some(2)));
        table.update(id, [("a", 3)], at(215, 50)).unwrap();
        table.update(id, [("a", 4)], at(220, 50)).unwrap();
        assert_eq!((seen(&table, 269), seen(&table, 270)), (Some(2), Some(4)));
    }

    #[test]
    fn an_attempt_is_taken_back_whole() {
        let mut table = Table::new(1, |n: &i32| Some(n.to_string()));
        table.index("n");
        table.insert([("n", 1)], at(10, 0));
        table.begin();
        table.update(1, [("n", 2)], at(20, 0));
        table.insert([("n", 3)], at(20, 0));
        table.remove(1, How::Bin, at(30, 0));
        table.end(true);
        assert_eq!((table.count(), table.find("n", &1), table.find("n", &2), table.find("n", &3)), (1, Some(1), None, None));
        assert_eq!(table.changed(..).map(|row| row.changed_at).collect::<Vec<_>>(), [10]);
        assert_eq!(table.insert([("n", 3)], at(40, 0)), 2);
    }

    #[test]
    fn rows_are_found_by_change_and_go_and_come_back() {
        let mut table = Table::new(1, |n: &i32| Some(n.to_string()));
        table.index("n");
        for n in 0..3 {
            table.insert([("n", n)], at(10 + i64::from(n), 0));
        }
        assert_eq!(table.update(1, [("n", 9), ("m", 1)], at(20, 0)).unwrap().len(), 2);
        let order = |table: &Table<i32>| table.changed((11, 0)..).map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(order(&table), [2, 3, 1]);
        assert!(table.remove(2, How::Bin, at(30, 0)) && !table.remove(2, How::Bin, at(31, 0)));
        assert_eq!((order(&table), table.count(), table.get(2).is_none()), (vec![3, 1, 2], 2, true));
        assert_eq!([table.find("n", &9), table.find("n", &0), table.find("n", &1)], [Some(1), None, None]);
        assert!(table.restore(2, at(40, 0)) && !table.restore(3, at(40, 0)));
        assert_eq!(table.find("n", &1), Some(2));
        assert!(table.remove(3, How::Merged(1), at(50, 0)) && !table.restore(3, at(51, 0)));
        assert_eq!(table.count(), 2);
    }
}
