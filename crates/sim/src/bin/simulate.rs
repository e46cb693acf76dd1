//! `simulate --seeds N [--from S]`, `--seed S`, `--plant NAME`, `--plants`: lives by number.

use std::process::ExitCode;

use mainstay_lives::Simulation;
use mainstay_sim::{Plant, live, tell};

fn main() -> ExitCode {
    Simulation { name: "simulate", plants: &Plant::ALL, plant_name: Plant::name, live, tell }.run()
}
