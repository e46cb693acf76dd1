//! The Windows body.
