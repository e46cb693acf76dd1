//! The `mainstay` binary: picks a role.

fn main() {}
