//! The HTTP surface.

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::batch::{BatchAnswer, PublishBatch};
use crate::event_types::{EventTypeView, Names};
use crate::{EventView, Events, Publish, Published, batch, event_types, get, list, publish};

/// Largest body of a batch: 8 MiB.
const BATCH_BODY: usize = 8 * 1024 * 1024;

impl Events {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
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
            .route(
                on(Endpoint::get("/api/v1/webhook-events", "events.types"))
                    .summary("List the names of the declared event types")
                    .answers::<Names>(200),
                event_types::names,
                Arc::clone(self),
            )
            .route(
                on(Endpoint::get("/api/v1/event-types/{type}", "event_types.get"))
                    .summary("Get an event type with its JSON Schema and an example")
                    .answers::<EventTypeView>(200),
                event_types::get,
                Arc::clone(self),
            )
    }
}
