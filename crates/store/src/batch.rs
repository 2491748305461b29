//! Gathers items of many callers into one function call, so that a group costs one multi-row statement and not one savepoint an item.

use std::sync::Arc;

use kernel::{Error, Result, Scope};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{Store, Tx};

/// Items that may wait before callers are told that the server is overloaded.
const QUEUE: usize = 100_000;

type Entry<I, O> = (I, oneshot::Sender<Result<O>>);
type Function<I, O> = dyn Fn(&mut Tx<'_>, &[I]) -> Result<Vec<O>> + Send + Sync;

/// A batcher of items `I` that are each answered with an `O`. Cheap to clone. Groups form while earlier groups commit: an idle batcher
/// adds no wait.
pub struct Batcher<I, O> {
    queue: mpsc::Sender<Entry<I, O>>,
}

impl<I, O> Clone for Batcher<I, O> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<I: Clone + Send + Sync + 'static, O: Send + 'static> Batcher<I, O> {
    /// Starts one: groups of at most `most` items run through `function`, which answers one `O` an item, in order; at most `at_once` groups are
    /// under way. If a group of several fails, its items are tried one by one, so that a bad item fails alone. Must be called on a
    /// tokio runtime; ends when the last clone is dropped.
    pub fn start(
        store: Store,
        scope: Scope,
        most: usize,
        at_once: usize,
        function: impl Fn(&mut Tx<'_>, &[I]) -> Result<Vec<O>> + Send + Sync + 'static,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let groups = Groups { store, scope, most, slots: Arc::new(Semaphore::new(at_once)), function: Arc::new(function) };
        tokio::spawn(groups.run(waiting));
        Self { queue }
    }

    /// Adds an item and waits for its answer, which comes after the commit.
    ///
    /// Errors: 503 `overloaded` when too much is waiting; whatever the function answers.
    pub async fn submit(&self, item: I) -> Result<O> {
        let answer = self.enqueue(item)?;
        answer.await.unwrap_or_else(|_| Err(Error::unavailable("shutting_down", "The server is stopping. Try again shortly.")))
    }

    /// Adds an item without waiting: the receiver gets the answer.
    pub fn enqueue(&self, item: I) -> Result<oneshot::Receiver<Result<O>>> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send((item, reply)).map_err(|_| {
            Error::unavailable("overloaded", "Too much is waiting to be written. Try again shortly.")
                .retry_after(std::time::Duration::from_secs(1))
        })?;
        Ok(answer)
    }
}

struct Groups<I, O> {
    store: Store,
    scope: Scope,
    most: usize,
    slots: Arc<Semaphore>,
    function: Arc<Function<I, O>>,
}

impl<I: Clone + Send + Sync + 'static, O: Send + 'static> Groups<I, O> {
    async fn run(self, mut waiting: mpsc::Receiver<Entry<I, O>>) {
        loop {
            // The slot first: while all groups are under way, items gather.
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else { return };
            let mut group = Vec::new();
            if waiting.recv_many(&mut group, self.most).await == 0 {
                return;
            }
            let (store, scope, function) = (self.store.clone(), self.scope.clone(), Arc::clone(&self.function));
            tokio::spawn(async move {
                commit(&store, &scope, &function, group).await;
                drop(slot);
            });
        }
    }
}

async fn commit<I, O>(store: &Store, scope: &Scope, function: &Arc<Function<I, O>>, group: Vec<Entry<I, O>>)
where
    I: Clone + Send + Sync + 'static,
    O: Send + 'static,
{
    let (items, replies): (Vec<I>, Vec<_>) = group.into_iter().unzip();
    let items = Arc::new(items);
    match write(store, scope, function, Arc::clone(&items)).await {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                let _ = reply.send(Ok(answer));
            }
        }
        Err(error) if items.len() == 1 => {
            for reply in replies {
                let _ = reply.send(Err(copy(&error)));
            }
        }
        Err(_) => {
            for (item, reply) in items.iter().cloned().zip(replies) {
                let answer = write(store, scope, function, Arc::new(vec![item])).await;
                let _ = reply.send(answer.and_then(|mut one| one.pop().ok_or_else(|| Error::internal("a batch function gave no answer"))));
            }
        }
    }
}

async fn write<I, O>(store: &Store, scope: &Scope, function: &Arc<Function<I, O>>, items: Arc<Vec<I>>) -> Result<Vec<O>>
where
    I: Send + Sync + 'static,
    O: Send + 'static,
{
    let function = Arc::clone(function);
    let expected = items.len();
    let answers = store.write(scope.clone(), move |tx| function(tx, &items)).await?;
    if answers.len() != expected {
        return Err(Error::internal(format!("a batch function gave {} answers for {expected} items", answers.len())));
    }
    Ok(answers)
}

/// Errors have a source that cannot be cloned; what people and programs see can.
fn copy(error: &Error) -> Error {
    let copy = Error::new(error.kind(), error.code(), error.detail().to_owned())
        .with_fields(error.fields().to_vec())
        .caused_by(format!("{error:?}"));
    match error.wait() {
        Some(wait) => copy.retry_after(wait),
        None => copy,
    }
}
