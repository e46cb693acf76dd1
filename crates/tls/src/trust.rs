//! Whom a client believes: what is built in, what the system believes, and a file of the user's.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rustls::RootCertStore;

/// Whom a client believes. Clones share what was read of the system.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    public: Arc<OnceLock<Public>>,
    ca_file: Option<PathBuf>,
}

/// The authorities that everybody knows, and those of this machine.
#[derive(Debug)]
struct Public {
    store: Arc<RootCertStore>,
    unread: usize,
}

impl Trust {
    /// Believes what is built in and what the system believes. Nothing is read yet.
    pub fn public() -> Self {
        Self::default()
    }

    /// Believes, besides, what a PEM file holds: authorities, or a server's own certificate.
    #[must_use]
    pub fn with_ca_file(&self, path: &Path) -> Self {
        Self { public: Arc::clone(&self.public), ca_file: Some(path.to_path_buf()) }
    }

    /// Returns the file of the user's own.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// Returns how many certificates of the system could not be read: none of them is missed by
    /// those that are built in. Reads them when nobody has yet.
    pub fn unread(&self) -> usize {
        self.read().unread
    }

    /// Returns the authorities that everybody knows and those of the system, which are read once.
    pub(crate) fn store(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.read().store)
    }

    fn read(&self) -> &Public {
        self.public.get_or_init(Public::read)
    }
}

impl Public {
    /// A certificate that cannot be read is counted, and no reason to believe nobody.
    fn read() -> Self {
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let system = rustls_native_certs::load_native_certs();
        let (_, refused) = store.add_parsable_certificates(system.certs);
        Self { store: Arc::new(store), unread: refused + system.errors.len() }
    }
}
