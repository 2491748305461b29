//! Proofs of the promises that matter most, in the sizes of CI and of a whole night: the same functions with other numbers.

pub mod backlog;
pub mod fair;
pub mod fan_out;
pub mod hanging;
pub mod jobs;
pub mod keys;
pub mod kill;
pub mod records;
pub mod usage;
