//! The connectors that are a part of the program: the one list of them.

pub use connectors::built_in;
