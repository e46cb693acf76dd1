//! Links the binary at a fixed address on Linux: each exec of a position-independent binary pays
//! for its relocations, and both the command line and the `exec` role start often. Not with musl:
//! the object that begins a static program there relocates itself, and crashes where it need not.
//!
//! Tells Windows what the binary is: version, asks for no rights, knows long paths and UTF-8.
//!
//! Sets `machine` where tests can look into processes by `/proc`, and `manager` where services
//! belong to the service control manager of Windows.

fn main() {
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let is_linux = os == "linux";
    let is_musl = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl");
    println!("cargo::rustc-check-cfg=cfg(machine)");
    println!("cargo::rustc-check-cfg=cfg(manager)");
    if is_linux && !is_musl {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    if is_linux {
        println!("cargo::rustc-cfg=machine");
    }
    if os == "windows" {
        println!("cargo::rustc-cfg=manager");
    }
    if os == "windows" && has_resource_compiler() {
        describe();
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=mainstay.manifest");
}

/// Elsewhere only the GNU tools have one; a check for MSVC there makes no binary.
fn has_resource_compiler() -> bool {
    let is_gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    is_gnu || std::env::var("HOST").is_ok_and(|host| host.contains("windows"))
}

fn describe() {
    let mut resource = winresource::WindowsResource::new();
    resource.set("ProductName", "Mainstay");
    resource.set("FileDescription", "Mainstay: keeps programs running as services");
    resource.set("OriginalFilename", "mainstay.exe");
    resource.set("LegalCopyright", "MIT OR Apache-2.0");
    resource.set_manifest_file("mainstay.manifest");
    if let Err(error) = resource.compile() {
        println!("cargo::error=cannot compile the version resource: {error}");
    }
}
