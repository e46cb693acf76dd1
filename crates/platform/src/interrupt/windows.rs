//! Ctrl-C and Ctrl-Break.

use std::io;

use tokio::signal::windows::{CtrlC, ctrl_c};

/// Requests to end.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: CtrlC,
}

impl Interrupts {
    /// From here on such requests no longer end this process. Must be called inside a runtime.
    pub fn new() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()? })
    }

    /// Waits for the next request.
    pub async fn next(&mut self) {
        self.interrupt.recv().await;
    }
}
