//! What survives a power cut: log segments and their index, journals, slots. No C code.

pub mod atomic;
pub mod checked;
pub mod compress;
pub mod frames;
#[cfg(test)]
mod fresh;
pub mod index;
pub mod instance;
pub mod journal;
pub mod numbers;
pub mod read;
pub mod secrets;
pub mod segment;
pub mod shelf;
pub mod slots;
