//! NATS JetStream.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use dispatch::AttemptOutcome;
use serde_json::{Value, json};
use testkit::nats::Server;
use testkit::relay::Relay;

use crate::bed::{One, World, assert_is_webhook, failed, ids};

/// A small client of the test's own: it makes streams and reads them.
struct Reader {
    stream: BufReader<TcpStream>,
    number: u32,
}

impl Reader {
    fn connect(port: u16, login: &Value) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut reader = Self { stream: BufReader::new(stream), number: 0 };
        assert!(reader.line().starts_with("INFO "));
        reader.say(&format!("CONNECT {login}\r\nSUB answers.* 1\r\n"));
        reader
    }

    fn say(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line
    }

    fn ask(&mut self, subject: &str, body: &Value) -> Value {
        self.number += 1;
        let (body, inbox) = (body.to_string(), format!("answers.{}", self.number));
        self.say(&format!("PUB {subject} {inbox} {}\r\n{body}\r\n", body.len()));
        loop {
            let line = self.line();
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.first() {
                Some(&"PING") => self.say("PONG\r\n"),
                Some(&"MSG") => {
                    let mut content = vec![0; words.last().unwrap().parse::<usize>().unwrap() + 2];
                    self.stream.read_exact(&mut content).unwrap();
                    if words[1] == inbox {
                        return serde_json::from_slice(&content).unwrap();
                    }
                }
                _ => panic!("unexpected: {line}"),
            }
        }
    }

    fn make(&mut self, stream: &str, more: &Value) {
        let mut config = json!({"name": stream, "subjects": [format!("{stream}.>")], "storage": "memory"});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.ask(&format!("$JS.API.STREAM.CREATE.{stream}"), &config);
        assert!(answer.get("error").is_none(), "{answer}");
    }

    fn count(&mut self, stream: &str) -> u64 {
        self.ask(&format!("$JS.API.STREAM.INFO.{stream}"), &json!({}))["state"]["messages"].as_u64().unwrap()
    }

    /// Subject, headers and body of the message at this place.
    fn get(&mut self, stream: &str, seq: u64) -> (String, String, Vec<u8>) {
        let message = self.ask(&format!("$JS.API.STREAM.MSG.GET.{stream}"), &json!({"seq": seq}))["message"].take();
        let bytes = |name: &str| base64(message[name].as_str().unwrap_or_default());
        (message["subject"].as_str().unwrap().to_owned(), String::from_utf8(bytes("hdrs")).unwrap(), bytes("data"))
    }

    fn ids(&mut self, stream: &str) -> Vec<String> {
        let count = self.count(stream);
        (1..=count).map(|seq| header(&self.get(stream, seq).1, "webhook-id").unwrap()).collect()
    }
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

fn header(block: &str, name: &str) -> Option<String> {
    block.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
}

fn url(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_the_webhook_and_is_stored_once() {
    let server = Server::start("").unwrap();
    let mut reader = Reader::connect(server.port(), &json!({"verbose": false}));
    reader.make("EVENTS", &json!({}));
    let one = One::new(json!({"type": "nats", "url": url(server.port()), "subject": "EVENTS.{type}", "stream": "EVENTS"})).await;
    let report = one.attempt(one.event("evt-1", "{\"leadId\":\"1\", \"odd\":1.00}")).await;
    assert!(report.is_delivered(), "{report:?}");
    let ack: Value = serde_json::from_slice(&report.response_body).unwrap();
    assert_eq!((&ack["stream"], &ack["seq"]), (&json!("EVENTS"), &json!(1)));
    let (subject, headers, body) = reader.get("EVENTS", 1);
    assert_eq!(subject, "EVENTS.lead.created");
    assert!(String::from_utf8_lossy(&body).contains("{\"leadId\":\"1\", \"odd\":1.00}"), "the data is sent byte for byte");
    assert_is_webhook(&one, "evt-1", &body, |name| header(&headers, name));
    assert_eq!(header(&headers, "Nats-Msg-Id").as_deref(), Some("evt-1"));
    // A repetition under the same id is acknowledged and not stored again.
    let again = one.attempt(one.event("evt-1", "{}")).await;
    assert!(again.is_delivered());
    assert_eq!(serde_json::from_slice::<Value>(&again.response_body).unwrap()["duplicate"], json!(true));
    assert_eq!(reader.count("EVENTS"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_told() {
    let settings = "max_payload: 2000\nauthorization { users = [ {user: app, password: right}, {user: narrow, password: right, permissions: {publish: {deny: \"S.>\"}}} ] }";
    let server = Server::start(settings).unwrap();
    let mut reader = Reader::connect(server.port(), &json!({"verbose": false, "user": "app", "pass": "right"}));
    reader.make("S", &json!({"max_msg_size": 1000}));
    let with = |user: &str, password: &str, subject: &str| {
        One::new(json!({"type": "nats", "url": url(server.port()), "subject": subject, "username": user, "password": password}))
    };
    let good = with("app", "right", "S.{type}").await;
    assert!(good.attempt(good.event("e-1", "{}")).await.is_delivered());
    let wrong = with("app", "wrong", "S.x").await;
    let report = wrong.attempt(wrong.event("e-2", "{}")).await;
    assert_eq!(failed(&report), "credentials");
    assert!(!format!("{report:?}").contains("wrong"), "{report:?}");
    let narrow = with("narrow", "right", "S.x").await;
    assert_eq!(failed(&narrow.attempt(narrow.event("e-3", "{}")).await), "credentials");
    let nowhere = with("app", "right", "elsewhere").await;
    assert_eq!(failed(&nowhere.attempt(nowhere.event("e-4", "{}")).await), "missing");
    // Too large for the stream, and for the server: no repetition will help.
    for size in [1200, 4000] {
        let data = format!("{{\"x\":\"{}\"}}", "a".repeat(size));
        let report = good.attempt(good.event("e-5", &data)).await;
        assert_eq!(report.outcome, AttemptOutcome::Refused("too_large"), "{report:?}");
    }
    assert!(good.attempt(good.event("e-6", "{}")).await.is_delivered());
    assert_eq!(reader.ids("S"), ["e-1", "e-6"]);
}

/// The same key as in NATS's own documentation.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_signs_the_servers_nonce() {
    let public = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    let server = Server::start(&format!("authorization {{ users = [ {{nkey: {public}}}, {{user: app, password: right}} ] }}")).unwrap();
    let mut reader = Reader::connect(server.port(), &json!({"verbose": false, "user": "app", "pass": "right"}));
    reader.make("S", &json!({}));
    let seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    let one = One::new(json!({"type": "nats", "url": url(server.port()), "subject": "S.x", "nkeySeed": seed})).await;
    let report = one.attempt(one.event("e-1", "{}")).await;
    assert!(report.is_delivered(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_the_broker_is_down() {
    let server = Server::start("").unwrap();
    let mut relay = Relay::start(server.port());
    let mut reader = Reader::connect(server.port(), &json!({"verbose": false}));
    reader.make("S", &json!({}));
    let world = World::new(json!({"type": "nats", "url": url(relay.port()), "subject": "S.{type}"}), false).await;
    world.publish(ids("a", 20).into_iter()).await;
    world.delivered(20).await;
    relay.cut();
    world.publish(ids("b", 20).into_iter()).await;
    world.failed_once().await;
    relay.resume();
    world.delivered(40).await;
    let mut stored = reader.ids("S");
    stored.sort();
    assert_eq!(stored, [ids("a", 20), ids("b", 20)].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_destination_keeps_the_order_through_an_outage() {
    let server = Server::start("").unwrap();
    let mut relay = Relay::start(server.port());
    let mut reader = Reader::connect(server.port(), &json!({"verbose": false}));
    reader.make("S", &json!({}));
    relay.cut();
    let world = World::new(json!({"type": "nats", "url": url(relay.port()), "subject": "S.{type}"}), true).await;
    world.publish(ids("a", 30).into_iter()).await;
    world.failed_once().await;
    relay.resume();
    world.delivered(30).await;
    assert_eq!(reader.ids("S"), ids("a", 30));
}

/// A connection on which nothing comes back any more is not used again, although TCP has noticed nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_went_silent_is_replaced() {
    let listener = testkit::port::bind();
    let port = listener.local_addr().unwrap().port();
    let (came, connections) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            reader.get_mut().write_all(b"INFO {\"headers\":true,\"max_payload\":1000}\r\n").unwrap();
            let mut line = String::new();
            while !line.starts_with("PING") {
                line.clear();
                reader.read_line(&mut line).unwrap();
            }
            reader.get_mut().write_all(b"PONG\r\n").unwrap();
            // It stays open until the test is over, and says nothing more.
            came.send(reader).unwrap();
        }
    });
    let one = One::new(json!({"type": "nats", "url": url(port), "subject": "S"})).await;
    for id in ["e-1", "e-2"] {
        let report = one.attempt_within(one.event(id, "{}"), Duration::from_millis(300)).await;
        assert_eq!(failed(&report), "timeout", "{report:?}");
    }
    assert_eq!(connections.try_iter().count(), 2);
}

/// A listener that accepts and says nothing costs an attempt its time-out, no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_costs_one_bounded_attempt() {
    let silent = testkit::port::bind();
    let port = silent.local_addr().unwrap().port();
    for destination in [
        json!({"type": "nats", "url": url(port), "subject": "S"}),
        json!({"type": "redis-stream", "url": format!("redis://127.0.0.1:{port}"), "stream": "s"}),
        json!({"type": "rabbitmq", "url": format!("amqp://127.0.0.1:{port}"), "routingKey": "q"}),
        json!({"type": "sqs", "queueUrl": format!("http://127.0.0.1:{port}/1/q"), "region": "r", "accessKeyId": "a", "secretAccessKey": "s"}),
        json!({"type": "s3", "endpoint": format!("http://127.0.0.1:{port}"), "bucket": "abc", "region": "r", "accessKeyId": "a", "secretAccessKey": "s"}),
    ] {
        let one = One::new(destination).await;
        let report = one.attempt_within(one.event("e-1", "{}"), Duration::from_millis(300)).await;
        assert_eq!(failed(&report), "timeout", "{report:?}");
        assert!(report.duration < Duration::from_secs(5), "{report:?}");
    }
}
