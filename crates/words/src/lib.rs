//! Texts for people in another language: a table from the English text to the other one, read from
//! PO files, and how a text that a program has put together is found in it.
//!
//! The English text stands in the code. It is looked up where it is printed, whole or by its
//! pattern: what stood in braces in the source may be anything. See ADR 11.

mod catalog;
mod columns;
mod fragments;
mod matching;
mod pattern;
pub mod po;
mod spans;

pub use self::{
    catalog::{Catalog, LABEL, SIGN},
    columns::{padded, width, within},
    fragments::{Fragment, bare, fragments},
    pattern::Pattern,
};
