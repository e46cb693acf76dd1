//! What survives a power cut: log segments and their index, journals, slots. No C code.

pub mod atomic;
pub mod index;
pub mod instance;
pub mod journal;
pub mod read;
pub mod segment;
pub mod slots;
