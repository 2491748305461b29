//! The HTTP surface.

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::batch::{BatchAnswer, PublishBatch};
use crate::consumers::{self, Consumers};
use crate::event_types::{EventTypeView, Names};
use crate::{
    EventView, Events, Polled, Publish, Published, QuarantinedEventView, Release, ReleaseMany, ReleasedMany, batch, event_types, get, list,
    poll, publish, quarantined_events, stream,
};

/// Largest body of a batch: 8 MiB.
const BATCH_BODY: usize = 8 * 1024 * 1024;

const TYPES: (&str, &str) = ("eventTypes", "Only these: exact types, lead.* or *, separated by commas");

const POLL: [(&str, &str); 8] = [
    ("consumer", "The name under which the server keeps your place"),
    ("cursor", "The last answer's cursor: go on there. With a consumer it acknowledges what that answer held"),
    TYPES,
    ("start", "Where a reader without a place begins: earliest (default) or latest"),
    ("waitSeconds", "Wait so long for something, at most 30"),
    ("limit", "Events in the answer (default 20, most 100)"),
    ("webhook", "Instead of all that: the deliveries of this webhook, whatever became of them"),
    ("afterSequence", "with numbers after this one: the last webhook-sequence before a gap"),
];

impl Events {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
        self.log_routes().merge(self.reader_routes()).merge(self.type_routes()).merge(self.quarantine_routes())
    }

    fn reader_routes(self: &Arc<Self>) -> Api {
        let on = |endpoint: Endpoint| endpoint.tag("Events").needs(Access::Permission(Permission::EventsRead));
        Api::new()
            .route(
                on(Endpoint::get("/api/v1/events/poll", "events.poll"))
                    .summary("Read on, the oldest first; the server keeps a consumer's place")
                    .query(&POLL)
                    .answers::<Polled>(200),
                poll::handle,
                Arc::clone(self),
            )
            .route(
                on(Endpoint::get("/api/v1/events/stream", "events.stream"))
                    .summary("Events as they come, as server-sent events (text/event-stream)")
                    .query(&[
                        TYPES,
                        ("cursor", "Go on here; the header Last-Event-ID goes before it"),
                        ("start", "latest (default) or earliest"),
                    ])
                    .answers_media(200, "text/event-stream"),
                stream::handle,
                Arc::clone(self),
            )
            .route(
                on(Endpoint::get("/api/v1/event-consumers", "consumers.list"))
                    .summary("List your consumers and their places")
                    .answers::<Consumers>(200),
                consumers::list,
                Arc::clone(self),
            )
            .route(
                Endpoint::delete("/api/v1/event-consumers/{name}", "consumers.delete")
                    .tag("Events")
                    .needs(Access::Permission(Permission::WebhooksWrite))
                    .summary("Forget a consumer: what reads by its name begins anew")
                    .answers_nothing(),
                consumers::delete,
                Arc::clone(self),
            )
    }

    fn log_routes(self: &Arc<Self>) -> Api {
        let publishing = Access::Permission(Permission::EventsPublish);
        let reading = Access::Permission(Permission::EventsRead);
        let on = |endpoint: Endpoint| endpoint.tag("Events");
        Api::new()
            .route(
                on(Endpoint::post("/api/v1/events", "events.publish"))
                    .summary("Publish an event")
                    .needs(publishing.clone())
                    .body::<Publish>()
                    .answers::<Published>(202),
                publish::handle,
                Arc::clone(self),
            )
            .route(
                on(Endpoint::post("/api/v1/events/batch", "events.publish_batch"))
                    .summary("Publish up to 1000 events at once")
                    .needs(publishing)
                    .body_limit(BATCH_BODY)
                    .body::<PublishBatch>()
                    .answers::<BatchAnswer>(202),
                batch::handle,
                Arc::clone(self),
            )
            .route(
                on(Endpoint::get("/api/v1/events", "events.list"))
                    .summary("List events, the newest first")
                    .needs(reading.clone())
                    .query(&[
                        ("type", "Only this type"),
                        ("from", "Only those accepted at this time or later"),
                        ("to", "Only those accepted before this time"),
                        ("limit", "Rows in the answer (default 20, most 100)"),
                        ("cursor", "Go on where the last answer's nextCursor points"),
                    ])
                    .answers_page::<EventView>(),
                list::handle,
                Arc::clone(self),
            )
            .route(
                on(Endpoint::get("/api/v1/events/{id}", "events.get")).summary("Get an event").needs(reading).answers::<EventView>(200),
                get::handle,
                Arc::clone(self),
            )
    }

    fn type_routes(self: &Arc<Self>) -> Api {
        let on = |endpoint: Endpoint| endpoint.tag("Events");
        Api::new()
            .route(
                on(Endpoint::get("/api/v1/webhook-events", "events.types"))
                    .summary("List the event types that you have, by name and with a few words about each")
                    .answers::<Names>(200),
                event_types::names,
                Arc::clone(self),
            )
            .route(
                on(Endpoint::get("/api/v1/event-types/{type}", "event_types.get"))
                    .summary("Get an event type with its JSON Schema and an example")
                    .query(&[("version", "The version to show; by default the one that a publication has when it names none")])
                    .answers::<EventTypeView>(200),
                event_types::get,
                Arc::clone(self),
            )
    }

    fn quarantine_routes(self: &Arc<Self>) -> Api {
        let reading = |endpoint: Endpoint| endpoint.tag("Events").needs(Access::Permission(Permission::EventsRead));
        let deciding = |endpoint: Endpoint| endpoint.tag("Events").needs(Access::Permission(Permission::EventsPublish));
        Api::new()
            .route(
                reading(Endpoint::get("/api/v1/events/quarantine", "quarantined_events.list"))
                    .summary("List publications that are kept apart because they break their schema, the newest first")
                    .query(&[
                        ("type", "Only this type"),
                        ("limit", "Rows in the answer (default 20, most 100)"),
                        ("cursor", "Go on where the last answer's nextCursor points"),
                    ])
                    .answers_page::<QuarantinedEventView>(),
                quarantined_events::list::handle,
                Arc::clone(self),
            )
            .route(
                reading(Endpoint::get("/api/v1/events/quarantine/{id}", "quarantined_events.get"))
                    .summary("Get a publication that is kept apart, with what is wrong with it")
                    .answers::<QuarantinedEventView>(200),
                quarantined_events::get::handle,
                Arc::clone(self),
            )
            .route(
                deciding(Endpoint::post("/api/v1/events/quarantine/{id}/release", "quarantined_events.release"))
                    .summary("Accept a publication that was kept apart; it is checked again, unless forced")
                    .body::<Release>()
                    .answers::<Published>(202),
                quarantined_events::release::handle,
                Arc::clone(self),
            )
            .route(
                deciding(Endpoint::post("/api/v1/events/quarantine/release", "quarantined_events.release_many"))
                    .summary("Accept all publications that were kept apart, or those of a type and a time, or count them")
                    .body::<ReleaseMany>()
                    .answers::<ReleasedMany>(200),
                quarantined_events::release_many::handle,
                Arc::clone(self),
            )
            .route(
                deciding(Endpoint::delete("/api/v1/events/quarantine/{id}", "quarantined_events.discard"))
                    .summary("Discard a publication that was kept apart; its id is free again")
                    .answers_nothing(),
                quarantined_events::discard::handle,
                Arc::clone(self),
            )
    }
}
