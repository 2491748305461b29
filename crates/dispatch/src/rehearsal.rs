//! What an attempt would send: for a preview, without sending.

use std::collections::BTreeMap;

use serde_json::Value;

/// A request that was made up and not sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsal {
    /// What would be sent; none if the transform cancelled it or failed.
    pub request: Option<RehearsedRequest>,
    /// The transform cancelled it.
    pub is_cancelled: bool,
    /// The transform's fault.
    pub fault: Option<RehearsedFault>,
}

/// The request, without the signature and without what authenticates us.
#[derive(Clone, Debug, PartialEq)]
pub struct RehearsedRequest {
    /// Its method.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Its headers, secret values masked.
    pub headers: BTreeMap<String, String>,
    /// Its body: a JSON value, or a text if it is none.
    pub body: Value,
}

/// A transform's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RehearsedFault {
    /// What happened.
    pub message: String,
    /// Where in the source, from 1.
    pub line: Option<u32>,
    /// Where in the line, from 1.
    pub column: Option<u32>,
}
