//! The real server from outside, on both engines: what a host backend, a partner and an attacker see.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::disallowed_methods, reason = "the tests stand outside: they read the clock, run tools and open plain connections")]

mod access_tokens;
mod agents;
mod alerts;
mod bad_input;
mod blueprint_versions;
mod browser;
mod catalogue;
mod connectors;
mod cursors;
mod demo;
mod destinations;
mod doctor;
mod documentation;
mod egress;
mod front_door;
mod grants;
mod graphql;
mod guarded;
mod idempotency;
mod jobs;
mod journey;
mod key_verification;
mod limits;
mod oauth;
mod operating;
mod pages;
mod people;
mod portal;
mod public_endpoints;
mod raw;
mod readers;
mod real_input;
mod rest_endpoints;
mod row_level_security;
mod syncs;
mod tenant_matrix;
mod two_nodes;
mod upstreams;
mod usage;
mod usage_log;
mod world;
