//! Makes zstd frames; storage reads them without this library.

use std::{fmt, io};

use zstd_safe::{CCtx, CParameter, compress_bound, get_error_name};

/// The level that zstd takes by itself; `docs/adr/0010` has the measurement.
const LEVEL: i32 = 3;

/// Makes frames one after the other, each readable by itself.
pub struct Encoder(CCtx<'static>);

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encoder")
    }
}

impl Encoder {
    /// Returns one at the usual level.
    pub fn new() -> io::Result<Self> {
        let mut context = CCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
        context.set_parameter(CParameter::CompressionLevel(LEVEL)).map_err(failed)?;
        context.set_parameter(CParameter::ChecksumFlag(true)).map_err(failed)?;
        Ok(Self(context))
    }

    /// Returns these bytes as a frame with their length and a checksum.
    pub fn frame(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut frame = Vec::with_capacity(compress_bound(bytes.len()));
        self.0.compress2(&mut frame, bytes).map_err(failed)?;
        Ok(frame)
    }
}

fn failed(code: usize) -> io::Error {
    io::Error::other(get_error_name(code))
}
