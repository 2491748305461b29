//! The end: time passes until nothing is left to do.

use std::cell::Cell;
use std::time::Duration;

use kernel::{Scope, Timestamp};
use webhooks::Change;

use super::expected::Standing;
use super::world::World;

/// Looks after which something that has not ended is stuck: more than any schedule needs, and those of many keys one after another.
const LOOKS: u32 = 20000;

struct Left {
    queued: i64,
    due: Option<Timestamp>,
    /// Groups of a dead life's attempts that are not yet in the log.
    unlogged: i64,
}

impl World {
    /// Lets time pass until everything has ended; what did not is answered.
    pub(super) async fn calm_down(&mut self) -> Option<String> {
        for at in self.expected.living() {
            if self.expected.subscriptions[at].standing == Standing::Paused {
                let change = if self.rng.percent(70) { Change::Resume } else { Change::Disable };
                self.set(at, change).await;
            }
        }
        self.diary.push(format!("{} the end begins", self.now()));
        let (looks, pace, before) = (Cell::new(0_u32), Cell::new(1_000_u64), Cell::new((0, 0)));
        let world = &*self;
        let look = || async {
            let left = world.left().await;
            let (sleeping, wakes) = world.outside.sleeping();
            let now = world.life().dispatch.snapshot();
            if left.queued == 0 && left.unlogged == 0 && sleeping == 0 && now.unsettled == 0 {
                return Some(None);
            }
            looks.set(looks.get() + 1);
            if looks.get() > LOOKS {
                return Some(Some(format!("{} queued, {sleeping} waiting, {now:?}", left.queued)));
            }
            world.let_time_pass(&left, wakes, &pace, &before);
            None
        };
        testkit::wait::until("everything ended", Duration::from_secs(300), look).await
    }

    /// To the next thing that waits; if that brought nothing, further and further.
    fn let_time_pass(&self, left: &Left, wakes: Option<Timestamp>, pace: &Cell<u64>, before: &Cell<(i64, usize)>) {
        let seen = (left.queued, self.outside.count());
        let moved = before.replace(seen) != seen;
        pace.set(if moved { 200 } else { (pace.get() * 3 / 2).min(120_000) });
        let now = self.now();
        let next = [left.due, wakes].into_iter().flatten().filter(|at| *at > now).min();
        let step = Duration::from_millis(pace.get());
        let to = next.map_or_else(|| now.plus(step), |next| if moved { next.min(now.plus(step)) } else { next.max(now.plus(step)) });
        self.clock.set(to);
        self.ring();
    }

    async fn left(&self) -> Left {
        let node = self.life().dispatch.node().id;
        let read = move |tx: &mut store::Tx<'_>| {
            let (queued, due) = tx.query_one("SELECT COUNT(*), MIN(due_at) FROM queue", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let others = "SELECT COUNT(*) FROM attempt_journal WHERE node <> ?1";
            Ok(Left { queued, due, unlogged: tx.query_one(others, &[node.into()], |row| row.get(0))? })
        };
        self.store.read(Scope::system("test"), read).await.unwrap()
    }
}
