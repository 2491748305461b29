//! Real input and real judges: the official Standard Webhooks libraries, and GitHub's own payloads.

mod github;
mod libraries;
mod tools;
