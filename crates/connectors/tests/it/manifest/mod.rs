//! Connectors that a file describes.

mod acme;
mod check;
mod hostile;
