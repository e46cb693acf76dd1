//! `mainstay tree`: who depends on whom, and how each is.

mod picture;

use std::{collections::BTreeSet, process::ExitCode};

use clap::Args as ClapArgs;
use mainstay_api::{
    control::{Node, Tree},
    pattern::is_meant,
};

use self::picture::{Direction, Picture};
use crate::{errors::CliError, names, print};

/// Draw who requires, wants or comes after whom, and how each is
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay tree\n  mainstay tree web @backend\n  mainstay tree db --reverse"
)]
pub(super) struct Args {
    /// Only below these services, or groups such as `@web`; `*` and `?` match
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// The other way round: who needs whom
    #[arg(long)]
    reverse: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (mut client, named) = super::connect_for(instance, &args.names).await?;
    let mut tree: Tree = client.get("/v1/tree").await?;
    let direction = if args.reverse { Direction::NeededBy } else { Direction::Needs };
    let wanted = wanted(&named, &tree)?;
    if args.json {
        if !named.is_empty() {
            let reached = picture::reached(&tree, &wanted, direction);
            tree.services.retain(|node| reached.contains(&node.service));
        }
        print::json(&tree);
        return Ok(ExitCode::SUCCESS);
    }
    let mut picture = Picture::of(&tree, direction);
    picture.draw(&wanted);
    let groups = if named.is_empty() { picture::groups(&tree) } else { String::new() };
    let columns = print::columns();
    print::data(&(picture.text(columns) + &groups));
    Ok(ExitCode::SUCCESS)
}

/// Returns the services that are meant; nothing when all are.
fn wanted(named: &[String], tree: &Tree) -> Result<Vec<String>, CliError> {
    let expanded = names::expanded(named, &tree.groups)?;
    let is_meant = |name: &String, node: &Node| {
        is_meant(name, &node.service) || node.units.iter().any(|unit| is_meant(name, &unit.unit))
    };
    let mut wanted = BTreeSet::new();
    for name in &expanded {
        let found = tree.services.iter().filter(|node| is_meant(name, node));
        let before = wanted.len();
        wanted.extend(found.map(|node| node.service.clone()));
        if wanted.len() == before && !wanted.contains(name) {
            let known: Vec<&str> = tree.services.iter().map(|node| node.service.as_str()).collect();
            return Err(names::unknown(name, &known));
        }
    }
    Ok(wanted.into_iter().collect())
}
