//! Ctrl-C, Ctrl-Break, and the closing of the console.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
};

use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};

/// Requests to end.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: CtrlC,
    stop: CtrlBreak,
    close: CtrlClose,
}

impl Interrupts {
    /// From here on such requests no longer end this process; the system gives it a few seconds
    /// after its console was closed. Must be called inside a runtime.
    pub fn new() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()?, stop: ctrl_break()?, close: ctrl_close()? })
    }

    /// Waits for the next request.
    pub async fn next(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let any = [
            self.interrupt.poll_recv(context),
            self.stop.poll_recv(context),
            self.close.poll_recv(context),
        ];
        if any.iter().any(Poll::is_ready) { Poll::Ready(()) } else { Poll::Pending }
    }
}
