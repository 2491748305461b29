//! Real input and real judges: the official Standard Webhooks libraries, GitHub's own payloads, and the vendors' own signers.

mod asymmetric;
mod documents;
mod github;
mod libraries;
mod sources;
