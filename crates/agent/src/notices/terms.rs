//! Whether a service's programs may notify, and on which terms.

use std::time::Duration;

use mainstay_api::{
    config::{NotifyAccess, NotifyConfig, ServiceConfig},
    notify::Access,
};

/// On which terms a program may notify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// Whose messages count.
    pub(super) access: Access,
    /// So many descriptors are kept for it.
    pub(super) store: usize,
    /// How often it has to say that it is alive.
    pub(super) alive_every: Option<Duration>,
}

impl Terms {
    /// Returns the terms of a service; nothing when nobody listens.
    pub(super) fn of(service: &ServiceConfig) -> Option<Self> {
        let care = &service.care;
        if !care.has_socket() {
            return None;
        }
        let NotifyConfig { access, store } = care.notify.unwrap_or_default();
        let access = match access {
            NotifyAccess::All => Access::All,
            NotifyAccess::Main => Access::Main,
            NotifyAccess::None => Access::None,
        };
        let store = usize::try_from(store).unwrap_or(usize::MAX);
        Some(Self { access, store, alive_every: care.alive_every() })
    }
}
