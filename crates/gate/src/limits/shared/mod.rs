//! Limits that hold across nodes: the counters of all windows in Redis (or Valkey), one script for each question.
//!
//! One multiplexed connection carries all questions of this process. A question that is not answered within the time-out, or a broken
//! connection, makes the server count as away: limits are then decided by each node alone, at once and without waiting, until the keeper
//! ([`Shared::keep`]) has it back.

mod script;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kernel::{Ambient, Error, Result, Secret};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, IntoConnectionInfo as _, RedisConnectionInfo};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use web::outbound::{Client, ClientConfig, Peer, Security, UrlPolicy};

use super::Limits;
use super::lease::{Answer, Question};

/// How long opening a connection may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long the keeper waits between attempts, and between looks at a connection that stands.
const AGAIN: Duration = Duration::from_millis(250);
const LOOK: Duration = Duration::from_secs(2);

/// How the server that limits are shared by is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedState {
    /// None is set: limits hold in this process.
    Unused,
    /// It answers: limits hold across nodes.
    Up,
    /// It does not: each node decides alone.
    Away,
}

/// A connection, and the script's name on it.
struct Live {
    commands: MultiplexedConnection,
    script: String,
    driver: JoinHandle<()>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The server.
pub(crate) struct Shared {
    client: Client,
    peer: Peer,
    info: RedisConnectionInfo,
    timeout: Duration,
    live: ArcSwapOption<Live>,
    is_up: AtomicBool,
    /// The server's clock less ours, in ms.
    offset: AtomicI64,
    trouble: Notify,
}

impl Shared {
    /// From `redis://[user:password@]host:port/db`, or `rediss://` with TLS. Error: 422 `validation_failed` for anything else.
    pub(crate) fn new(url: &Secret<String>, timeout: Duration) -> Result<Self> {
        let text = url.reveal();
        let wrong = || Error::field("/redisUrl", "TRADEWIND_REDIS_URL must be redis://host:port/db or rediss://host:port/db");
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (security, port) = match scheme {
            "redis" | "valkey" => (Security::Clear, 6379),
            "rediss" | "valkeys" => (Security::Tls, 6379),
            _ => return Err(wrong()),
        };
        // TLS is ours, not the library's: it reads the rest only.
        let info = format!("redis://{rest}").into_connection_info().map_err(|_| wrong())?;
        let redis::ConnectionAddr::Tcp(host, given) = info.addr() else { return Err(wrong()) };
        let port = if *given == 0 { port } else { *given };
        let peer = Peer { host: host.clone(), port, security };
        // The operator's own server: any address will do.
        let everywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|net| net.parse().ok()).collect();
        let policy = UrlPolicy { allow_http: true, allow_networks: everywhere };
        let client = Client::new(ClientConfig::new(policy)).map_err(Error::internal)?;
        Ok(Self {
            client,
            peer,
            info: info.redis_settings().clone(),
            timeout,
            live: ArcSwapOption::empty(),
            is_up: AtomicBool::new(false),
            offset: AtomicI64::new(0),
            trouble: Notify::new(),
        })
    }

    /// Whether it answered last.
    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    /// `now` (ms) in the server's clock.
    pub(crate) fn time(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.offset.load(Ordering::Relaxed))
    }

    /// Asks about the credential `id`. None: the server is away; the keeper knows.
    pub(crate) async fn ask(&self, id: &str, limits: &Limits, question: &Question, now: u64) -> Option<Answer> {
        let live = self.live.load_full()?;
        let command = script::call(&live.script, id, limits, question, 0);
        let mut commands = live.commands.clone();
        let asked = command.query_async::<Vec<i64>>(&mut commands);
        metrics::counter!("tradewind_limits_redis_calls").increment(1);
        let answer = match tokio::time::timeout(self.timeout, asked).await {
            Ok(Ok(parts)) => script::answer(&parts, limits),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a question about a limit failed");
                None
            }
            Err(_) => None,
        };
        match &answer {
            Some(answer) => self.offset.store(distance(answer.now, now), Ordering::Relaxed),
            None => self.down(&live),
        }
        answer
    }

    /// Whether this is the first that the server hears of a name, which it remembers for so long. None: the server is away; the keeper knows.
    pub(crate) async fn is_first(&self, name: &[u8; 16], memory: Duration) -> Option<bool> {
        let live = self.live.load_full()?;
        let mut commands = live.commands.clone();
        let mut set = redis::cmd("SET");
        set.arg(format!("tradewind:proofs:{:032x}", u128::from_be_bytes(*name))).arg(1);
        set.arg("NX").arg("PX").arg(u64::try_from(memory.as_millis()).unwrap_or(u64::MAX));
        match tokio::time::timeout(self.timeout, set.query_async::<Option<String>>(&mut commands)).await {
            Ok(Ok(answer)) => Some(answer.is_some()),
            failed => {
                tracing::debug!(?failed, "a question about a proof failed");
                self.down(&live);
                None
            }
        }
    }

    /// `failed` is of no use any more. The keeper opens another.
    fn down(&self, failed: &Arc<Live>) {
        let present = self.live.load_full();
        if present.is_some_and(|present| Arc::ptr_eq(&present, failed)) {
            self.live.store(None);
            self.report(false);
            self.trouble.notify_one();
        }
    }

    fn report(&self, is_up: bool) {
        metrics::gauge!("tradewind_limits_redis_up").set(f64::from(u8::from(is_up)));
        if self.is_up.swap(is_up, Ordering::Relaxed) != is_up {
            if is_up {
                tracing::info!("limits hold across nodes: Redis answers");
            } else {
                tracing::warn!("Redis does not answer: each node limits alone until it does");
            }
        }
    }

    /// Keeps a connection for as long as `this` is held by somebody else.
    pub(crate) async fn keep(this: std::sync::Weak<Self>, ambient: Ambient) {
        let mut said = false;
        loop {
            let Some(shared) = this.upgrade() else { return };
            if shared.live.load().is_some() {
                shared.look().await;
            } else if let Err(error) = shared.connect(&ambient).await {
                if !said {
                    tracing::warn!(%error, "no connection to Redis");
                }
                said = true;
                shared.report(false);
            } else {
                said = false;
            }
            let wait = if shared.live.load().is_some() { LOOK } else { AGAIN };
            let trouble = Arc::clone(&shared);
            drop(shared);
            let _ = tokio::time::timeout(wait, trouble.trouble.notified()).await;
        }
    }

    async fn connect(&self, ambient: &Ambient) -> Result<(), String> {
        let stream = self.client.open(&self.peer, CONNECT).await.map_err(|error| error.to_string())?;
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let opening = MultiplexedConnection::new_with_config(&self.info, stream, config);
        let opened = tokio::time::timeout(CONNECT, opening).await.map_err(|_| "no greeting in time".to_owned())?;
        let (mut commands, driver) = opened.map_err(|error| error.to_string())?;
        let driver = tokio::spawn(driver);
        let loading = async {
            let script: String = redis::cmd("SCRIPT").arg("LOAD").arg(script::TEXT).query_async(&mut commands).await?;
            let clock: (u64, u64) = redis::cmd("TIME").query_async(&mut commands).await?;
            Ok::<_, redis::RedisError>((script, clock.0 * 1000 + clock.1 / 1000))
        };
        let loaded = tokio::time::timeout(CONNECT, loading).await;
        let (script, theirs) = match loaded {
            Ok(Ok(loaded)) => loaded,
            failed => {
                driver.abort();
                return Err(
                    failed.map_or_else(|_| "no answer in time".to_owned(), |error| error.err().map_or_else(String::new, |e| e.to_string()))
                );
            }
        };
        let ours = u64::try_from(ambient.now().millis()).unwrap_or(0);
        self.offset.store(distance(theirs, ours), Ordering::Relaxed);
        self.live.store(Some(Arc::new(Live { commands, script, driver })));
        self.report(true);
        Ok(())
    }

    /// Finds out that a connection is gone before a request does.
    async fn look(&self) {
        let Some(live) = self.live.load_full() else { return };
        let ping = redis::cmd("PING").query_async::<String>(&mut live.commands.clone()).await;
        if !matches!(ping, Ok(answer) if answer == "PONG") {
            self.down(&live);
        }
    }

    /// Runs the script at a given time, for the test that compares it with ours.
    #[cfg(test)]
    pub(super) async fn ask_at(&self, id: &str, limits: &Limits, question: &Question, at: u64) -> Answer {
        let live = self.live.load_full().unwrap();
        let parts: Vec<i64> = script::call(&live.script, id, limits, question, at).query_async(&mut live.commands.clone()).await.unwrap();
        script::answer(&parts, limits).unwrap()
    }

    #[cfg(test)]
    pub(super) async fn connected(url: &str) -> Self {
        let shared = Self::new(&Secret::new(url.to_owned()), Duration::from_secs(5)).unwrap();
        shared.connect(&Ambient::system()).await.unwrap();
        shared
    }
}

fn distance(theirs: u64, ours: u64) -> i64 {
    i64::try_from(theirs).unwrap_or(0).saturating_sub(i64::try_from(ours).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::limiter::Limiter;
    use crate::limits::{Cells, Window};

    /// The same requests at the same times: the script and the limiter of one process decide and count alike.
    #[tokio::test]
    async fn the_script_counts_as_the_limiter_does() {
        let shared = Shared::connected(&testkit::redis::url()).await;
        let ambient = Ambient::system();
        let window = |name, quota, millis| Window { name, quota, millis };
        let all = [
            Limits::new(vec![window("minute", 60, 60_000), window("hour", 300, 3_600_000), window("day", 900, 86_400_000)], Some(10)),
            Limits::new(vec![window("custom", 7, 1000)], None),
            Limits::new(vec![window("minute", 1_000_000_000, 60_000)], Some(999_999_999)),
            Limits::new(vec![window("day", 999_999_937, 86_399_989)], None),
        ];
        for limits in all.into_iter().flatten() {
            let (limiter, id): (_, Arc<str>) = (Limiter::default(), testkit::unique("limit").into());
            let span = limits.windows[0].millis;
            let mut now = 1_760_000_000_123;
            for step in 0..400_u64 {
                let cost = if step % 7 == 0 { limits.windows[0].quota / 5 + 1 } else { 1 + ambient.below(3) };
                now += ambient.below(if step % 50 == 49 { span * 2 } else { span / 20 });
                let ours = limiter.decide(&id, &limits, now, cost);
                let theirs = shared.ask_at(&id, &limits, &Question { cost, ..Question::default() }, now).await;
                let cells = limiter.with_known(&id, |state| (state.cells, state.arrival.max(now * 1_000_000))).unwrap();
                assert_eq!(theirs.admitted, ours.admitted, "{limits:?} at {now}, cost {cost}");
                assert_eq!((theirs.cells, theirs.arrival.max(now * 1_000_000)), cells, "{limits:?} at {now}");
                assert_eq!((theirs.now, theirs.number), (now, step + 1));
            }
        }
    }

    #[tokio::test]
    async fn what_is_set_aside_is_counted_and_what_comes_back_is_not() {
        let shared = Shared::connected(&testkit::redis::url()).await;
        let limits = Limits::new(vec![Window { name: "minute", quota: 640, millis: 60_000 }], Some(320)).unwrap();
        let (id, now) = (testkit::unique("limit"), 1_760_000_001_000_u64);
        let question = |cost, want, back, known| Question {
            cost,
            want,
            back,
            known: [known, Cells::default(), Cells::default()],
            ..Question::default()
        };
        let first = shared.ask_at(&id, &limits, &question(1, 1000, 0, Cells::default()), now).await;
        // Of the 319 that the burst still holds, a thirty-second part.
        assert_eq!((first.admitted, first.aside, first.cells[0].parts()[1]), (true, 9, 10));
        let back = shared.ask_at(&id, &limits, &question(0, 0, 9, first.cells[0]), now).await;
        assert_eq!((back.cells[0].parts()[1], (back.arrival - now * 1_000_000) / 1_000_000), (1, 93));
    }

    #[tokio::test]
    async fn a_server_that_lost_its_memory_learns_what_is_known_and_owed() {
        let shared = Shared::connected(&testkit::redis::url()).await;
        let limits = Limits::new(vec![Window { name: "minute", quota: 100, millis: 60_000 }], None).unwrap();
        let (id, now) = (testkit::unique("limit"), 1_760_000_001_000_u64);
        let index = now / 60_000;
        let question = |known, owed| Question {
            cost: 1,
            number: 7,
            known: [Cells::new(index, known, 0), Cells::default(), Cells::default()],
            owed: [Cells::new(index, owed, 0), Cells::default(), Cells::default()],
            ..Question::default()
        };
        let one = shared.ask_at(&id, &limits, &question(90, 4), now).await;
        assert_eq!((one.admitted, one.cells[0].parts()[1]), (true, 95));
        let two = shared.ask_at(&id, &limits, &question(90, 3), now).await;
        assert_eq!((two.admitted, two.cells[0].parts()[1]), (true, 99), "what each owes is added, what all know is not");
        assert!(!shared.ask_at(&id, &limits, &question(90, 1), now).await.admitted);
        let back = shared.ask_at(&id, &limits, &Question { back: 40, ..question(90, 0) }, now).await;
        let remembers = shared.ask_at(&id, &limits, &Question { number: back.number, ..question(90, 0) }, now).await;
        assert_eq!(remembers.cells[0].parts()[1], back.cells[0].parts()[1] + 1, "one that remembers is not told what it knows better");
    }

    #[tokio::test]
    async fn a_name_is_heard_first_once_until_it_is_forgotten() {
        let (one, other) = (Shared::connected(&testkit::redis::url()).await, Shared::connected(&testkit::redis::url()).await);
        let name: [u8; 16] = Ambient::system().bytes();
        let long = Duration::from_secs(60);
        assert_eq!(one.is_first(&name, long).await, Some(true));
        assert_eq!((other.is_first(&name, long).await, one.is_first(&name, long).await), (Some(false), Some(false)));
        let brief: [u8; 16] = Ambient::system().bytes();
        assert_eq!(one.is_first(&brief, Duration::from_millis(1)).await, Some(true));
        testkit::wait::until("it is forgotten", long, || async { (other.is_first(&brief, long).await == Some(true)).then_some(()) }).await;
    }

    #[test]
    fn addresses_are_read() {
        for good in ["redis://127.0.0.1:6379", "redis://u:p@redis.example:7000/3", "rediss://redis.example", "valkey://[::1]:6379/0"] {
            assert!(Shared::new(&Secret::new(good.to_owned()), CONNECT).is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:6379", "http://127.0.0.1", "redis+unix:///tmp/x", "redis://host:port"] {
            assert!(Shared::new(&Secret::new(bad.to_owned()), CONNECT).is_err(), "{bad}");
        }
    }
}
