//! The order of a destination's deliveries with the same key: one at a time, those behind it wait.

use std::collections::{HashMap, HashSet, VecDeque};

use kernel::Timestamp;

use super::lane::Item;

/// The keys of which a delivery is in memory.
#[derive(Default)]
pub(crate) struct Keys {
    lines: HashMap<String, Line>,
    waiting: usize,
    /// Since the present load began: keys that were held up, and keys of which something was left to the database. What the load has read
    /// of them may be out of date.
    held_up: HashMap<String, Timestamp>,
    left: HashSet<String>,
}

/// Those of one key that are in memory. Its first delivery is ready or under way; the others stand here.
#[derive(Default)]
struct Line {
    behind: VecDeque<Item>,
    /// Nothing else with this key is pending: the next one to be published may stand behind these.
    is_complete: bool,
}

impl Keys {
    /// Deliveries that wait behind others.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many of each key are in memory.
    pub(crate) fn lengths(&self) -> HashMap<String, usize> {
        self.lines.iter().map(|(key, line)| (key.clone(), line.behind.len() + 1)).collect()
    }

    pub(crate) fn is_busy(&self, key: &str) -> bool {
        self.lines.contains_key(key)
    }

    /// Whether what is published with this key may stand behind what is in memory.
    pub(crate) fn is_complete(&self, key: &str) -> bool {
        self.lines.get(key).is_some_and(|line| line.is_complete)
    }

    /// Something with this key is in the database only.
    pub(crate) fn leave(&mut self, key: &str, is_loading: bool) {
        if is_loading {
            self.left.insert(key.to_owned());
        }
        if let Some(line) = self.lines.get_mut(key) {
            line.is_complete = false;
        }
    }

    /// All of this key that a load has read is in memory now, and it was all there is.
    pub(crate) fn complete(&mut self, key: &str) {
        if !self.left.contains(key)
            && let Some(line) = self.lines.get_mut(key)
        {
            line.is_complete = true;
        }
    }

    /// Puts an item behind those of its key, or answers it if it is the first.
    pub(crate) fn line_up(&mut self, item: Item) -> Option<Item> {
        let Some(key) = &item.row.ordering_key else { return Some(item) };
        match self.lines.get_mut(key) {
            Some(line) => {
                line.behind.push_back(item);
                self.waiting += 1;
                None
            }
            None => {
                let line = Line { is_complete: item.is_first, ..Line::default() };
                self.lines.insert(key.clone(), line);
                Some(item)
            }
        }
    }

    /// The first of a key has ended: the next one, if there is one; and whether more of it is in the database only.
    pub(crate) fn ended(&mut self, key: &str) -> (Option<Item>, bool) {
        let Some(line) = self.lines.get_mut(key) else { return (None, false) };
        if let Some(item) = line.behind.pop_front() {
            self.waiting -= 1;
            return (Some(item), false);
        }
        let is_complete = line.is_complete;
        self.lines.remove(key);
        (None, !is_complete)
    }

    /// The first of a key will be tried again at `until`: what stands behind it goes back to the database.
    pub(crate) fn hold_up(&mut self, key: &str, until: Timestamp, is_loading: bool) -> Vec<Item> {
        if is_loading {
            self.held_up.insert(key.to_owned(), until);
        }
        self.give_up(key)
    }

    /// The first of a key goes back to the database, and all that stands behind it.
    pub(crate) fn give_up(&mut self, key: &str) -> Vec<Item> {
        let items: Vec<Item> = self.lines.remove(key).map(|line| line.behind).into_iter().flatten().collect();
        self.waiting -= items.len();
        items
    }

    /// Everything that waits; the keys whose first one is under way stay busy.
    pub(crate) fn drain(&mut self) -> Vec<Item> {
        self.waiting = 0;
        self.lines.values_mut().flat_map(|line| std::mem::take(&mut line.behind)).collect()
    }

    /// A load begins.
    pub(crate) fn load_begins(&mut self) {
        self.held_up.clear();
        self.left.clear();
    }

    /// Until when a key is held up that was not when the load began.
    pub(crate) fn held_up(&self, key: &str) -> Option<Timestamp> {
        self.held_up.get(key).copied()
    }
}
