//! For the receiver's developer: `tradewind listen` and `tradewind certify`, and what they need from the server.
//!
//! Purpose: [`listen`] brings a tenant's events to a developer's machine over an outgoing connection, signed as deliveries are; [`certify`]
//! plays deliveries, good and forged, against a receiver and says what it does wrong. Both run as clients of the public API: they need no
//! access to the server's data.
//!
//! On the server: the product's form of webhooks ([`routes`]), so that `listen` can imitate it, and the sequence of a webhook
//! ([`WebhookSequence`]), so that a receiver can fill a gap.
//!
//! Tables, events: none of its own.
//!
//! Invariants:
//! * `listen` acknowledges an event only after the forward was answered 2xx (or was given up by the developer's choice).
//! * Neither writes a secret into a file or a line, but for the one that `listen` has made up itself.

pub mod certify;
mod form;
pub mod listen;
mod routes;
mod sequence;

pub use form::{Imitation, WebhookForm};
pub use routes::routes;
pub use sequence::WebhookSequence;
