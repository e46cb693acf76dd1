//! The macOS body.
