//! Which target is asked: in turn, by weight, those that are well.

use std::sync::atomic::Ordering;

use blueprint::model::UpstreamTarget;

use super::Upstream;

/// Every target as often as its weight says, as evenly spread as can be: the target that is furthest behind its share comes next.
pub(super) fn order(targets: &[UpstreamTarget]) -> Box<[u8]> {
    let total: i64 = targets.iter().map(|target| i64::from(target.weight)).sum();
    let mut behind = vec![0_i64; targets.len()];
    let mut order = Vec::new();
    for _ in 0..total {
        for (behind, target) in behind.iter_mut().zip(targets) {
            *behind += i64::from(target.weight);
        }
        // The first of those furthest behind.
        let Some(next) = (0..targets.len()).rev().max_by_key(|at| behind[*at]) else { break };
        behind[next] -= total;
        order.push(u8::try_from(next).unwrap_or(u8::MAX));
    }
    order.into()
}

impl Upstream {
    /// A target that is available and not among `tried` (a bit for each).
    pub(crate) fn choose(&self, tried: u64) -> Option<usize> {
        let now = self.ambient.now();
        let from = self.next.fetch_add(1, Ordering::Relaxed);
        (0..self.order.len()).find_map(|step| {
            let at = usize::from(self.order[(from + step) % self.order.len()]);
            (tried & (1 << at) == 0 && self.targets[at].is_available(now)).then_some(at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_kept_and_mixed() {
        let target = |weight| UpstreamTarget { url: String::new(), weight };
        assert_eq!(&*order(&[target(1)]), [0]);
        assert_eq!(&*order(&[target(1), target(1)]), [0, 1]);
        assert_eq!(&*order(&[target(3), target(1)]), [0, 0, 1, 0]);
        let many = order(&[target(100), target(50), target(7)]);
        let count = |at: u8| many.iter().filter(|one| **one == at).count();
        assert_eq!([count(0), count(1), count(2)], [100, 50, 7]);
    }
}
