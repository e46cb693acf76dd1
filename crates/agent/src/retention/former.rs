//! What is kept of logs, written down: a service that has left the configuration may go on to write
//! under the next agent, which would know of no limit.
//!
//! What is no longer configured is forgotten with its last log.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_api::config::Compress;
use mainstay_core::{ServiceName, UnitName};
use mainstay_platform::paths;
use mainstay_storage::{atomic, checked, instance::Instance};

use super::{Policies, Policy, rules::Limits};
use crate::events::complain;

const TITLE: &str = "mainstay-kept-logs";
const VERSION: u32 = 1;
/// A hundred thousand services take less.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// The file, and what stands in it as far as that is known.
#[derive(Debug)]
pub(super) struct Memory {
    file: PathBuf,
    logs: PathBuf,
    written: Option<Vec<u8>>,
}

impl Memory {
    pub(super) fn of(instance: &Instance) -> Self {
        Self { file: instance.kept_logs(), logs: instance.logs(), written: None }
    }

    /// Returns what former agents have kept, of services of which there are logs.
    pub(super) fn recall(&mut self) -> Policies {
        let Some(bytes) = self.bytes() else { return Policies::new() };
        let Some(mut policies) = decode(&bytes) else {
            // Whoever looks for the reason finds it; of what ran then, everything is kept.
            drop(atomic::set_aside(&self.file));
            complain("cannot understand what was kept of logs", &invalid());
            return Policies::new();
        };
        if let Ok(logged) = logged(&self.logs) {
            policies.retain(|service, _| logged.contains(service));
        }
        policies
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = File::open(&self.file)
            .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map(drop));
        match read {
            Ok(()) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                complain("cannot read what was kept of logs", &error);
                None
            }
        }
    }

    /// Writes what is kept from now on; what could not be written is tried again the next time.
    pub(super) fn keep(&mut self, policies: &Policies, former: &Policies) {
        let bytes = encode(former.iter().chain(policies));
        if self.written.as_ref() == Some(&bytes) {
            return;
        }
        match atomic::replace(&self.file, &bytes, paths::create_private_file) {
            Ok(()) => self.written = Some(bytes),
            Err(error) => complain("cannot write down what is kept of logs", &error),
        }
    }
}

fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Returns the services of which there are logs.
fn logged(logs: &Path) -> io::Result<BTreeSet<ServiceName>> {
    let names = fs::read_dir(logs)?.flatten().map(|entry| entry.file_name());
    let unit = |name: &std::ffi::OsString| UnitName::parse(name.to_str()?).ok();
    Ok(names.filter_map(|name| unit(&name)).map(|unit| unit.service).collect())
}

fn encode<'a>(all: impl Iterator<Item = (&'a ServiceName, &'a Policy)>) -> Vec<u8> {
    let mut body = String::new();
    for (service, Policy { limits, compress, every }) in all {
        let Limits { keep, keep_for, keep_total } = limits;
        let (keep_for, every) = (nanos(*keep_for), nanos(*every));
        let compress = if *compress == Compress::Zstd { "zstd" } else { "off" };
        // A text takes whatever is written to it.
        let _ = writeln!(body, "{keep} {keep_for} {keep_total} {compress} {every} {service}");
    }
    checked::encode(TITLE, VERSION, &body)
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

fn decode(bytes: &[u8]) -> Option<Policies> {
    checked::decode(TITLE, VERSION, bytes)?.lines().map(read).collect()
}

fn read(line: &str) -> Option<(ServiceName, Policy)> {
    let mut words = line.splitn(6, ' ');
    let mut word = || words.next();
    let keep = word()?.parse().ok()?;
    let keep_for = Duration::from_nanos(word()?.parse().ok()?);
    let keep_total = word()?.parse().ok()?;
    let compress = match word()? {
        "zstd" => Compress::Zstd,
        "off" => Compress::Off,
        _ => return None,
    };
    let every = Duration::from_nanos(word()?.parse().ok()?);
    let limits = Limits { keep, keep_for, keep_total };
    Some((ServiceName::new(word()?).ok()?, Policy { limits, compress, every }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(keep: usize, compress: Compress) -> Policy {
        let keep_for = Duration::from_hours(720);
        let limits = Limits { keep, keep_for, keep_total: 1 << 40 };
        Policy { limits, compress, every: Duration::from_secs(1) }
    }

    #[test]
    fn what_is_written_comes_back_as_far_as_there_are_logs() {
        let name = format!("mainstay-former-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let instance = Instance::new(folder.join("runtime"), folder.join("state"));
        fs::create_dir_all(instance.logs_of("web@2")).unwrap();
        fs::create_dir_all(instance.logs_of("api")).unwrap();
        let [web, api, gone] = ["web", "api", "gone"].map(|name| ServiceName::new(name).unwrap());
        let configured = Policies::from([(api.clone(), policy(7, Compress::Zstd))]);
        let left = policy(0, Compress::Off);
        let former = Policies::from([(web.clone(), left), (gone, left)]);

        assert_eq!(Memory::of(&instance).recall(), Policies::new());
        Memory::of(&instance).keep(&configured, &former);
        let expected = Policies::from([(web, left), (api, policy(7, Compress::Zstd))]);
        assert_eq!(Memory::of(&instance).recall(), expected);

        let create = paths::create_private_file;
        atomic::replace(&instance.kept_logs(), b"what nobody understands", create).unwrap();
        assert_eq!(Memory::of(&instance).recall(), Policies::new());
        let aside = instance.kept_logs().with_extension("damaged-1");
        assert_eq!(fs::read_to_string(aside).unwrap(), "what nobody understands");
        fs::remove_dir_all(folder).unwrap();
    }
}
