//! The tests of `mappings`.
