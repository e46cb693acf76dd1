//! File systems of their own, so that a disk can be full or frozen without harm to others.
//!
//! Mounting takes an administrator. Where that is refused, a test says that it shows nothing; in the
//! gate, an administrator's refused mount is a failure.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A mounted file system; it is gone with the value.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    is_frozen: bool,
}

impl Disk {
    /// Mounts one of so many KiB in memory at a folder; nothing where that is refused.
    pub(crate) fn of_size(folder: &Path, kibibytes: u64) -> Option<Self> {
        let options = format!("size={kibibytes}k,mode=700");
        Self::mount(folder, &["-t", "tmpfs", "-o", &options, "mainstay-test"])
    }

    /// Mounts one at a folder that can be frozen, kept in a file beside the folder: with room for
    /// what a program writes at full speed as long as a test takes on a machine that is busy.
    pub(crate) fn freezable(folder: &Path) -> Option<Self> {
        let image = folder.with_extension("image");
        fs::File::create(&image).unwrap().set_len(512 * 1024 * 1024).unwrap();
        let image = image.to_str().unwrap();
        if !succeeds("mkfs.ext4", &["-q", "-F", image]) {
            return refused("mkfs.ext4");
        }
        Self::mount(folder, &["-t", "ext4", "-o", "loop", image])
    }

    fn mount(folder: &Path, how: &[&str]) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let arguments = [how, &[folder.to_str().unwrap()]].concat();
        if !succeeds("mount", &arguments) {
            return refused("mount");
        }
        Some(Self { folder: folder.to_owned(), is_frozen: false })
    }

    /// Fills it up to the last byte but for what a file of so many KiB would take.
    pub(crate) fn fill_but(&self, kibibytes: usize) {
        let spare = self.folder.join("spare");
        fs::write(&spare, vec![0; kibibytes * 1024]).unwrap();
        let mut filler = fs::File::create(self.folder.join("filler")).unwrap();
        while std::io::Write::write_all(&mut filler, &[0; 4096]).is_ok() {}
        fs::remove_file(spare).unwrap();
    }

    /// Gives back what was filled.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.folder.join("filler")).unwrap();
    }

    /// Lets every write wait until [`thaw`](Self::thaw).
    pub(crate) fn freeze(&mut self) {
        assert!(succeeds("fsfreeze", &["--freeze", self.folder.to_str().unwrap()]));
        self.is_frozen = true;
    }

    /// Lets writes go on.
    pub(crate) fn thaw(&mut self) {
        self.is_frozen = !succeeds("fsfreeze", &["--unfreeze", self.folder.to_str().unwrap()]);
        assert!(!self.is_frozen);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let folder = self.folder.to_str().unwrap();
        if self.is_frozen {
            succeeds("fsfreeze", &["--unfreeze", folder]);
        }
        // Whoever still has a file open there keeps it until it ends.
        succeeds("umount", &["--lazy", folder]);
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    // Tools of administrators are not on everybody's path.
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Returns whether everything is to be shown: an administrator runs the gate.
fn is_owed() -> bool {
    let is_gate = std::env::var_os("MAINSTAY_GATE").is_some();
    is_gate && Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// Says that a machine does not let us show something.
#[expect(clippy::print_stderr, reason = "a test that shows nothing says so")]
fn refused<T>(what: &str) -> Option<T> {
    assert!(!is_owed(), "`{what}` is refused: the gate would show nothing of full or frozen disks");
    eprintln!("not shown here: `{what}` is refused; run the tests as an administrator");
    None
}

/// A mounted file system that never answers; whoever waits for it is told so when it is gone.
#[derive(Debug)]
pub(crate) struct Hang {
    folder: PathBuf,
    server: Child,
}

impl Hang {
    pub(crate) fn at(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machine/hang.py");
        let mut command = Command::new("python3");
        command.arg(program).stdin(Stdio::piped());
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // Not in its command line: it is no process of the instance in that folder.
        let name = folder.as_os_str().as_encoded_bytes();
        server.stdin.take().unwrap().write_all(name).unwrap();
        let mut said = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said != "mounted\n" {
            server.wait().unwrap();
            return refused("/dev/fuse");
        }
        Some(Self { folder: folder.to_owned(), server })
    }

    /// Ends all waiting with an error.
    pub(crate) fn give_up(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        self.give_up();
        succeeds("umount", &["--lazy", self.folder.to_str().unwrap()]);
    }
}
