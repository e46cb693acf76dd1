//! Says hello each second: `hello-service run` in a console, `hello-service install` for good.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use mainstay_service::{Failure, Host, Program, Service, StopReason};

/// Ends when its sender is dropped.
#[derive(Default)]
struct Hello(Option<Sender<()>>);

impl Service for Hello {
    fn start(&mut self, _host: &Host) -> Result<(), Failure> {
        let (sender, end) = mpsc::channel();
        self.0 = Some(sender);
        thread::spawn(move || {
            while end.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                drop(writeln!(io::stderr(), "hello"));
            }
        });
        Ok(())
    }

    fn stop(&mut self, _reason: StopReason) -> Result<(), Failure> {
        self.0 = None;
        Ok(())
    }
}

fn main() -> ExitCode {
    Program::new("hello-service").about("Says hello each second.").main(Hello::default())
}
