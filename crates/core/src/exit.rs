//! How a run ended.

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It returned this code.
    Code(u32),
    /// This signal killed it.
    Signal(i32),
    /// Its keeper died and nobody could learn the status; policies count it as a failure.
    Unknown,
}

impl Exit {
    /// Returns whether the program left as programs leave that have done their work.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "ended with code {code}"),
            Self::Signal(signal) => write!(f, "was killed by signal {signal}"),
            Self::Unknown => f.write_str("ended while nobody could learn how"),
        }
    }
}
