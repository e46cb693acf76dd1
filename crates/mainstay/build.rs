//! Links the binary at a fixed address on Linux: each exec of a position-independent binary pays
//! for its relocations, and both the command line and the `exec` role start often.

fn main() {
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if is_linux {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
