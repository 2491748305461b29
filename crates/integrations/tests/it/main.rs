//! Tests of integrations: the resource, calls against the doubles of vendors, budgets, connectors in files, discovery, previews, inbound calls.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod binding;
mod budgets;
mod calls;
mod custom;
mod inbound;
mod objects;
mod preview;
mod resource;
