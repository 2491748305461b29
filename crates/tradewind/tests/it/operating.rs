//! What operators do and see: metrics, health, maintenance, reloading, TLS, logs.

mod health;
mod maintenance;
mod metrics;
mod observing;
mod reloading;
mod secure;
