//! The state on the disk: one file, replaced as a whole.
//!
//! ```json
//! { "version": 1, "bindings": { "cf/home.example.org/A": { "published": { "values": ["…"], "at": 0 } } } }
//! ```
//!
//! What a later version has written is understood as far as it can be; what nobody understands is
//! set aside.

mod write;

use std::{
    collections::BTreeMap,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use mainstay_platform::paths;
use mainstay_storage::atomic;
use serde_json::Value;

use crate::{
    engine::state::{Hold, Kept, Stamped, State},
    failure::Class,
};

const FILE: &str = "state.json";
/// Nothing that was written by us is longer.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Where the state is kept.
#[derive(Debug, Clone)]
pub struct Shelf {
    path: PathBuf,
}

/// Why a state could not be kept, or is not there again.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The disk refuses.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nobody understands it; it has another name now.
    #[error("cannot understand `{}`: {why}; it is kept as `{}`", path.display(), aside.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where it is now.
        aside: PathBuf,
        /// Why.
        why: String,
    },
}

impl Shelf {
    /// Returns the shelf in a state directory.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// Returns what was kept last; an empty state when that is nothing, or nothing that anybody
    /// understands, with the reason to tell.
    pub fn load(&self) -> (State, Option<ShelfError>) {
        let read = fs::metadata(&self.path).and_then(|found| match found.len() {
            length if length > BYTES_MAX => Err(io::ErrorKind::FileTooLarge.into()),
            _ => fs::read(&self.path),
        });
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Default::default(),
            Err(source) => {
                let path = self.path.clone();
                return (State::default(), Some(ShelfError::Read { path, source }));
            }
        };
        match understand(&bytes) {
            Ok(state) => (state, None),
            Err(why) => (State::default(), Some(self.damaged(why))),
        }
    }

    fn damaged(&self, why: String) -> ShelfError {
        let path = self.path.clone();
        match atomic::set_aside(&path) {
            Ok(aside) => ShelfError::Damaged { path, aside, why },
            Err(source) => ShelfError::Read { path, source },
        }
    }

    /// Keeps a state.
    pub fn store(&self, state: &State) -> io::Result<()> {
        atomic::replace(&self.path, write::text(state).as_bytes(), paths::create_private_file)
    }
}

fn understand(bytes: &[u8]) -> Result<State, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let object = |key: &str| match value.get(key) {
        Some(Value::Object(found)) => Ok(found),
        _ => Err(format!("`{key}` is no object")),
    };
    if value.get("version").and_then(Value::as_u64).is_none() {
        return Err("it has no version".to_owned());
    }
    let bindings = object("bindings")?.iter();
    let bindings = bindings.map(|(id, kept)| Ok((id.clone(), understood_kept(kept)?)));
    let accounts = object("accounts")?.iter();
    let accounts = accounts.map(|(name, hold)| Ok((name.clone(), understood_hold(hold)?)));
    let bindings: BTreeMap<String, Kept> = bindings.collect::<Result<_, String>>()?;
    Ok(State { bindings, accounts: accounts.collect::<Result<_, String>>()? })
}

fn understood_kept(value: &Value) -> Result<Kept, String> {
    let part = |key: &str| value.get(key).filter(|part| !part.is_null());
    Ok(Kept {
        published: part("published").map(understood_stamped).transpose()?,
        intent: part("intent").map(understood_stamped).transpose()?,
        visible_since: part("visible-since").and_then(Value::as_i64),
        corrected: part("corrected").and_then(Value::as_i64),
        tried: part("tried").map(understood_addresses).transpose()?.unwrap_or_default(),
        failures: count(value),
        hold: part("hold").map(understood_hold).transpose()?,
        why: part("why").and_then(Value::as_str).map(ToOwned::to_owned),
        digest: digest(value)?,
    })
}

fn understood_stamped(value: &Value) -> Result<Stamped, String> {
    let values = understood_addresses(value.get("values").unwrap_or(&Value::Null))?;
    let at = value.get("at").and_then(Value::as_i64).ok_or("`at` is no time")?;
    Ok(Stamped { values, at })
}

fn understood_addresses(value: &Value) -> Result<Vec<IpAddr>, String> {
    let values = value.as_array().ok_or("addresses are no list")?;
    let address = |value: &Value| value.as_str().and_then(|text| text.parse::<IpAddr>().ok());
    let addresses: Option<Vec<IpAddr>> = values.iter().map(address).collect();
    addresses.ok_or_else(|| "an address is none".to_owned())
}

fn understood_hold(value: &Value) -> Result<Hold, String> {
    let word = value.get("class").and_then(Value::as_str).unwrap_or_default();
    let class = Class::ALL.into_iter().find(|class| class.word() == word);
    let class = class.ok_or_else(|| format!("`{word}` is no class of failures"))?;
    let code = value.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
    let since = value.get("since").and_then(Value::as_i64).ok_or("`since` is no time")?;
    let until = value.get("until").and_then(Value::as_i64);
    Ok(Hold { class, code, since, until, failures: count(value), digest: digest(value)? })
}

fn count(value: &Value) -> u32 {
    let failures = value.get("failures").and_then(Value::as_u64).unwrap_or_default();
    u32::try_from(failures).unwrap_or(u32::MAX)
}

fn digest(value: &Value) -> Result<u64, String> {
    let text = value.get("digest").and_then(Value::as_str).unwrap_or_default();
    u64::from_str_radix(text, 16).map_err(|_| "`digest` is no number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("mainstay-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn state() -> State {
        let values = vec!["81.2.69.142".parse().unwrap(), "2408::1".parse().unwrap()];
        let stamped = Stamped { values, at: 1_700_000_000 };
        let hold = Hold {
            class: Class::RateLimited,
            code: "429".to_owned(),
            since: 5,
            until: Some(-7),
            failures: 6,
            digest: u64::MAX,
        };
        let kept = Kept {
            published: Some(stamped.clone()),
            intent: Some(stamped),
            visible_since: Some(3),
            corrected: Some(8),
            tried: vec!["81.2.69.143".parse().unwrap()],
            failures: 4,
            hold: Some(hold.clone()),
            why: Some("it says \"no\" \\ \n\u{1}".to_owned()),
            digest: 9,
        };
        let bindings =
            [("cf/home.example.org/A".to_owned(), kept), ("x".to_owned(), Kept::default())];
        State { bindings: bindings.into(), accounts: [("cf".to_owned(), hold)].into() }
    }

    #[test]
    fn what_was_kept_is_there_again() {
        let folder = Folder::new("shelf");
        let shelf = Shelf::in_folder(&folder.0);
        let (empty, error) = shelf.load();
        assert!(empty == State::default() && error.is_none());
        shelf.store(&state()).unwrap();
        let (found, error) = shelf.load();
        assert!(error.is_none(), "{error:?}");
        assert_eq!(found, state());
    }

    #[test]
    fn what_nobody_understands_is_set_aside_and_named() {
        let folder = Folder::new("shelf-damaged");
        let shelf = Shelf::in_folder(&folder.0);
        shelf.store(&state()).unwrap();
        let good = fs::read(&shelf.path).unwrap();
        for cut in [0, 1, good.len() / 2, good.len() - 1] {
            let mut file = paths::create_private_file(&shelf.path).unwrap();
            io::Write::write_all(&mut file, &good[..cut]).unwrap();
            let (found, error) = shelf.load();
            assert_eq!(found, State::default());
            let told = error.unwrap().to_string();
            assert!(told.contains("state.damaged-"), "{told}");
            assert!(!shelf.path.exists());
        }
    }

    #[test]
    fn damaged_states_are_read_to_an_end() {
        let mut chance = crate::fake_wire::Chance::new(29);
        let whole = write::text(&state());
        let understood = |_: &u32| understand(&chance.damage(whole.as_bytes())).is_ok();
        let count = (0..3_000).filter(understood).count();
        assert!((10..2_900).contains(&count), "{count}");
        understand("[".repeat(1_000_000).as_bytes()).unwrap_err();
    }

    #[test]
    fn keys_of_a_later_version_are_passed_over() {
        let mut value: Value = serde_json::from_str(&write::text(&state())).unwrap();
        value["version"] = Value::from(2);
        value["bindings"]["x"]["mood"] = Value::from("good");
        assert_eq!(understand(value.to_string().as_bytes()), Ok(state()));
    }
}
