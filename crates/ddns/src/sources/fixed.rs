//! The source `static`: addresses that stand in the configuration.

use std::net::IpAddr;

use crate::{
    address::Family,
    source::{Source, Vote},
    wire::Later,
};

use super::address;

/// These addresses.
#[derive(Debug)]
pub(super) struct Fixed(pub(super) Vec<IpAddr>);

impl Source for Fixed {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        let answer = address::of_list(&self.0, family);
        Box::pin(async { vec![Vote { voter: "static".to_owned(), answer }] })
    }
}
