//! The source `file`: a file with an address a line, written by whoever knows better.

use std::{fs::File, io, io::Read as _, net::IpAddr, path::Path, path::PathBuf, time::Duration};

use crate::{
    address::Family,
    source::{Source, Vote},
    wire::{BODY_BYTES_MAX, Later},
};

use super::{address, apart::Apart};

/// How long the storage may take.
const WITHIN: Duration = Duration::from_secs(5);

/// A file.
#[derive(Debug)]
pub(super) struct AddressFile {
    path: PathBuf,
    apart: Apart,
}

impl AddressFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, apart: Apart::default() }
    }
}

impl Source for AddressFile {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        let path = self.path.clone();
        Box::pin(async move {
            let voter = path.display().to_string();
            let read = self.apart.run(WITHIN, move || read(&path, family)).await;
            vec![Vote { voter, answer: read.and_then(|answer| answer) }]
        })
    }
}

fn read(path: &Path, family: Family) -> Result<Vec<IpAddr>, String> {
    let text = text(path).map_err(|error| format!("cannot read it: {error}"))?;
    if text.len() > BODY_BYTES_MAX {
        return Err("it is longer than 64 KiB".to_owned());
    }
    address::lines(&text, family)
}

/// Reads a file and at most a byte more than is allowed. A pipe would be waited for: it is refused
/// before it is opened.
fn text(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let limit = u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(path: &Path) -> Result<Vec<IpAddr>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let source = AddressFile::new(path.to_owned());
        runtime.block_on(source.look(Family::V4)).remove(0).answer
    }

    #[test]
    fn a_file_is_read_each_time_and_never_more_than_its_limit() {
        let folder = std::env::temp_dir().join(format!("ddns-file-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("address");
        assert!(looked(&path).unwrap_err().starts_with("cannot read it: "));
        write(&path, b"81.2.69.142\n");
        assert_eq!(looked(&path), Ok(vec!["81.2.69.142".parse().unwrap()]));
        write(&path, &vec![b'\n'; BODY_BYTES_MAX + 1]);
        assert_eq!(looked(&path).unwrap_err(), "it is longer than 64 KiB");
        assert_eq!(looked(&folder).unwrap_err(), "cannot read it: it is no file");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    fn write(path: &Path, bytes: &[u8]) {
        use std::io::Write as _;
        File::create(path).unwrap().write_all(bytes).unwrap();
    }
}
