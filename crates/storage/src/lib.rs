//! What survives a power cut: log segments and their index, journals, slots. No C code.

pub mod index;
pub mod instance;
pub mod segment;
pub mod slots;
