//! The faults that hold, and which of them a call meets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Fault, Kind};
use crate::stand::Call;

#[derive(Debug)]
struct Planned {
    fault: Fault,
    met: u64,
}

/// The faults that hold. Clones are one plan.
#[derive(Clone, Debug, Default)]
pub struct Plan(Arc<Mutex<Vec<Planned>>>);

impl Plan {
    /// One more.
    pub fn add(&self, fault: Fault) {
        self.0.lock().expect("no holder of this lock panics").push(Planned { fault, met: 0 });
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.0.lock().expect("no holder of this lock panics").clear();
    }

    /// Whether every fault that happens a number of times has happened that often. One without end is never spent.
    pub fn is_spent(&self) -> bool {
        let plan = self.0.lock().expect("no holder of this lock panics");
        plan.iter().all(|one| one.fault.times.is_some_and(|times| one.met >= one.fault.after + times))
    }

    /// What happens to this call. Counts it.
    pub fn hit(&self, call: &Call) -> Vec<Kind> {
        let mut plan = self.0.lock().expect("no holder of this lock panics");
        let mut kinds = Vec::new();
        for one in plan.iter_mut().filter(|one| !one.fault.kind.is_standing() && one.fault.meets(call)) {
            let before = one.met;
            one.met += 1;
            if before >= one.fault.after && one.fault.times.is_none_or(|times| before < one.fault.after + times) {
                kinds.push(one.fault.kind);
            }
        }
        kinds
    }

    /// How far search is behind, in milliseconds.
    pub fn index_lag_ms(&self) -> i64 {
        let lag = self.standing(|kind| if let Kind::IndexLag(lag) = kind { Some(lag) } else { None });
        i64::try_from(lag.unwrap_or(Duration::ZERO).as_millis()).unwrap_or(i64::MAX / 2)
    }

    /// Whether a standing fault of this kind holds; a webhook that meets one counts against its `times`.
    pub fn strikes_webhook(&self, kind: Kind) -> bool {
        let mut plan = self.0.lock().expect("no holder of this lock panics");
        let Some(one) = plan.iter_mut().find(|one| one.fault.kind == kind) else { return false };
        let before = one.met;
        one.met += 1;
        before >= one.fault.after && one.fault.times.is_none_or(|times| before < one.fault.after + times)
    }

    fn standing<T>(&self, pick: impl Fn(Kind) -> Option<T>) -> Option<T> {
        self.0.lock().expect("no holder of this lock panics").iter().find_map(|one| pick(one.fault.kind))
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn a_fault_strikes_after_so_many_and_so_often() {
        let plan = Plan::default();
        plan.add(Fault::new(Kind::ErrorInside).at("/x").after(1).times(2));
        let call = |target: &str| plan.hit(&Call::new(Method::GET, target)).len();
        assert_eq!([call("/x"), call("/y"), call("/x?a"), call("/x"), call("/x")], [0, 0, 1, 1, 0]);
        assert!(plan.is_spent());
        plan.add(Fault::new(Kind::IndexLag(Duration::from_secs(3))));
        assert_eq!((plan.index_lag_ms(), call("/x"), plan.is_spent()), (3000, 0, false));
    }
}
