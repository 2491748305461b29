//! GraphQL over HTTP, after the specification of the GraphQL Foundation: media types, statuses, batches; and answers as server-sent events.

mod answers;
mod media;
mod requests;
mod stream;

use std::sync::{Arc, Mutex};

pub(crate) use requests::{body, connect, get, post};

use crate::operate::Flow;

/// Asks a handler for the running subscription itself, in [`Flowing`], in place of a stream of text: for a WebSocket.
#[derive(Clone, Copy)]
pub(crate) struct Direct;

/// A running subscription, in the extensions of an answer.
#[derive(Clone)]
pub(crate) struct Flowing(pub(crate) Arc<Mutex<Option<Box<Flow>>>>);
