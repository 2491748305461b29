//! A node's share of a credential's limits: requests that the server has counted already and this node has not yet used.
//!
//! The first request asks the server for itself alone. When more follow soon, the node asks for some ahead, twice as many each time, never
//! more than 1/[`SHARE`] of what is left, and answers from these without asking. What it did not use within [`LASTS_MS`] it gives back. So
//! the nodes together never admit more than the limit while the server answers; and one of them refuses too early, for at most as long as a
//! share lasts, while others hold the rest: at most 1/[`SHARE`] of what was left for each of these.

use super::limiter::State;
use super::{Cells, Decision, Limits, MAX_WINDOWS};

/// How long a share may be used, in ms, and a refusal repeated without asking again.
pub(super) const LASTS_MS: u64 = 250;
/// At most one in so many of what is left is set aside.
pub(super) const SHARE: u64 = 32;
/// Most that is set aside at once.
const MOST: u64 = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    /// What is left of the share.
    tokens: u64,
    /// How many of it were used.
    spent: u64,
    /// Until when it may be used.
    until: u64,
    /// How many to set aside next.
    want: u64,
    /// Whether somebody asks for a share right now; others then ask for themselves alone.
    asking: bool,
    /// The server's time and number of the answer known last: answers may come out of their order.
    answer: (u64, u64),
    /// The counters as the server told them last.
    known: [Cells; MAX_WINDOWS],
    /// What was admitted here while the server could not be asked.
    owed: [Cells; MAX_WINDOWS],
    /// What was set aside and not used, and the server does not know that yet.
    unreturned: u64,
    /// Whether the sweeper knows that something may have to be given back.
    listed: bool,
}

/// What the server is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) cost: u64,
    pub(crate) want: u64,
    pub(crate) back: u64,
    pub(crate) arrival: u64,
    /// Of the answer that `known` is from.
    pub(crate) number: u64,
    pub(crate) known: [Cells; MAX_WINDOWS],
    pub(crate) owed: [Cells; MAX_WINDOWS],
}

/// What it answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) admitted: bool,
    pub(crate) aside: u64,
    pub(crate) now: u64,
    pub(crate) number: u64,
    /// When the bucket is whole again, in ns.
    pub(crate) arrival: u64,
    pub(crate) cells: [Cells; MAX_WINDOWS],
}

impl State {
    fn lease(&mut self) -> &mut Lease {
        self.lease.get_or_insert_default()
    }

    /// Decides without asking, where that is clear: from what is set aside, or because the server said shortly ago that there is no room.
    pub(super) fn decide_from_share(&mut self, limits: &Limits, now: u64, cost: u64) -> Option<Decision> {
        let lease = self.lease();
        let is_fresh = now < lease.until;
        if is_fresh && lease.tokens >= cost {
            lease.tokens -= cost;
            lease.spent += cost;
            let aside = lease.tokens;
            self.used(limits, now);
            return Some(self.tell(limits, now, aside, None));
        }
        if is_fresh && lease.tokens == 0 {
            let refused = self.refusal(limits, now, cost)?;
            return Some(self.tell(limits, now, 0, Some(refused)));
        }
        None
    }

    /// What to ask the server for a request of `cost`.
    pub(super) fn question(&mut self, now: u64, cost: u64) -> Question {
        let is_fresh = now < self.lease().until;
        if !is_fresh {
            self.put_down();
        }
        let arrival = self.arrival;
        let lease = self.lease();
        let mut want = 0;
        if !lease.asking {
            lease.asking = true;
            // A share that was used up in its time was too small; one that was not is as large as what was used of it.
            lease.want = if is_fresh { (lease.want * 2).clamp(1, MOST) } else { lease.spent.min(MOST) };
            lease.spent = 0;
            want = lease.want;
        }
        let (back, owed) = (std::mem::take(&mut lease.unreturned), std::mem::take(&mut lease.owed));
        Question { cost, want, back, arrival, number: lease.answer.1, known: lease.known, owed }
    }

    /// Takes what is set aside out of the counters here; the server learns of it with the next question.
    fn put_down(&mut self) {
        if let Some(lease) = &mut self.lease {
            let unused = std::mem::take(&mut lease.tokens);
            lease.unreturned += unused;
            self.cells.iter_mut().for_each(|cells| cells.give_back(unused));
        }
    }

    /// Takes the server's answer over. `now` is this node's time in the server's clock. Answers the decision, and whether the sweeper has to
    /// be told of the share.
    pub(super) fn settle(&mut self, limits: &Limits, now: u64, cost: u64, answer: &Answer) -> (Decision, bool) {
        let lease = self.lease();
        lease.asking = false;
        lease.tokens += answer.aside;
        lease.until = now + LASTS_MS;
        let list = lease.tokens > 0 && !lease.listed;
        lease.listed |= list;
        let aside = lease.tokens;
        if (answer.now, answer.number) > lease.answer {
            lease.answer = (answer.now, answer.number);
            lease.known = answer.cells;
            (self.cells, self.arrival) = (answer.cells, answer.arrival);
        }
        self.used(limits, now);
        let refused = if answer.admitted { None } else { Some(self.refusal(limits, now, cost).unwrap_or((limits.windows[0].name, 1))) };
        (self.tell(limits, now, aside, refused), list)
    }

    /// The server did not answer: what was asked is not known to have been counted.
    pub(super) fn unanswered(&mut self, limits: &Limits, question: &Question) {
        let lease = self.lease();
        lease.asking = false;
        lease.unreturned += question.back;
        for ((window, owed), kept) in limits.windows.iter().zip(&mut lease.owed).zip(question.owed) {
            let [index, present, _] = kept.parts();
            if *owed == Cells::default() {
                *owed = kept;
            } else {
                owed.add(*window, index.saturating_mul(window.millis), present);
            }
        }
    }

    /// Decides alone, because the server is away: what is set aside goes back into the counters, and what is admitted is owed to the server.
    pub(super) fn decide_alone(&mut self, limits: &Limits, now: u64, cost: u64) -> Decision {
        self.put_down();
        let decision = self.decide(limits, now, cost);
        if decision.admitted {
            let lease = self.lease();
            for (window, owed) in limits.windows.iter().zip(&mut lease.owed) {
                owed.add(*window, now, cost);
            }
        }
        decision
    }

    /// What to give back, if a share's time is over; none: nothing. Still to be watched: the second answer.
    pub(super) fn overdue(&mut self, now: u64) -> (Option<Question>, bool) {
        let Some(lease) = &mut self.lease else { return (None, false) };
        if lease.tokens == 0 || lease.asking {
            lease.listed = lease.asking;
            return (None, lease.asking);
        }
        if now < lease.until {
            return (None, true);
        }
        lease.listed = false;
        let mut question = self.question(now, 0);
        question.want = 0;
        (Some(question), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Window;

    fn limits() -> Limits {
        Limits::new(vec![Window { name: "minute", quota: 1000, millis: 60_000 }], None).unwrap()
    }

    fn answer(now: u64, number: u64, present: u64, aside: u64) -> Answer {
        let cells = [Cells::new(now / 60_000, present, 0), Cells::default(), Cells::default()];
        Answer { admitted: true, aside, now, number, arrival: 0, cells }
    }

    #[test]
    fn a_share_grows_with_what_is_used_and_what_is_left_of_it_goes_back() {
        let (limits, mut state, now) = (limits(), State::default(), 6_000_000);
        assert_eq!(state.decide_from_share(&limits, now, 1), None, "the first asks");
        assert_eq!(state.question(now, 1).want, 0);
        state.settle(&limits, now, 1, &answer(now, 1, 1, 0));
        assert_eq!(state.decide_from_share(&limits, now, 1), None);
        assert_eq!(state.question(now, 1).want, 1);
        assert_eq!(state.question(now, 1).want, 0, "one asks for a share at a time");
        let (decision, list) = state.settle(&limits, now, 1, &answer(now, 2, 5, 3));
        assert!(decision.admitted && list);
        assert_eq!(decision.left[0].0, 998, "what is set aside is still left");
        assert_eq!(state.decide_from_share(&limits, now, 2).unwrap().left[0].0, 996);
        assert_eq!(state.overdue(now + LASTS_MS - 1), (None, true));
        let (given, _) = state.overdue(now + LASTS_MS);
        assert_eq!(given.map(|question| (question.cost, question.want, question.back)), Some((0, 0, 1)));
    }

    #[test]
    fn an_answer_that_comes_late_changes_nothing_that_is_newer() {
        let (limits, mut state, now) = (limits(), State::default(), 6_000_000);
        state.question(now, 1);
        state.question(now, 1);
        state.settle(&limits, now, 1, &answer(now, 2, 900, 0));
        let (decision, _) = state.settle(&limits, now, 1, &answer(now, 1, 10, 0));
        assert_eq!(decision.left[0].0, 100);
    }

    #[test]
    fn a_refusal_is_repeated_without_asking_for_a_moment_only() {
        let (limits, mut state, now) = (limits(), State::default(), 6_000_000);
        state.question(now, 1);
        let (decision, _) = state.settle(&limits, now, 1, &Answer { admitted: false, ..answer(now, 1, 1000, 0) });
        assert_eq!(decision.refused.map(|(name, _)| name), Some("minute"));
        assert!(!state.decide_from_share(&limits, now + LASTS_MS - 1, 1).unwrap().admitted);
        assert_eq!(state.decide_from_share(&limits, now + LASTS_MS, 1), None, "others may have given back");
    }

    #[test]
    fn alone_it_goes_on_from_what_it_knew_and_owes_what_it_admits() {
        let (limits, mut state, now) = (limits(), State::default(), 6_000_000);
        state.question(now, 1);
        state.settle(&limits, now, 1, &answer(now, 1, 990, 5));
        let admitted = (0..50).filter(|_| state.decide_alone(&limits, now, 1).admitted).count();
        assert_eq!(admitted, 15, "990 are counted, 5 of them were set aside and not used");
        let question = state.question(now + LASTS_MS, 1);
        assert_eq!((question.known[0].parts()[1], question.owed[0].parts()[1], question.back), (990, 15, 5));
        state.unanswered(&limits, &question);
        let again = state.question(now + LASTS_MS, 1);
        assert_eq!((again.owed[0].parts()[1], again.back), (15, 5), "what was not heard is still owed");
    }
}
