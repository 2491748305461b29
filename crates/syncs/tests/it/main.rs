//! The tests of `syncs`.
