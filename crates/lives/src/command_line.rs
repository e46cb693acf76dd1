//! What the command line of a simulation asks for.

use crate::Simulation;

/// How many lives are lived unless somebody says so.
const SEEDS: u64 = 1000;

/// Which lives are lived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seeds {
    /// The first seed.
    pub(crate) from: u64,
    /// How many.
    pub(crate) count: u64,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked<P> {
    /// How to ask.
    Help,
    /// To be told one life.
    One { seed: u64, plant: Option<P> },
    /// Many lives.
    Many { seeds: Seeds, plant: Option<P> },
    /// Many lives of each mistake.
    Plants(Seeds),
}

impl<P: Copy> Simulation<P> {
    /// Reads the arguments.
    pub(crate) fn asked(
        &self,
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Asked<P>, String> {
        let mut seeds = Seeds { from: 0, count: SEEDS };
        let (mut one, mut plant, mut asks_for_plants) = (None, None, false);
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "-h" | "--help" => return Ok(Asked::Help),
                "--plants" => asks_for_plants = true,
                "--seeds" => seeds.count = number(&name, arguments.next())?,
                "--from" => seeds.from = number(&name, arguments.next())?,
                "--seed" => one = Some(number(&name, arguments.next())?),
                "--plant" => plant = Some(self.plant(&value(&name, arguments.next())?)?),
                _ => return Err(format!("there is no option `{name}`")),
            }
        }
        Ok(match one {
            _ if asks_for_plants => Asked::Plants(seeds),
            Some(seed) => Asked::One { seed, plant },
            None => Asked::Many { seeds, plant },
        })
    }

    /// Says how to ask.
    pub(crate) fn help(&self) -> String {
        let names: Vec<&str> = self.plants.iter().map(|plant| (self.plant_name)(*plant)).collect();
        format!(
            "{name} [--seeds N] [--from S] [--plant NAME]   lives of N seeds, from S on\n\
             {name} --plants [--seeds N] [--from S]         all mistakes, one after the other\n\
             {name} --seed S [--plant NAME]                 tells one life\n\
             A planted mistake must be found, else that is a failure. Mistakes:\n  {names}",
            name = self.name,
            names = names.join(", ")
        )
    }

    fn plant(&self, name: &str) -> Result<P, String> {
        let mut plants = self.plants.iter().copied();
        let found = plants.find(|plant| (self.plant_name)(*plant) == name);
        found.ok_or_else(|| format!("no mistake is `{name}`"))
    }
}

fn number(name: &str, given: Option<String>) -> Result<u64, String> {
    let value = value(name, given)?;
    value.parse().map_err(|_| format!("`{value}` is no number"))
}

fn value(name: &str, given: Option<String>) -> Result<String, String> {
    given.ok_or_else(|| format!("`{name}` needs a value"))
}

#[cfg(test)]
mod tests {
    use crate::Life;

    use super::*;

    const SIMULATION: Simulation<char> = Simulation {
        name: "simulate",
        plants: &['a', 'b'],
        plant_name: |plant| if plant == 'a' { "anchor-lost" } else { "bell-forgotten" },
        live: nothing,
        tell: nothing,
    };

    fn nothing(_seed: u64, _plant: Option<char>) -> Life {
        Life { violation: None, steps: 0, story: Vec::new() }
    }

    fn check(line: &str, expected: Result<Asked<char>, &str>) {
        let asked = SIMULATION.asked(line.split_whitespace().map(str::to_owned));
        assert_eq!(asked, expected.map_err(str::to_owned), "{line}");
    }

    #[test]
    fn a_command_line_asks_for_lives() {
        let thousand = Seeds { from: 0, count: 1000 };
        check("", Ok(Asked::Many { seeds: thousand, plant: None }));
        let few = Seeds { from: 7, count: 3 };
        check("--seeds 3 --from 7", Ok(Asked::Many { seeds: few, plant: None }));
        check("--plant anchor-lost", Ok(Asked::Many { seeds: thousand, plant: Some('a') }));
        check("--plants --seeds 3 --from 7", Ok(Asked::Plants(few)));
        let plant = Some('b');
        check("--seed 9 --plant bell-forgotten", Ok(Asked::One { seed: 9, plant }));
        check("--seed 9 --help", Ok(Asked::Help));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        check("--seeds", Err("`--seeds` needs a value"));
        check("--seeds many", Err("`many` is no number"));
        check("--plant cannon-lost", Err("no mistake is `cannon-lost`"));
        check("--planet a", Err("there is no option `--planet`"));
    }

    #[test]
    fn every_mistake_is_named_in_the_help() {
        let help = SIMULATION.help();
        assert!(help.contains("anchor-lost, bell-forgotten"), "{help}");
    }
}
