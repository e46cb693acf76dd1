//! `simulate-ddns --seeds N [--from S]`, `--seed S`, `--plant NAME`, `--plants`: lives by number.

use std::process::ExitCode;

use mainstay_ddns_sim::{Plant, live, tell};
use mainstay_lives::Simulation;

fn main() -> ExitCode {
    Simulation { name: "simulate-ddns", plants: &Plant::ALL, plant_name: Plant::name, live, tell }
        .run()
}
