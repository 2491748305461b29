//! RabbitMQ. One server for all of it: it is ready after some six seconds.

use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use serde_json::{Value, json};
use testkit::rabbitmq::Server;
use testkit::relay::Relay;

use crate::bed::{LIMIT, One, World, assert_is_webhook, failed, ids};

struct Reader {
    channel: Channel,
    _connection: Connection,
}

impl Reader {
    async fn connect(port: u16) -> Self {
        let connection =
            Connection::connect(&format!("amqp://guest:guest@127.0.0.1:{port}/%2f"), ConnectionProperties::default()).await.unwrap();
        Self { channel: connection.create_channel().await.unwrap(), _connection: connection }
    }

    async fn declare(&self, queue: &str) {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
    }

    async fn take(&self, queue: &str, count: usize) -> Vec<lapin::message::Delivery> {
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer = self.channel.basic_consume(queue.into(), queue.into(), options, FieldTable::default()).await.unwrap();
        let taking = consumer.take(count).map(Result::unwrap).collect();
        tokio::time::timeout(LIMIT, taking).await.unwrap()
    }
}

fn header(message: &lapin::message::Delivery, name: &str) -> Option<String> {
    let value = message.properties.headers().as_ref()?.inner().get(name)?.clone();
    Some(String::from_utf8(value.as_long_string()?.as_bytes().to_vec()).unwrap())
}

fn to(port: u16, more: &Value) -> Value {
    let mut destination = json!({"type": "rabbitmq", "url": format!("amqp://127.0.0.1:{port}")});
    destination.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    destination
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_confirmed_refusals_are_told_and_outages_survived() {
    let server = Server::start().unwrap();
    let reader = Reader::connect(server.port()).await;
    a_message_is_the_webhook(&server, &reader).await;
    what_the_broker_refuses_is_told(&server, &reader).await;
    order_and_events_survive_an_outage(&server, &reader).await;
}

async fn a_message_is_the_webhook(server: &Server, reader: &Reader) {
    reader.declare("partners.lead.created").await;
    let one = One::new(to(server.port(), &json!({"routingKey": "partners.{type}"}))).await;
    let report = one.attempt(one.event("evt-1", "{\"leadId\":\"1\"}")).await;
    assert!(report.is_delivered(), "{report:?}");
    let message = reader.take("partners.lead.created", 1).await.remove(0);
    assert_is_webhook(&one, "evt-1", &message.data, |name| header(&message, name));
    let properties = &message.properties;
    assert_eq!(properties.message_id().as_ref().unwrap().as_str(), "evt-1");
    assert_eq!(properties.kind().as_ref().unwrap().as_str(), "lead.created");
    assert_eq!((*properties.delivery_mode(), properties.content_type().as_ref().unwrap().as_str()), (Some(2), "application/json"));
}

async fn what_the_broker_refuses_is_told(server: &Server, reader: &Reader) {
    let fails = async |more: Value| {
        let one = One::new(to(server.port(), &more)).await;
        let report = one.attempt(one.event("e-1", "{}")).await;
        assert!(!format!("{report:?}").contains("s3cret"), "{report:?}");
        failed(&report)
    };
    assert_eq!(fails(json!({"routingKey": "nobody"})).await, "missing");
    assert_eq!(fails(json!({"routingKey": "x", "exchange": "none"})).await, "missing");
    assert_eq!(fails(json!({"routingKey": "x", "username": "guest", "password": "s3cret"})).await, "credentials");
    assert_eq!(fails(json!({"routingKey": "x", "virtualHost": "none"})).await, "credentials");
    // The connection that was refused one message serves the next.
    reader.declare("late").await;
    let one = One::new(to(server.port(), &json!({"routingKey": "late"}))).await;
    assert!(one.attempt(one.event("e-2", "{}")).await.is_delivered());
    assert_eq!(reader.take("late", 1).await.len(), 1);
}

async fn order_and_events_survive_an_outage(server: &Server, reader: &Reader) {
    let mut relay = Relay::start(server.port());
    reader.declare("orders").await;
    let world = World::new(to(relay.port(), &json!({"routingKey": "orders"})), true).await;
    world.publish(ids("a", 20).into_iter()).await;
    world.delivered(20).await;
    relay.cut();
    world.publish(ids("b", 20).into_iter()).await;
    world.failed_once().await;
    relay.resume();
    world.delivered(40).await;
    let mut came: Vec<String> = Vec::new();
    let expected = [ids("a", 20), ids("b", 20)].concat();
    // Perhaps one is there twice: an outage may hide a confirm.
    for message in reader.take("orders", 40).await {
        came.push(header(&message, "webhook-id").unwrap());
    }
    came.dedup();
    assert_eq!(came, expected[..came.len()]);
    assert!(came.len() >= 39);
}
