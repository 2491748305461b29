//! The tests of `vault`.
