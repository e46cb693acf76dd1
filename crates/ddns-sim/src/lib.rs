//! A pretend internet in which the engine of `ddns` lives thousands of lives, each decided by one
//! seed.
//!
//! The engine is the real one. Around it stand providers with outages and bad moods, sources that
//! lie, a network that flaps, clocks that jump, a disk that refuses, other people and operators; the
//! engine is killed between any two of its effects, and the next one knows what was on the disk.
//!
//! ```text
//!  storm ──► host (effects, disk, clocks) ◄──► engine
//!              │            ▲
//!              ▼            │ answers, late or never
//!          providers     sources          checker: watches every request, asks nobody
//! ```
//!
//! Each life has a stormy part and a calm one, in which everything that is not rightly parked must
//! be published, and after which nothing is asked for. [`plant`] names mistakes of the host, the
//! disk and the configuration that the checker must find.

mod agenda;
mod checker;
mod host;
pub mod plant;
mod provider;
mod scene;
mod sources;
mod storm;
mod world;

#[cfg(test)]
mod tests;

pub use mainstay_lives::{Life, Violation};
pub use plant::Plant;

/// Lives the life of a seed.
pub fn live(seed: u64, plant: Option<Plant>) -> Life {
    world::World::new(seed, plant, world::Telling::No).live()
}

/// Lives the life of a seed once more and tells it.
pub fn tell(seed: u64, plant: Option<Plant>) -> Life {
    world::World::new(seed, plant, world::Telling::Yes).live()
}
