//! How much of the processors a program gets: the words of the command line, and the keys of the
//! configuration that they stand for.

use clap::Args as ClapArgs;
use mainstay_api::{
    config::{self, EditError},
    keeper::Share,
};

use super::failure::Opted;

/// The priorities, as the configuration calls them.
const PRIORITIES: [&str; 6] =
    ["idle", "below-normal", "normal", "above-normal", "high", "realtime"];

/// How much of the processors the program gets.
#[derive(Debug, Default, ClapArgs)]
pub(super) struct ShareArgs {
    /// How urgent it is
    #[arg(long, value_name = "PRIORITY", value_parser = PRIORITIES)]
    priority: Option<String>,

    /// The processors that it may use, such as `0-2,4`
    #[arg(long, value_name = "PROCESSORS")]
    affinity: Option<String>,
}

impl ShareArgs {
    /// Returns the configuration with what was asked for in it.
    pub(super) fn configured(&self, text: String, unit: &str) -> Result<String, EditError> {
        let keys = [("priority", &self.priority), ("affinity", &self.affinity)];
        let said = keys.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?)));
        let mut text = text;
        for (key, word) in said {
            text = config::set(&text, unit, key, &format!("\"{}\"", word.escape_default()))?;
        }
        Ok(text)
    }
}

/// Returns the options that install a service with this share.
pub(super) fn options_of(share: &Share) -> Vec<Opted> {
    let mut options = Vec::new();
    if let Some(priority) = share.priority {
        let word = serde_json::to_value(priority).ok();
        let word = word.and_then(|word| word.as_str().map(str::to_owned));
        options.extend(word.map(|word| ("priority", word)));
    }
    options.extend(share.processors.map(|mask| ("affinity", listed(mask))));
    options
}

/// Returns the processors of a mask, one by one.
fn listed(mask: u64) -> String {
    let numbers = (0..u64::BITS).filter(|number| mask & (1 << number) != 0);
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use mainstay_api::config::SourceText;

    use super::*;

    #[test]
    fn a_share_stands_in_the_configuration_and_is_dumped_again() {
        let args = ShareArgs {
            priority: Some("below-normal".to_owned()),
            affinity: Some("0-2,4".to_owned()),
        };
        let text = "[services.web]\ncommand = [\"web\"]\n".to_owned();
        let text = args.configured(text, "web").unwrap();
        let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
        let parsed = config::parse(&[source]).unwrap();
        let share = parsed.services.into_values().next().unwrap().share;
        let expected =
            [("priority", "below-normal".to_owned()), ("affinity", "0,1,2,4".to_owned())];
        assert_eq!(options_of(&share), expected);
        assert_eq!(options_of(&Share::default()), []);
    }
}
