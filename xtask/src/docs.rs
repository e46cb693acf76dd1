//! Writes the documents that are made from the binary: the schema and the reference of the
//! configuration file. That they are up to date is a test of `mainstay schema`.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// Each document, and how the binary is asked for it.
const MADE: [(&str, &str); 3] = [
    ("mainstay.schema.json", "json"),
    ("configuration.md", "markdown"),
    ("configuration.zh-CN.md", "markdown-zh"),
];

/// Builds the binary and asks it for every document.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    workspace.cargo(&["build", "--package", "mainstay"])?;
    let program = workspace.target().join("debug/mainstay");
    for (name, format) in MADE {
        let mut command = Command::new(&program);
        let output = command.args(["schema", "--format", format]).output()?;
        if !output.status.success() {
            bail!("`mainstay schema --format {format}` ended with {}", output.status);
        }
        let path = workspace.root().join("docs/reference").join(name);
        fs::write(&path, output.stdout)
            .with_context(|| format!("cannot write {}", path.display()))?;
        crate::tell(&format!("wrote {}", path.display()));
    }
    Ok(())
}
