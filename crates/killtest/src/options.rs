//! What the kill test is asked for.

use mainstay_platform::clock;

pub(crate) const HELP: &str = "\
killtest [OPTION…]
  without a mode: agents, lossy pump and named instants, one after the other
modes:
  --agents          agents die, keepers are upgraded: nothing may be lost
  --keeper          keepers die: never a second copy, every line
  --both            keeper and agent die together; a manager starts the next keeper
  --lossy           a pump that loses bytes on purpose must be found out
  --points          keeper and agent die at each named instant
options:
  --programs N      how many programs write at full speed (100)
  --kills N         how often is killed (24 agents, or 10 keepers)
  --upgrades N      how often the keeper is upgraded (4)
  --seed N          the moments, again
  --keep            leave the folder for a look";

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Agents,
    Keepers,
    Both,
    Lossy,
    Points,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) modes: Vec<Mode>,
    pub(crate) programs: u32,
    pub(crate) kills: Option<u32>,
    pub(crate) upgrades: u32,
    pub(crate) seed: u64,
    pub(crate) leftovers: Leftovers,
    pub(crate) wants_help: bool,
}

/// What becomes of the folder of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leftovers {
    Remove,
    Keep,
}

impl Mode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Keepers => "keeper",
            Self::Both => "both",
            Self::Lossy => "lossy",
            Self::Points => "points",
        }
    }

    pub(crate) const fn purpose(self) -> &'static str {
        match self {
            Self::Agents => "agents die at random moments, keepers are upgraded",
            Self::Keepers => "keepers die at random moments, agents start the next",
            Self::Both => "keeper and agent die together, a manager starts the next keeper",
            Self::Lossy => "the pump loses bytes once, which must be found out",
            Self::Points => "keeper and agent die at each named instant",
        }
    }

    /// Returns how often is killed unless somebody says otherwise.
    pub(crate) const fn kills(self) -> u32 {
        match self {
            Self::Agents => 24,
            Self::Keepers | Self::Both => 10,
            Self::Lossy | Self::Points => 0,
        }
    }
}

impl Options {
    /// Reads a command line.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self::usual();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match *word {
                "-h" | "--help" => options.wants_help = true,
                "--keep" => options.leftovers = Leftovers::Keep,
                "--agents" => options.modes.push(Mode::Agents),
                "--keeper" => options.modes.push(Mode::Keepers),
                "--both" => options.modes.push(Mode::Both),
                "--lossy" => options.modes.push(Mode::Lossy),
                "--points" => options.modes.push(Mode::Points),
                "--programs" => options.programs = number(word, rest.next())?,
                "--kills" => options.kills = Some(number(word, rest.next())?),
                "--upgrades" => options.upgrades = number(word, rest.next())?,
                "--seed" => options.seed = number(word, rest.next())?,
                unknown => return Err(format!("there is no option `{unknown}`")),
            }
        }
        if options.modes.is_empty() {
            options.modes = vec![Mode::Agents, Mode::Lossy, Mode::Points];
        }
        Ok(options)
    }

    fn usual() -> Self {
        Self {
            modes: Vec::new(),
            programs: 100,
            kills: None,
            upgrades: 4,
            seed: clock::realtime_nanos() % 1_000_000,
            leftovers: Leftovers::Remove,
            wants_help: false,
        }
    }
}

fn number<T: std::str::FromStr>(name: &str, value: Option<&&str>) -> Result<T, String> {
    let value = value.ok_or_else(|| format!("`{name}` needs a number"))?;
    value.parse().map_err(|_| format!("`{value}` is no number for `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_means_the_promise_and_its_proofs() {
        let options = Options::parse(&[]).unwrap();
        assert_eq!(options.modes, [Mode::Agents, Mode::Lossy, Mode::Points]);
        let options = Options::parse(&["--keeper", "--kills", "3"]).unwrap();
        assert_eq!((options.modes, options.kills), (vec![Mode::Keepers], Some(3)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |words: &[&str], expected: &str| {
            assert_eq!(Options::parse(words).unwrap_err(), expected);
        };
        check(&["--fast"], "there is no option `--fast`");
        check(&["--kills"], "`--kills` needs a number");
        check(&["--kills", "many"], "`many` is no number for `--kills`");
    }
}
