//! Stories of files that change, as editors, orchestrators and accidents change them.

use std::fs::{self, File};

use mainstay_platform::paths;

use super::*;

/// A folder with a file that is watched.
struct Folder {
    path: PathBuf,
    watcher: Watcher,
}

impl Folder {
    async fn new(name: &str, prepare: impl FnOnce(&Path)) -> Self {
        let name = format!("mainstay-watch-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        let path = path.canonicalize().unwrap();
        prepare(&path);
        let mut watcher = Watcher::default();
        watcher.begin(&path.join("mainstay.toml")).unwrap();
        let mut folder = Self { path, watcher };
        folder.expect(&folder.holds()).await;
        folder
    }

    /// Returns what a look that is made now would see.
    fn holds(&self) -> Sight {
        sight_of(&self.path.join("mainstay.toml"), &Steps::untold())
    }

    /// Changes something, and waits until the watcher has seen what came of it.
    async fn change(&mut self, change: impl FnOnce(&Path)) {
        let before = self.holds();
        change(&self.path);
        let after = self.holds();
        assert_ne!(before, after);
        self.expect(&after).await;
    }

    /// A machine that is slow enough may see what was only meant to be on the way there.
    async fn expect(&mut self, expected: &Sight) {
        let seen = async { while self.watcher.next().await.as_ref() != Some(expected) {} };
        let within = Duration::from_mins(1);
        assert!(tokio::time::timeout(within, seen).await.is_ok(), "{expected:?} is not seen");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
    }
}

fn write(path: &Path, text: &str) {
    use std::io::Write as _;
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn link(to: &str, at: &Path) {
    paths::link(Path::new(to), at).unwrap();
}

fn replace(path: &Path, text: &str) {
    let fresh = path.with_extension("new");
    write(&fresh, text);
    fs::rename(&fresh, path).unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn what_editors_do_is_seen() {
    let begin = |folder: &Path| write(&folder.join("mainstay.toml"), "# one");
    let mut folder = Folder::new("editors", begin).await;
    folder.change(|folder| write(&folder.join("mainstay.toml"), "# two")).await;
    for text in ["# three", "# four"] {
        folder.change(|folder| replace(&folder.join("mainstay.toml"), text)).await;
    }
    folder.change(|folder| write(&folder.join("mainstay.toml"), "")).await;
    folder.change(|folder| fs::remove_file(folder.join("mainstay.toml")).unwrap()).await;
    folder.change(|folder| write(&folder.join("mainstay.toml"), "# back")).await;
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_changed_and_changed_back_is_told_again() {
    let begin = |folder: &Path| write(&folder.join("mainstay.toml"), "# one");
    let mut folder = Folder::new("back", begin).await;
    // Whoever reads what was told may find what was there for a moment.
    let one = folder.holds();
    for text in ["", "# one"] {
        write(&folder.path.join("mainstay.toml"), text);
    }
    folder.expect(&one).await;
}

#[tokio::test(flavor = "current_thread")]
async fn files_and_folders_that_come_later_are_seen_and_so_is_their_end() {
    let begin = |folder: &Path| write(&folder.join("mainstay.toml"), "");
    let mut folder = Folder::new("later", begin).await;
    let first = |folder: &Path| {
        fs::create_dir(folder.join("services.d")).unwrap();
        write(&folder.join("services.d/a.toml"), "# a");
    };
    folder.change(first).await;
    folder.change(|folder| write(&folder.join("services.d/a.toml"), "# a2")).await;
    folder.change(|folder| write(&folder.join("services.d/b.toml"), "# b")).await;
    folder.change(|folder| fs::remove_file(folder.join("services.d/a.toml")).unwrap()).await;
    folder.change(|folder| fs::remove_dir_all(folder.join("services.d")).unwrap()).await;
    folder.change(first).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_link_that_is_led_elsewhere_is_seen() {
    // Wine 8 does not follow the links that it makes.
    if std::env::var_os("MAINSTAY_WINE").is_some() {
        return;
    }
    let fill = |folder: &Path, version: &str| {
        fs::create_dir_all(folder.join(version)).unwrap();
        write(&folder.join(version).join("mainstay.toml"), &format!("# {version}"));
    };
    let swap = |folder: &Path, version: &str| {
        fill(folder, version);
        link(version, &folder.join("..data_tmp"));
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    };
    let begin = |folder: &Path| {
        swap(folder, "..one");
        link("..data/mainstay.toml", &folder.join("mainstay.toml"));
    };
    let mut folder = Folder::new("links", begin).await;
    for version in ["..two", "..three"] {
        folder.change(|folder| swap(folder, version)).await;
    }
    folder.change(|folder| write(&folder.join("..three/mainstay.toml"), "# in place")).await;
}

#[test]
fn what_is_seen_once_may_be_half_and_is_not_told() {
    use Verdict::{Known, News, Unsettled};
    let mut judge = Judge::default();
    let mut check = |seen: &[u64], expected: &[Verdict]| {
        let found = seen.iter().map(|number| judge.judge(&Sight::Holds(*number)));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{seen:?}");
    };
    check(&[1, 1, 1], &[Unsettled, News, Known]);
    check(&[2, 3, 2, 2], &[Unsettled, Unsettled, Unsettled, News]);
    // What was there for a moment is not put together with what comes later.
    check(&[3, 2, 3, 3], &[Unsettled, Known, Unsettled, News]);
}
