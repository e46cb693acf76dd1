//! Links the binary at a fixed address on Linux: each exec of a position-independent binary pays
//! for its relocations, and both the command line and the `exec` role start often.
//!
//! Sets `machine` where tests can look into processes by `/proc`.

fn main() {
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    println!("cargo::rustc-check-cfg=cfg(machine)");
    if is_linux {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        println!("cargo::rustc-cfg=machine");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
