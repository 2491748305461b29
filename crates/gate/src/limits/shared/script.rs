//! The script's arguments and answer.

use redis::Cmd;

use crate::limits::lease::{Answer, Question, SHARE};
use crate::limits::{Cells, Limits, MAX_WINDOWS};

/// See the file.
pub(super) const TEXT: &str = include_str!("counters.lua");

/// A call about `id`. `at`: the time in ms; 0: the server's own.
pub(super) fn call(script: &str, id: &str, limits: &Limits, question: &Question, at: u64) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script).arg(1).arg(format!("tradewind:limits:{id}"));
    command.arg(at).arg(question.cost).arg(question.want).arg(SHARE).arg(question.back);
    let (size, interval) = limits.bucket.map_or((0, 1), |bucket| (bucket.size, bucket.interval()));
    command.arg(size).arg(interval).arg(question.arrival / 1_000_000).arg(question.arrival % 1_000_000).arg(question.number);
    for (window, (known, owed)) in limits.windows.iter().zip(question.known.iter().zip(&question.owed)) {
        command.arg(window.quota).arg(window.millis);
        for part in known.parts().into_iter().chain(owed.parts()) {
            command.arg(part);
        }
    }
    command
}

/// None: it is not what the script answers.
pub(super) fn answer(parts: &[i64], limits: &Limits) -> Option<Answer> {
    let number = |at: usize| parts.get(at).and_then(|part| u64::try_from(*part).ok());
    let now = number(2)?;
    let mut cells = [Cells::default(); MAX_WINDOWS];
    for (w, cell) in cells.iter_mut().take(limits.windows.len()).enumerate() {
        *cell = Cells::new(number(5 + w * 3)?, number(6 + w * 3)?, number(7 + w * 3)?);
    }
    let arrival = now.saturating_mul(1_000_000).saturating_add(number(4)?);
    Some(Answer { admitted: number(0)? == 1, aside: number(1)?, now, number: number(3)?, arrival, cells })
}
