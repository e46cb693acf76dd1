//! Changes to an inherited environment.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Changes to an inherited environment. What variables are set to is not shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Variables that are set or replaced.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Variables that are removed.
    #[serde(default)]
    pub unset: Vec<String>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.set.keys().collect();
        f.debug_struct("Environment")
            .field("set", &names)
            .field("unset", &self.unset)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_variables_are_shown_and_their_values_are_not() {
        let set = [("TOKEN".to_owned(), "hunter2".to_owned())].into();
        let shown = format!("{:?}", Environment { set, unset: vec!["HOME".to_owned()] });
        assert!(shown.contains("TOKEN") && shown.contains("HOME"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
