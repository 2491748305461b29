//! A timer that is set anew for every call and seldom touched: its deadline only moves on, so it may fire early and is put off then.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// See the module.
#[derive(Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Whether `due` has passed; if not, the task is woken when it has.
    pub(crate) fn is_over(&mut self, context: &mut Context<'_>, due: Instant) -> bool {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        }
        while let Poll::Ready(()) = sleep.as_mut().poll(context) {
            if Instant::now() >= due {
                return true;
            }
            sleep.as_mut().reset(due);
        }
        false
    }
}
