//! The thread in which the methods of a service are called, one after the other.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{self, Sender},
    thread,
};

use crate::{
    Failure, Host, Service,
    life::{Call, Input},
};

/// The number that a service ends with when one of its methods has panicked.
const PANICKED: u32 = 70;

/// Starts the thread; returns where it hears what to call.
pub(crate) fn start(mut service: impl Service, host: Host) -> io::Result<Sender<Call>> {
    let (sender, calls) = mpsc::channel();
    thread::Builder::new().name("service".to_owned()).spawn(move || {
        for call in calls {
            let answer = match catch_unwind(AssertUnwindSafe(|| perform(&mut service, &host, call)))
            {
                Ok(answer) => answer,
                Err(_) => Some(Input::Ended(Err(Failure::own(PANICKED, "the service has a bug")))),
            };
            if answer.is_some_and(|answer| host.inputs.send(answer).is_err()) {
                return;
            }
        }
    })?;
    Ok(sender)
}

fn perform(service: &mut impl Service, host: &Host, call: Call) -> Option<Input> {
    match call {
        Call::Start => Some(Input::Started(service.start(host))),
        Call::Reload => Some(Input::Reloaded(service.reload())),
        Call::Stop(reason) => Some(Input::Stopped(service.stop(reason))),
        Call::Resume => {
            service.resume();
            None
        }
    }
}
