//! The portal's pages against the binary: what browsers show is in journeys (`portal/*.mjs`), what servers promise is asked here without one.

mod external;
mod guards;
mod journeys;
