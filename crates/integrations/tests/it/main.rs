//! Tests of integrations: the resource, calls against the doubles of vendors, budgets, connectors in files, discovery, previews, inbound calls.

mod bed;
mod budgets;
mod calls;
mod custom;
mod inbound;
mod objects;
mod preview;
mod resource;
