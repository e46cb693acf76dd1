//! Placeholder opening; the room is being furnished.
