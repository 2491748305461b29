//! A group of calls counted by all that tells them apart, before it is spread over the rows that are kept: one look-up a call, whatever
//! is counted in the end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kernel::{ClientId, KeyId, TenantId};

use super::{Counted, HOUR_MS};
use crate::RequestRow;
use crate::days::day_of;

/// Most endpoints of a tenant that are counted apart on a day. Routes are few; hosts that have keys verified say what they like.
const MOST_ENDPOINTS: usize = 1000;
/// What the others are counted under.
const OTHER: &str = "(other)";
/// Longest endpoint that is counted under its own name, in bytes.
const MAX_ENDPOINT: usize = 200;

/// What tells calls apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Leaf {
    pub(crate) tenant: Option<TenantId>,
    pub(crate) client: Option<ClientId>,
    pub(crate) key: Option<KeyId>,
    /// Its first moment.
    pub(crate) hour: i64,
    pub(crate) method: &'static str,
    pub(crate) endpoint: Arc<str>,
    pub(crate) status: u16,
    pub(crate) error_code: Option<&'static str>,
}

/// Counts groups. Lives as long as the writer, since it knows the endpoints of the day.
#[derive(Default)]
pub(crate) struct Leaves {
    day: i64,
    endpoints: HashMap<Option<TenantId>, HashSet<Arc<str>>>,
}

impl Leaves {
    pub(crate) fn count(&mut self, rows: &[RequestRow]) -> HashMap<Leaf, Counted> {
        let mut counts: HashMap<Leaf, Counted> = HashMap::new();
        for row in rows {
            let at = row.at.millis();
            let leaf = Leaf {
                tenant: row.tenant,
                client: row.client,
                key: row.key,
                hour: at.div_euclid(HOUR_MS) * HOUR_MS,
                method: row.method,
                endpoint: self.name(row),
                status: row.status,
                error_code: row.error_code,
            };
            let count = counts.entry(leaf).or_default();
            count.requests += 1;
            count.succeeded += u64::from(row.status < 400);
            count.units += u64::from(row.units);
            count.duration_us += row.duration_us;
            count.request_bytes += row.request_bytes;
            count.response_bytes += row.response_bytes;
            count.durations.add(row.duration_us);
        }
        counts
    }

    fn name(&mut self, row: &RequestRow) -> Arc<str> {
        let day = day_of(row.at.millis());
        if day > self.day {
            (self.day, self.endpoints) = (day, HashMap::new());
        }
        let known = self.endpoints.entry(row.tenant).or_default();
        if let Some(known) = known.get(&row.endpoint) {
            return Arc::clone(known);
        }
        if known.len() >= MOST_ENDPOINTS || row.endpoint.len() > MAX_ENDPOINT || row.endpoint.contains('\0') {
            return Arc::from(OTHER);
        }
        known.insert(Arc::clone(&row.endpoint));
        Arc::clone(&row.endpoint)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Ambient;

    use super::*;

    #[test]
    fn endpoints_that_strangers_make_up_are_bounded() {
        let ambient = Ambient::system();
        let now = ambient.now();
        let row = |n: usize| RequestRow::new(ambient.id(), now, "GET", Arc::from(format!("/made-up/{n}")));
        let rows: Vec<RequestRow> = (0..MOST_ENDPOINTS + 50).map(row).collect();
        let mut leaves = Leaves::default();
        let counted = leaves.count(&rows);
        assert_eq!(counted.len(), MOST_ENDPOINTS + 1);
        let other = counted.iter().find(|(leaf, _)| &*leaf.endpoint == OTHER).unwrap();
        assert_eq!(other.1.requests, 50);
        assert_eq!(leaves.count(&rows[..3]).len(), 3, "those that are known stay known");
        let mut tomorrow = row(5000);
        tomorrow.at = now.plus(std::time::Duration::from_hours(24));
        assert_eq!(&*leaves.count(&[tomorrow]).into_iter().next().unwrap().0.endpoint, "/made-up/5000");
    }
}
