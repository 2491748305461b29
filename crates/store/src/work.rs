//! Functions on their way to a database thread, and the group commit that both engines share.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use kernel::{Error, Result, Scope};
use tokio::sync::oneshot;

use crate::change::{Change, Listeners};
use crate::line::{Line, Party, Turn};
use crate::stop::{Gone, Stop};
use crate::tx::{Conn, Hook, Surroundings, Tx};

/// A group that has worked this long commits, so that a caller waits for few milliseconds of other people's work.
const GROUP_TIME: Duration = Duration::from_millis(4);

/// A function that waits for its turn.
pub(crate) trait Work: Send {
    fn scope(&self) -> &Scope;
    /// Whether whoever asked has gone.
    fn gone(&self) -> &Gone;
    /// How long it may take.
    fn limit(&self) -> Option<Duration>;
    /// Runs it and keeps its result; true if it succeeded.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Answers whoever waits: with the kept result, or with `fault` if the commit failed.
    fn finish(self: Box<Self>, fault: Option<&str>);
}

pub(crate) struct Typed<T, F> {
    scope: Scope,
    gone: Gone,
    limit: Option<Duration>,
    function: Option<F>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Typed<T, F> {
    pub(crate) fn new(scope: Scope, gone: Gone, limit: Option<Duration>, function: F) -> (Box<Self>, oneshot::Receiver<Result<T>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { scope, gone, limit, function: Some(function), result: None, reply }), answer)
    }
}

impl<T: Send, F: FnOnce(&mut Tx<'_>) -> Result<T> + Send> Work for Typed<T, F> {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn gone(&self) -> &Gone {
        &self.gone
    }

    fn limit(&self) -> Option<Duration> {
        self.limit
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(function) = self.function.take() else { return false };
        let result = catch_unwind(AssertUnwindSafe(|| function(tx))).unwrap_or_else(|panic| Err(Error::internal(describe(&*panic))));
        let succeeded = result.is_ok();
        self.result = Some(result);
        succeeded
    }

    fn finish(self: Box<Self>, fault: Option<&str>) {
        let result = match (self.result, fault) {
            // A function that failed by itself keeps its own error.
            (Some(Err(error)), _) => Err(error),
            (_, Some(fault)) => Err(crate::error::away(fault.to_owned())),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(Error::internal("a function was never run")),
        };
        // Whoever asked may have gone away; the work is done all the same.
        let _ = self.reply.send(result);
    }
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a database function panicked: {}", text.unwrap_or("no message"))
}

/// What group commit needs from an engine.
pub(crate) trait Connection {
    /// Most functions in one commit, at least 1.
    const GROUP_MAX: usize;
    fn begin(&mut self) -> Result<()>;
    /// Begins a function's savepoint under its scope.
    fn enter(&mut self, scope: &Scope) -> Result<()>;
    /// Ends it: keeps its effects, or undoes them.
    fn leave(&mut self, keep: bool) -> Result<()>;
    fn commit(&mut self, changes: &[Change]) -> Result<()>;
    fn abandon(&mut self);
    /// What stops a reader's function; none: nothing.
    fn watch(&mut self, stop: Option<Stop>);
    fn conn(&mut self) -> Conn<'_>;
}

#[derive(Default)]
struct Group {
    done: Vec<Box<dyn Work>>,
    hooks: Vec<Hook>,
    changes: Vec<Change>,
}

/// Runs `first` and what waits behind it in one transaction, commits, runs hooks, tells listeners, answers everyone.
#[allow(clippy::disallowed_methods, reason = "measures its own work; nothing observable depends on it")]
pub(crate) fn run_group<C: Connection>(connection: &mut C, first: Turn, line: &Line, around: &Surroundings, listeners: &Listeners) {
    let begun = Instant::now();
    let mut group = Group::default();
    let mut next = Some(first);
    let mut outcome = connection.begin();
    let mut since = begun;
    while let Some(Turn { mut work, party }) = next.take() {
        if outcome.is_ok() {
            outcome = run_one(connection, &mut *work, around, &mut group);
        }
        group.done.push(work);
        since = over(line, party, since);
        if outcome.is_ok() && group.done.len() < C::GROUP_MAX && since - begun < GROUP_TIME {
            next = line.next(since);
        }
    }
    let outcome = outcome.and_then(|()| {
        let committing = Instant::now();
        let outcome = connection.commit(&group.changes);
        metrics::histogram!("tradewind_store_commit_seconds").record(committing.elapsed());
        outcome
    });
    metrics::histogram!("tradewind_store_group_size").record(count(group.done.len()));
    match outcome {
        Ok(()) => {
            listeners.tell(&group.changes);
            group.hooks.into_iter().for_each(|hook| hook());
            group.done.into_iter().for_each(|work| work.finish(None));
        }
        Err(error) => {
            tracing::warn!(?error, "a group of writes was rolled back");
            connection.abandon();
            let fault = error.to_string();
            group.done.into_iter().for_each(|work| work.finish(Some(&fault)));
        }
    }
}

/// Gives a turn back that began at `since`. Answers what time it is.
#[allow(clippy::disallowed_methods, reason = "measures its own work; nothing observable depends on it")]
fn over(line: &Line, party: Party, since: Instant) -> Instant {
    let now = Instant::now();
    line.done(party, now - since, now);
    now
}

#[allow(clippy::cast_precision_loss, reason = "a group has at most GROUP_MAX members")]
fn count(n: usize) -> f64 {
    n as f64
}

fn run_one(connection: &mut impl Connection, work: &mut dyn Work, around: &Surroundings, group: &mut Group) -> Result<()> {
    connection.enter(work.scope())?;
    let mut tx = Tx::new(connection.conn(), work.scope().clone(), around);
    let keep = work.run(&mut tx);
    let (hooks, changes) = (std::mem::take(&mut tx.hooks), std::mem::take(&mut tx.changes));
    drop(tx);
    connection.leave(keep)?;
    if keep {
        group.hooks.extend(hooks);
        for change in changes {
            if !group.changes.contains(&change) {
                group.changes.push(change);
            }
        }
    }
    Ok(())
}

/// Runs one read-only function, unless whoever asked has gone.
#[allow(clippy::disallowed_methods, reason = "measures its own work; nothing observable depends on it")]
pub(crate) fn run_read(connection: &mut impl Connection, turn: Turn, line: &Line, around: &Surroundings) {
    let Turn { mut work, party } = turn;
    let since = Instant::now();
    if work.gone().load(Ordering::Relaxed) {
        over(line, party, since);
        return;
    }
    connection.watch(Some(Stop::new(Arc::clone(work.gone()), work.limit())));
    let outcome = connection.begin().and_then(|()| {
        connection.enter(work.scope())?;
        let mut tx = Tx::new(connection.conn(), work.scope().clone(), around);
        work.run(&mut tx);
        Ok(())
    });
    connection.watch(None);
    connection.abandon();
    over(line, party, since);
    let fault = outcome.err().map(|error| error.to_string());
    work.finish(fault.as_deref());
}
