//! Passing over most lines of a log without cutting them out.

use std::{fmt::Debug, ops::Range};

/// Finds the lines of a block in which something wanted may be.
pub trait Sieve: Debug + Send + Sync {
    /// Returns where they are: in order, each from the beginning of a line to the end of one.
    ///
    /// A block ends with a line, or with as much of one as there is. What is not wanted may come all
    /// the same; lines that were interrupted come in any case.
    fn lines(&self, block: &[u8]) -> Vec<Range<usize>>;
}
