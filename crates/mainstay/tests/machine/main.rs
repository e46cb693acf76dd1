//! The built binary on a real machine: real programs, bad programs, bad input, bad luck.
//!
//! Each test has an instance of its own in a folder of its own; see [`sandbox`]. Whatever carries
//! that folder in its command line, environment or current folder ends with the test, nothing else.
#![cfg(machine)]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests play the world outside")]

mod dial;
mod disks;
mod doctor;
mod picture;
mod processes;
#[path = "../peers/python.rs"]
#[expect(dead_code, reason = "scripts are for the peers")]
mod python;
mod sandbox;
mod second_up;
mod slow_disk;

mod access;
mod api;
mod bad_input;
mod bad_programs;
#[cfg(feature = "fail")]
mod bugs;
mod bundles;
mod callers;
mod chains;
mod command_line;
mod completions;
mod containers;
mod contract;
mod cores;
mod crowds;
mod damaged_logs;
mod ddns_facts;
mod ddns_setup;
mod dependencies;
mod drills;
mod edits;
mod endings;
mod environments;
mod events_found;
mod exports;
mod file_commands;
mod first_slips;
mod freezes;
mod frozen_disks;
mod frozen_ends;
mod full_disks;
mod guide;
mod handed_over;
mod help;
mod hooks;
mod hot_reload;
mod hung_storage;
mod instances;
mod json_shapes;
mod jumps;
mod kinds;
mod languages;
mod large_environments;
mod last_kills;
mod last_words;
mod log_lines;
mod log_readers;
mod log_search;
mod looks;
mod lost_logs;
mod man_pages;
mod mistakes;
mod network;
mod newcomers;
mod notifications;
mod odd_files;
mod output;
mod own_files;
mod pauses;
mod ready_programs;
mod real_programs;
mod reloads;
mod resets;
mod retention;
mod secrets;
mod stampedes;
mod state_files;
mod stories;
mod strangers;
mod tasks;
mod time_namespaces;
#[cfg(feature = "fail")]
mod unwatched;
mod upgrades;
mod usage;
mod waits;
mod walk;
mod zeros;
