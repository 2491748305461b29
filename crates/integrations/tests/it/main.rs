//! The tests of `integrations`.
