//! Bytes cut into numbers and pieces; what is missing at the end is zero, or empty.

/// What is left of the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut<'d>(&'d [u8]);

impl<'d> Cut<'d> {
    pub(crate) const fn new(bytes: &'d [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_over(self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *byte
    }

    /// Returns a number that is mostly small.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            255 => (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte())),
            254 => u64::from(self.byte()) << 8 | u64::from(self.byte()),
            small => small.into(),
        }
    }

    /// Returns a piece that says its own length.
    pub(crate) fn piece(&mut self) -> &'d [u8] {
        let length = usize::try_from(self.number()).unwrap_or(usize::MAX);
        let (piece, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        piece
    }
}
