//! `/etc/resolv.conf`.

use std::{
    fs::File,
    io::{self, Read as _},
    net::SocketAddr,
};

use super::configuration;
use crate::addresses;

const FILE: &str = "/etc/resolv.conf";
/// The file of no system is as long.
const BYTES_MAX: u64 = 64 * 1024;

pub(super) fn list() -> io::Result<Vec<SocketAddr>> {
    let mut text = Vec::new();
    match File::open(FILE) {
        Ok(file) => file.take(BYTES_MAX).read_to_end(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(configuration::servers(&String::from_utf8_lossy(&text), index_of))
}

fn index_of(name: &str) -> Option<u32> {
    let all = addresses::interfaces().ok()?;
    all.into_iter().find(|it| it.is_called(name)).map(|it| it.index)
}
