//! A pretend machine in which instances live thousands of lives, each decided by one seed.
//!
//! The core is the real one. Around it stand actors that crash at any step, as the real ones may:
//!
//! ```text
//!  chaos ──► agent (core, outbox, wishes, events) ◄──frames, in order, late or lost──► keeper
//!                         │                                                             │ │
//!                    disk, synced late                                       journal ◄──┘ └──► machine
//! ```
//!
//! Each life has a stormy part, in which programs crash, operators change their minds and actors
//! die between any two steps, and a calm one, at whose end the world must be as it was wished for.
//! [`checker`] knows what must hold; [`plant`] names mistakes that it must find.

mod agenda;
mod agent;
mod beside;
pub mod checker;
mod disk;
mod ground;
mod journal;
mod keeper;
mod machine;
mod mistakes;
pub mod plant;
mod scene;
mod told;
mod wire;
mod world;

#[cfg(test)]
mod tests;

pub use mainstay_lives::{Life, Violation};
pub use plant::Plant;

use ground::Telling;

/// Lives the life of a seed.
pub fn live(seed: u64, plant: Option<Plant>) -> Life {
    world::World::new(seed, plant, Telling::No).live()
}

/// Lives the life of a seed once more and tells it.
pub fn tell(seed: u64, plant: Option<Plant>) -> Life {
    world::World::new(seed, plant, Telling::Yes).live()
}
