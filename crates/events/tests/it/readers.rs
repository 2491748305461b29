//! Poll and stream: nothing is skipped, places are kept, readers wake.

use std::sync::Arc;
use std::time::{Duration, Instant};

use events::{Events, PollQuery, Polled, Publish, Start, StreamOptions, StreamQuery};
use kernel::{Caller, Credential, PermissionSet};
use testkit::wait;
use tokio::sync::mpsc::Receiver;

use crate::bed::{Bed, input, lead};

/// How long a condition may take on a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn named(consumer: &str) -> PollQuery {
    PollQuery { consumer: Some(consumer.into()), ..PollQuery::default() }
}

fn after(answer: &Polled) -> PollQuery {
    PollQuery { cursor: answer.cursor.clone(), ..PollQuery::default() }
}

fn ids(answer: &Polled) -> Vec<String> {
    answer.data.iter().map(|item| item.event.id.to_string()).collect()
}

impl Bed {
    async fn poll(&self, query: PollQuery) -> Polled {
        self.events.poll(&self.caller(), query, 100).await.unwrap()
    }

    async fn publish(&self, id: &str) {
        self.events.publish(&self.caller(), lead(Some(id))).await.unwrap();
        self.readable().await;
    }

    /// Waits until everything that is committed can be read. On PostgreSQL whatever else runs in the cluster, such as another test's transaction,
    /// holds readers up while it lasts.
    async fn readable(&self) {
        const HELD: store::Dialect = store::Dialect {
            sqlite: "SELECT 0",
            postgres: "SELECT COUNT(*) FROM event_groups WHERE seq >= \
                       (SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) + value FROM event_clock)",
        };
        let none = async || {
            let held = self.store.read(kernel::Scope::system("test"), |tx| tx.query_one(HELD, &[], |row| row.get::<i64>(0)));
            (held.await.unwrap() == 0).then_some(())
        };
        wait::until("everything can be read", SOON, none).await;
    }

    /// A key of this client.
    fn key_of(&self, client: kernel::ClientId) -> Caller {
        let credential = Credential::Key { key: self.ambient.id(), client };
        Caller::new(credential, Some(self.tenant), Arc::from([]), PermissionSet::all())
    }

    /// A third instance on the same data, whose streams have these habits.
    fn with_streams(&self, streams: StreamOptions) -> Arc<Events> {
        let blueprint = blueprint::load("insurance-leads").unwrap();
        Events::with_streams(self.store.clone(), self.ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true)), streams).unwrap()
    }
}

/// Waits until notices of other nodes are followed: at that moment everything may have changed, and streams begin anew.
async fn settled(bed: &Bed) {
    let heard = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    bed.store.on_change(Box::new(move |change| {
        count.fetch_add(usize::from(change.topic == "settled"), std::sync::atomic::Ordering::SeqCst);
    }));
    // PostgreSQL tells a node its own notices as well.
    let wanted = if bed.store.engine() == store::Engine::Postgres { 2 } else { 1 };
    wait::until("notices", SOON, async || {
        heard.store(0, std::sync::atomic::Ordering::SeqCst);
        let notify = bed.store.write(kernel::Scope::system("test"), |tx| {
            tx.notify("settled", 1);
            Ok(())
        });
        notify.await.unwrap();
        testkit::wait::poll(Duration::from_millis(200), || (heard.load(std::sync::atomic::Ordering::SeqCst) >= wanted).then_some(()))
    })
    .await;
}

fn of_type(event_type: &str, id: &str) -> Publish {
    input(&format!(r#"{{"type":"{event_type}","id":"{id}","data":{{"leadId":"1","quoteId":"2"}}}}"#))
}

/// The pieces so far, until `enough` says so.
async fn read_until(pieces: &mut Receiver<bytes::Bytes>, text: &mut String, enough: impl Fn(&str) -> bool) {
    let reading = async {
        while !enough(text) {
            let piece = pieces.recv().await.unwrap_or_else(|| panic!("the stream ended after {text}"));
            text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    };
    tokio::time::timeout(SOON, reading).await.unwrap_or_else(|_| panic!("in vain"));
}

/// The last place that a stream named.
fn last_id(text: &str) -> String {
    text.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().unwrap().to_owned()
}

testkit::engines! {
    /// The server keeps the place; what was not acknowledged comes again; an older cursor does not take the place back.
    async fn a_consumer_goes_on_where_it_acknowledged(bed: Bed) {
        for id in ["a", "b", "c"] {
            bed.publish(id).await;
        }
        let first = bed.events.poll(&bed.caller(), named("one"), 2).await.unwrap();
        assert_eq!((ids(&first), first.has_more), (vec!["a".to_owned(), "b".to_owned()], true));
        let again = bed.events.poll(&bed.caller(), named("one"), 2).await.unwrap();
        assert_eq!(ids(&again), ["a", "b"], "nothing was acknowledged");
        let acknowledging = PollQuery { cursor: first.cursor.clone(), ..named("one") };
        assert_eq!(ids(&bed.poll(acknowledging.clone()).await), ["c"]);
        assert_eq!(ids(&bed.poll(named("one")).await), ["c"]);
        let middle = PollQuery { cursor: first.data[0].cursor.clone(), ..named("one") };
        assert_eq!(ids(&bed.poll(middle).await), ["b", "c"], "an older cursor reads again");
        let last = bed.poll(named("one")).await;
        assert_eq!((ids(&last), last.has_more), (vec!["c".to_owned()], false), "but the place stays");
        assert_eq!(ids(&bed.poll(named("two")).await), ["a", "b", "c"], "each consumer has its own");
        assert!(bed.poll(PollQuery { start: Start::Latest, ..named("late") }).await.data.is_empty());
        bed.publish("d").await;
        assert_eq!(ids(&bed.poll(named("late")).await), ["d"]);
    }

    /// Keys of a client share its consumers; another client's and the host's are others; another tenant sees nothing.
    async fn places_belong_to_the_client(bed: Bed) {
        bed.publish("a").await;
        let (ours, theirs) = (bed.client, bed.ambient.id());
        let answer = bed.events.poll(&bed.key_of(ours), named("x"), 10).await.unwrap();
        let acknowledge = PollQuery { cursor: answer.cursor.clone(), ..named("x") };
        assert!(bed.events.poll(&bed.key_of(ours), acknowledge, 10).await.unwrap().data.is_empty());
        for (caller, expected) in [(bed.key_of(ours), 0), (bed.key_of(theirs), 1), (bed.caller(), 1)] {
            assert_eq!(bed.events.poll(&caller, named("x"), 10).await.unwrap().data.len(), expected);
        }
        let stranger = Caller::system("test", Some(bed.ambient.id()));
        assert!(bed.events.poll(&stranger, PollQuery::default(), 10).await.unwrap().data.is_empty());
        assert!(bed.events.poll(&stranger, after(&PollAnswer::earliest(&answer)), 10).await.unwrap().data.is_empty());
        assert_eq!(bed.events.consumers(&bed.key_of(ours)).await.unwrap()[0].name, "x");
        bed.events.delete_consumer(&bed.key_of(ours), "x".into()).await.unwrap();
        assert_eq!(bed.events.delete_consumer(&bed.key_of(ours), "x".into()).await.unwrap_err().code(), "not_found");
        assert_eq!(bed.events.poll(&bed.key_of(ours), named("x"), 10).await.unwrap().data.len(), 1, "it begins anew");
    }

    /// By type and pattern, and only what is addressed to everyone or to the client itself.
    async fn readers_see_what_they_may_and_want(bed: Bed) {
        let caller = bed.caller();
        for (event_type, id) in [("lead.created", "a"), ("lead.updated", "b"), ("quote.created", "c"), ("lead.created", "d")] {
            bed.events.publish(&caller, of_type(event_type, id)).await.unwrap();
        }
        let mut own = of_type("lead.created", "own");
        own.client_id = Some(bed.client);
        bed.events.publish(&caller, own).await.unwrap();
        bed.readable().await;
        for (types, expected) in [
            ("lead.created", vec!["a", "d", "own"]),
            ("lead.*", vec!["a", "b", "d", "own"]),
            ("quote.created, lead.updated", vec!["b", "c"]),
            ("*", vec!["a", "b", "c", "d", "own"]),
            ("nothing.*", vec![]),
        ] {
            let query = PollQuery { event_types: Some(types.into()), ..PollQuery::default() };
            let answer = bed.poll(query).await;
            assert_eq!(ids(&answer), expected, "{types}");
            assert!(bed.poll(after(&answer)).await.data.is_empty(), "{types}: what was passed over is behind");
        }
        let stranger = bed.events.poll(&bed.key_of(bed.ambient.id()), PollQuery::default(), 10).await.unwrap();
        assert_eq!(ids(&stranger), ["a", "b", "c", "d"]);
        assert_eq!(bed.events.poll(&bed.key_of(bed.client), PollQuery::default(), 10).await.unwrap().data.len(), 5);
        for bad in ["lead*", "", "lead.created,,a b"] {
            let query = PollQuery { event_types: Some(bad.into()), ..PollQuery::default() };
            let error = bed.events.poll(&caller, query, 10).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, "/eventTypes", "{bad}");
        }
    }

    /// Many groups, large groups, and pages that end inside of them: each event once, in one order.
    async fn every_event_comes_once_whatever_the_pages(bed: Bed) {
        let mut expected = std::collections::BTreeSet::new();
        for round in 0..4 {
            let events: Vec<String> =
                (0..90).map(|n| format!(r#"{{"type":"lead.created","id":"r{round}-{n}","data":{{"leadId":"1"}}}}"#)).collect();
            let batch = serde_json::from_str(&format!(r#"{{"events":[{}]}}"#, events.join(","))).unwrap();
            bed.events.publish_batch(&bed.caller(), batch).await.unwrap();
            bed.publish(&format!("single-{round}")).await;
            expected.extend((0..90).map(|n| format!("r{round}-{n}")).chain([format!("single-{round}")]));
        }
        for limit in [1, 7, 100] {
            let (mut seen, mut query) = (Vec::new(), PollQuery::default());
            loop {
                let answer = bed.events.poll(&bed.caller(), query, limit).await.unwrap();
                seen.extend(ids(&answer));
                query = after(&answer);
                if !answer.has_more {
                    break;
                }
            }
            assert_eq!(seen.len(), expected.len(), "limit {limit}");
            assert_eq!(seen.into_iter().collect::<std::collections::BTreeSet<_>>(), expected);
        }
    }

    /// A poll that waits is woken by the commit, whichever instance committed.
    async fn a_waiting_poll_is_woken(bed: Bed) {
        let waiting = |events: Arc<Events>, caller| async move {
            let begun = Instant::now();
            let query = PollQuery { wait_seconds: 30, start: Start::Latest, ..named("waiter") };
            (events.poll(&caller, query, 10).await.unwrap(), begun.elapsed())
        };
        let waiter = tokio::spawn(waiting(bed.events.clone(), bed.caller()));
        wait::until("the consumer", SOON, async || (!bed.events.consumers(&bed.caller()).await.unwrap().is_empty()).then_some(())).await;
        bed.publish("a").await;
        let (answer, took) = waiter.await.unwrap();
        assert_eq!(ids(&answer), ["a"]);
        assert!(took < SOON, "it was woken, not timed out: {took:?}");
        let other = bed.second_node().await;
        let query = PollQuery { wait_seconds: 30, cursor: answer.cursor.clone(), ..named("waiter") };
        let (events, caller) = (bed.events.clone(), bed.caller());
        let waiter = tokio::spawn(async move { events.poll(&caller, query, 10).await.unwrap() });
        wait::until("the acknowledgement", SOON, async || {
            let consumers = bed.events.consumers(&bed.caller()).await.unwrap();
            (Some(&consumers[0].cursor) == answer.cursor.as_ref()).then_some(())
        }).await;
        other.publish(&bed.caller(), lead(Some("b"))).await.unwrap();
        assert_eq!(ids(&tokio::time::timeout(SOON, waiter).await.unwrap().unwrap()), ["b"]);
        let query = PollQuery { wait_seconds: 31, ..PollQuery::default() };
        assert_eq!(bed.events.poll(&bed.caller(), query, 10).await.unwrap_err().fields()[0].pointer, "/waitSeconds");
    }

    /// A replay shows an event once more, at its new place, in poll order.
    async fn an_event_is_announced_again(bed: Bed) {
        bed.publish("a").await;
        bed.publish("b").await;
        let read = bed.poll(PollQuery::default()).await;
        let tenant = bed.tenant;
        let times = [read.data[0].event.created_at, read.data[1].event.created_at];
        bed.store
            .write(kernel::Scope::system("test"), move |tx| {
                events::announce_again(tx, tenant, &"a".parse()?, times[0])?;
                events::announce_again(tx, tenant, &"b".parse()?, times[1])
            })
            .await
            .unwrap();
        bed.publish("c").await;
        let answer = bed.poll(after(&read)).await;
        assert_eq!(ids(&answer), ["a", "b", "c"]);
        let between = PollQuery { cursor: answer.data[0].cursor.clone(), ..PollQuery::default() };
        assert_eq!(ids(&bed.poll(between).await), ["b", "c"]);
        assert!(bed.poll(after(&answer)).await.data.is_empty());
        assert_eq!(ids(&bed.poll(PollQuery::default()).await), ["a", "b", "a", "b", "c"]);
    }

    /// A stream begins with what comes, says its place at once, and resumes after the last id.
    async fn a_stream_follows_and_resumes(bed: Bed) {
        settled(&bed).await;
        bed.publish("before").await;
        let mut pieces = bed.events.stream(&bed.caller(), None, StreamQuery::default()).await.unwrap();
        let mut text = String::new();
        read_until(&mut pieces, &mut text, |text| text.contains("id: ")).await;
        let beginning = last_id(&text);
        bed.publish("a").await;
        bed.events.publish(&bed.caller(), of_type("quote.created", "q")).await.unwrap();
        read_until(&mut pieces, &mut text, |text| text.contains(r#""id":"a""#) && text.contains(r#""id":"q""#)).await;
        assert!(!text.contains("before") && text.contains("event: lead.created\ndata: {"), "{text}");
        drop(pieces);
        bed.publish("b").await;
        let mut pieces = bed.events.stream(&bed.caller(), Some(&last_id(&text)), StreamQuery::default()).await.unwrap();
        let mut resumed = String::new();
        read_until(&mut pieces, &mut resumed, |text| text.contains(r#""id":"b""#)).await;
        assert!(!resumed.contains(r#""id":"q""#), "{resumed}");
        let leads = StreamQuery { event_types: Some("quote.*".into()), ..StreamQuery::default() };
        let mut pieces = bed.events.stream(&bed.caller(), Some(&beginning), leads).await.unwrap();
        let mut quotes = String::new();
        read_until(&mut pieces, &mut quotes, |text| text.contains(r#""id":"q""#)).await;
        assert!(!quotes.contains(r#""id":"a""#), "{quotes}");
        let error = bed.events.stream(&bed.caller(), Some("nonsense"), StreamQuery::default()).await.unwrap_err();
        assert_eq!(error.code(), "malformed_cursor");
    }

    /// Heartbeats in silence; a bound on streams; all end when the server stops, and no new one begins.
    async fn streams_are_bounded_and_end_with_the_server(bed: Bed) {
        settled(&bed).await;
        let habits = StreamOptions { heartbeat: Duration::from_millis(50), per_tenant: 2, ..StreamOptions::default() };
        let events = bed.with_streams(habits);
        let mut first = events.stream(&bed.caller(), None, StreamQuery::default()).await.unwrap();
        let mut text = String::new();
        read_until(&mut first, &mut text, |text| text.matches(": still here").count() >= 2).await;
        let _second = events.stream(&bed.caller(), None, StreamQuery::default()).await.unwrap();
        let third = events.stream(&bed.caller(), None, StreamQuery::default()).await.unwrap_err();
        assert_eq!((third.code(), third.kind()), ("too_many_streams", kernel::Kind::RateLimited));
        let elsewhere = Caller::system("test", Some(bed.ambient.id()));
        events.stream(&elsewhere, None, StreamQuery::default()).await.unwrap();
        drop(first);
        let mut again = wait::until("the seat of the one that has gone", SOON, async || {
            events.stream(&bed.caller(), None, StreamQuery::default()).await.ok()
        }).await;
        let (polling, caller) = (events.clone(), bed.caller());
        let waiter = tokio::spawn(async move {
            polling.poll(&caller, PollQuery { wait_seconds: 30, ..PollQuery::default() }, 10).await.unwrap()
        });
        events.close_readers();
        tokio::time::timeout(SOON, async { while again.recv().await.is_some() {} }).await.unwrap();
        assert!(tokio::time::timeout(SOON, waiter).await.unwrap().unwrap().data.is_empty());
        let refused = events.stream(&bed.caller(), None, StreamQuery::default()).await.unwrap_err();
        assert_eq!(refused.code(), "shutting_down");
    }

    /// A stream does not outlive its key: it ends, and whoever comes back is judged anew. Others' go on.
    async fn a_stream_ends_with_its_credential(bed: Bed) {
        settled(&bed).await;
        let caller = bed.key_of(bed.client);
        let Credential::Key { key, .. } = caller.credential().clone() else { panic!("it is a key") };
        let mut ours = bed.events.stream(&caller, None, StreamQuery::default()).await.unwrap();
        let mut theirs = bed.events.stream(&bed.key_of(bed.client), None, StreamQuery::default()).await.unwrap();
        let revoke = bed.store.write(kernel::Scope::system("test"), move |tx| {
            tx.notify("key", key);
            Ok(())
        });
        revoke.await.unwrap();
        tokio::time::timeout(SOON, async { while ours.recv().await.is_some() {} }).await.unwrap();
        bed.publish("after").await;
        let mut text = String::new();
        read_until(&mut theirs, &mut text, |text| text.contains(r#""id":"after""#)).await;
    }

    /// One who takes nothing is cut off, holds little memory meanwhile, and misses nothing when it comes back.
    async fn a_slow_reader_is_cut_off_and_resumes(bed: Bed) {
        settled(&bed).await;
        let events = bed.with_streams(StreamOptions { patience: Duration::from_millis(100), ..StreamOptions::default() });
        let mut slow = events.stream(&bed.caller(), None, StreamQuery::default()).await.unwrap();
        let mut expected = Vec::new();
        for n in 0..12 {
            // Piece by piece, so that more come than wait for a connection.
            let id = format!("s-{n}");
            events.publish(&bed.caller(), lead(Some(&id))).await.unwrap();
            expected.push(id);
            let room = slow.capacity();
            if room > 0 {
                let taken = async || (slow.capacity() < room || slow.is_closed()).then_some(());
                wait::until("the next piece", SOON, taken).await;
            }
        }
        wait::until("the cut", SOON, async || slow.is_closed().then_some(())).await;
        let mut text = String::new();
        while let Some(piece) = slow.recv().await {
            text.push_str(std::str::from_utf8(&piece).unwrap());
        }
        assert!(!text.contains("s-11"), "it did not get everything");
        let mut pieces = events.stream(&bed.caller(), Some(&last_id(&text)), StreamQuery::default()).await.unwrap();
        read_until(&mut pieces, &mut text, |text| text.contains("s-11")).await;
        for id in expected {
            assert_eq!(text.matches(&format!(r#""id":"{id}""#)).count(), 1, "{id}");
        }
    }
}

/// The same answer with the cursor of the beginning.
struct PollAnswer;

impl PollAnswer {
    fn earliest(answer: &Polled) -> Polled {
        Polled { cursor: answer.data[0].cursor.clone(), ..answer.clone() }
    }
}

/// Two writers on PostgreSQL: the one that began first commits last. A reader that remembered the last time would skip its event.
#[test]
fn a_late_commit_is_not_skipped() {
    testkit::engine::run(testkit::Engine::postgres(), |bed: Bed| async move {
        let (entered, began) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (events, store) = (bed.events.clone(), bed.store.clone());
        let early = kernel::Event {
            tenant: bed.tenant,
            id: "early".parse().unwrap(),
            event_type: "lead.created".parse().unwrap(),
            occurred_at: bed.ambient.now(),
            created_at: bed.ambient.now(),
            data: bytes::Bytes::from_static(b"{}"),
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        };
        let slow = tokio::spawn(async move {
            let write = store.write(kernel::Scope::system("test"), move |tx| {
                events.emit(tx, vec![early])?;
                entered.send(()).unwrap();
                // The transaction stays open until the other one has been read about.
                released.recv().map_err(kernel::Error::internal)
            });
            write.await.unwrap();
        });
        tokio::task::spawn_blocking(move || began.recv().unwrap()).await.unwrap();
        bed.events.publish(&bed.caller(), lead(Some("late"))).await.unwrap();
        assert_eq!(bed.events.get(&bed.caller(), "late".parse().unwrap()).await.unwrap().id.as_str(), "late", "it is committed");
        let first = bed.poll(named("reader")).await;
        assert_eq!(ids(&first), Vec::<String>::new(), "what is behind a running transaction waits");
        let query = PollQuery { cursor: first.cursor.clone(), wait_seconds: 30, ..named("reader") };
        let (reader, caller) = (bed.events.clone(), bed.caller());
        let waiting = tokio::spawn(async move { reader.poll(&caller, query, 10).await.unwrap() });
        release.send(()).unwrap();
        slow.await.unwrap();
        let mut seen = tokio::time::timeout(SOON, waiting).await.unwrap().unwrap();
        let mut all = ids(&seen);
        if all.len() < 2 {
            seen = bed.poll(after(&seen)).await;
            all.extend(ids(&seen));
        }
        assert_eq!(all, ["early", "late"]);
    });
}

/// Data that comes from a cluster with higher transaction ids: new events still come after what was read.
#[test]
fn another_cluster_does_not_turn_the_numbers_back() {
    testkit::engine::run(testkit::Engine::postgres(), |bed: Bed| async move {
        bed.events.prepare().await.unwrap();
        bed.publish("a").await;
        let behind = "UPDATE event_groups SET seq = seq + 1000000000";
        let moved = "UPDATE event_clock SET cluster = 'another'";
        let groups = bed.store.write(kernel::Scope::system("test"), move |tx| {
            tx.exec("UPDATE events SET seq = seq + 1000000000", &[])?;
            tx.exec(moved, &[])?;
            tx.exec(behind, &[])
        });
        assert_eq!(groups.await.unwrap(), 1);
        bed.events.prepare().await.unwrap();
        bed.readable().await;
        let read = bed.poll(named("reader")).await;
        assert_eq!(ids(&read), ["a"]);
        bed.publish("b").await;
        assert_eq!(ids(&bed.poll(after(&read)).await), ["b"]);
        bed.events.prepare().await.unwrap();
        bed.publish("c").await;
        assert_eq!(ids(&bed.poll(PollQuery::default()).await), ["a", "b", "c"]);
    });
}

/// 1 to 64 characters that need no escaping in a URL.
#[test]
fn consumer_names_have_a_form() {
    testkit::engine::run(testkit::Engine::sqlite(), |bed: Bed| async move {
        for bad in ["", "a b", "ä", &"x".repeat(65), "a/b"] {
            let error = bed.events.poll(&bed.caller(), named(bad), 10).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, "/consumer", "{bad:?}");
        }
        bed.poll(named("a-b_c.d:e1")).await;
    });
}
