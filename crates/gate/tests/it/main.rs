//! The gate, through a router, on both engines.
