//! The HTTP surface.

use std::sync::Arc;

use kernel::Permission;
use web::{Access, Api, Endpoint};

use crate::{Expunge, ExpungeInput, Retention, expunges};

fn erasing(endpoint: Endpoint) -> Endpoint {
    endpoint.tag("Events").needs(Access::Permission(Permission::EventsErase))
}

impl Retention {
    /// The routes.
    pub fn routes(self: &Arc<Self>) -> Api {
        Api::new()
            .route(
                erasing(Endpoint::post("/api/v1/events/{id}/expunge", "events.expunge"))
                    .summary("Erase what an event says, everywhere; that it happened stays")
                    .answers::<Expunge>(202),
                expunges::create_for_event,
                Arc::clone(self),
            )
            .route(
                erasing(Endpoint::post("/api/v1/expunges", "expunges.create"))
                    .summary("Erase what all events of a subject say, or count them")
                    .body::<ExpungeInput>()
                    .answers::<Expunge>(202),
                expunges::create,
                Arc::clone(self),
            )
            .route(
                erasing(Endpoint::get("/api/v1/expunges/{expungeId}", "expunges.get"))
                    .summary("See how far an expunge is")
                    .answers::<Expunge>(200),
                expunges::get,
                Arc::clone(self),
            )
    }
}
