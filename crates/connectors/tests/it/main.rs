//! The tests of `connectors`.
