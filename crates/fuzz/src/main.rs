//! Feeds a target: from libFuzzer, which is built in by `cargo xtask fuzz`, or else from files.

#![cfg_attr(fuzzing, no_main)]

/// Names the target to libFuzzer, which takes no words of ours.
#[cfg(fuzzing)]
const TARGET: &str = "MAINSTAY_FUZZ";

#[cfg(fuzzing)]
static CHOSEN: std::sync::OnceLock<mainstay_fuzz::Target> = std::sync::OnceLock::new();

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let chosen = || std::env::var(TARGET).ok().and_then(|name| mainstay_fuzz::target(&name));
    CHOSEN.get_or_init(|| chosen().expect("`MAINSTAY_FUZZ` names a target"))(bytes);
});

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let wanted = || std::io::Error::other("write `mainstay-fuzz TARGET FILE…`");
    let target = mainstay_fuzz::target(&name).ok_or_else(wanted)?;
    for file in arguments {
        target(&std::fs::read(file)?);
    }
    Ok(())
}
