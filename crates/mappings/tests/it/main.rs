//! Tests of mappings: what is refused, what comes out either way, what stays the same there and back.

mod bed;
mod compile;
mod fields;
mod functions;
mod round_trips;
