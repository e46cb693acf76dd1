//! The cards of instances: each runtime folder says what it is called and where its file lies.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mainstay_platform::paths;
use mainstay_storage::atomic;
use serde::{Deserialize, Serialize};

use crate::{instance::Located, print};

/// The name of a card in its runtime folder.
const FILE_NAME: &str = "instance.json";
/// Whoever lists instances looks at no more than this.
const CARDS_MAX: usize = 1000;

/// What an instance is called and where its configuration is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) name: String,
    pub(crate) config: PathBuf,
}

/// Writes the card of an instance that is about to start: with a new name, the one it had, or that
/// of its folder.
///
/// One that makes no sense is set aside.
pub(crate) fn write(located: &Located, name: Option<&str>) -> io::Result<()> {
    let runtime = &located.instance.runtime;
    let former = read(runtime);
    let path = runtime.join(FILE_NAME);
    if former.is_none() && path.exists() {
        let aside = atomic::set_aside(&path)?;
        let aside = aside.display();
        print::talk(&format!("note: the instance's card makes no sense: set aside as `{aside}`"));
    }
    let folder = located.file.parent().and_then(Path::file_name).unwrap_or_default();
    let name = match (name, &former) {
        (Some(name), _) => name.to_owned(),
        (None, Some(former)) => former.name.clone(),
        (None, None) => folder.to_string_lossy().into_owned(),
    };
    let card = Card { name, config: located.file.clone() };
    if former.as_ref() == Some(&card) {
        return Ok(());
    }
    let text = serde_json::to_vec(&card)?;
    match atomic::replace(&path, &text, paths::create_private_file) {
        // Somebody starts the same instance at this moment, and was faster.
        Err(_) if read(runtime).as_ref() == Some(&card) => Ok(()),
        result => result,
    }
}

/// Reads the card in a runtime folder, if there is one.
pub(crate) fn read(runtime: &Path) -> Option<Card> {
    serde_json::from_slice(&fs::read(runtime.join(FILE_NAME)).ok()?).ok()
}

/// Returns the cards of all instances whose configuration is still there, by name.
pub(crate) fn all(base: &Path) -> Vec<Card> {
    any(base).into_iter().filter(|card| card.config.is_file()).collect()
}

/// Returns the cards of all instances, by name.
pub(crate) fn any(base: &Path) -> Vec<Card> {
    let folders = fs::read_dir(base).into_iter().flatten().flatten().take(CARDS_MAX);
    let mut cards: Vec<Card> = folders.filter_map(|folder| read(&folder.path())).collect();
    cards.sort_by(|one, other| (&one.name, &one.config).cmp(&(&other.name, &other.config)));
    cards
}
