//! The help of `mainstay ddns` and of each of its commands, word by word.

use crate::sandbox::Sandbox;

/// Expects this help; spaces at the ends of lines are nobody's.
fn check(command: &[&str], expected: &str) {
    let help = Sandbox::new("").get(&[&["ddns"][..], command, &["--help"]].concat());
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    assert_eq!(lines.join("\n") + "\n", expected);
}

const WHOLE: &str = "\
Keep names in the DNS on a moving address

Usage: mainstay ddns [OPTIONS] <COMMAND>

Commands:
  setup      Set up names that follow this machine's address: asks, tries out, writes it down
  check      Read the configuration of clients and say what is wrong with it
  status     Show which names are published, since when, and why not
  update     Write names at once, parked ones as well
  run        Keep names here, in the foreground, until Ctrl-C
  import     Take over what another client keeps; prints TOML, and a report beside it
  providers  Show the providers that are known, or one of them with all that it takes
  sources    Show where addresses may come from, with an example of each
  help       Print this message or the help of the given subcommand(s)

Options:
      --instance <NAME>  An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest
      --lang <LANGUAGE>  The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
  -h, --help             Print help

Examples:
  mainstay ddns setup              the first name, in a minute
  mainstay ddns check --try        ask everybody, write nothing
  mainstay ddns status             which names are published, since when, and why not
  mainstay ddns update --now       write all of them, parked ones as well
  mainstay ddns run home.toml      do the work here, in the foreground
  mainstay ddns providers          whose names can be kept
  mainstay ddns import ddns-go ~/.ddns_go_config.yaml
";

#[test]
fn the_whole_is_told() {
    check(&[], WHOLE);
}

const STATUS: &str = "\
Show which names are published, since when, and why not

Usage: mainstay ddns status [OPTIONS]

Options:
      --instance <NAME>  An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest
      --service <NAME>   The service; all of the kind `ddns` when there is none
      --state <FOLDER>   The state folder of a client that is run by hand
      --json             Print JSON
      --metrics          Print metrics of every record, in the text format of Prometheus
      --lang <LANGUAGE>  The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
  -h, --help             Print help

Examples:
  mainstay ddns status
  mainstay ddns status --service home --json
  mainstay ddns status --metrics > /var/lib/node_exporter/ddns.prom

The code is 0 when every name is published, else 1.
";

#[test]
fn status_is_told() {
    check(&["status"], STATUS);
}

const UPDATE: &str = "\
Write names at once, parked ones as well

What a provider has asked for is forgotten: use it once a password is right again, not as a habit.
Only the least time between two writes of one record, `min-interval`, is kept.

Usage: mainstay ddns update [OPTIONS] [NAME]...

Arguments:
  [NAME]...
          Names, or records as `mainstay ddns status` calls them

Options:
      --instance <NAME>
          An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest

      --now
          All names

      --service <NAME>
          The service; all of the kind `ddns` when there is none

      --state <FOLDER>
          The state folder of a client that is run by hand

      --json
          Print JSON

      --lang <LANGUAGE>
          The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's

  -h, --help
          Print help (see a summary with '-h')

Examples:
  mainstay ddns update --now
  mainstay ddns update home.example.org
  mainstay ddns update cf/home.example.org/AAAA --service home
";

#[test]
fn update_is_told() {
    check(&["update"], UPDATE);
}

const RUN: &str = "\
Keep names here, in the foreground, until Ctrl-C

Usage: mainstay ddns run [OPTIONS] [FILE]

Arguments:
  [FILE]  A configuration file with a service of the kind `ddns`; else the nearest `mainstay.toml`

Options:
      --instance <NAME>  An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest
      --service <NAME>   Which service, when there are several
      --state <FOLDER>   Where it keeps what it has published; else nothing is kept from run to run
      --lang <LANGUAGE>  The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
  -h, --help             Print help

Examples:
  mainstay ddns run mainstay.toml
  mainstay ddns run mainstay.toml --service home --state /var/lib/home-ddns
";

#[test]
fn run_is_told() {
    check(&["run"], RUN);
}

const CHECK: &str = "\
Read the configuration of clients and say what is wrong with it

With `--try`, everything is asked that can be without writing: secrets, sources, providers, name
servers. A command that is a source or tells a secret is run; PCP makes a mapping for a moment.

Usage: mainstay ddns check [OPTIONS] [FILE|NAME]

Arguments:
  [FILE|NAME]
          A file, or the name of a service; else all services of the kind

Options:
      --instance <NAME>
          An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest

      --try
          Ask sources, providers and name servers, too, and say what would be written

      --json
          Print JSON

      --lang <LANGUAGE>
          The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's

  -h, --help
          Print help (see a summary with '-h')

Examples:
  mainstay ddns check                  all services of this kind
  mainstay ddns check home
  mainstay ddns check home --try       ask everybody, write nothing
  mainstay ddns check path/to/mainstay.toml --try --json

The code is 0 when all is right, else 1. With `--try` it is 0 when every name has an address and
everybody who was asked has answered.
";

#[test]
fn check_is_told() {
    check(&["check"], CHECK);
}

const IMPORT: &str = "\
Take over what another client keeps; prints TOML, and a report beside it

Usage: mainstay ddns import [OPTIONS] <KIND> <PATH>

Arguments:
  <KIND>  Whose configuration it is [possible values: ddns-go, ddclient, inadyn, ddns-updater,
          newfuture]
  <PATH>  Its file

Options:
      --instance <NAME>  An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest
  -o, --output <FILE>    Write it into this file, behind what it has already
      --service <NAME>   What the service is called [default: ddns]
      --store-secrets    Put its secrets into the store, where they are sealed
      --json             Print JSON
      --lang <LANGUAGE>  The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
  -h, --help             Print help

Examples:
  mainstay ddns import ddns-go ~/.ddns_go_config.yaml
  mainstay ddns import ddclient /etc/ddclient.conf -o mainstay.toml --store-secrets

Nothing of the other client is changed; stop it before you start this one.
";

#[test]
fn import_is_told() {
    check(&["import"], IMPORT);
}

const PROVIDERS: &str = "\
Show the providers that are known, or one of them with all that it takes

Usage: mainstay ddns providers [OPTIONS] [PROVIDER]

Arguments:
  [PROVIDER]  A provider; all of them when there is none

Options:
      --instance <NAME>  An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest
      --json             Print JSON
      --lang <LANGUAGE>  The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
  -h, --help             Print help

Examples:
  mainstay ddns providers
  mainstay ddns providers cloudflare
  mainstay ddns providers --json
";

#[test]
fn providers_is_told() {
    check(&["providers"], PROVIDERS);
}

const SETUP: &str = "\
Set up names that follow this machine's address: asks, tries out, writes it down

Usage: mainstay ddns setup [OPTIONS]

Options:
      --instance <NAME>         An instance's name or file; else `$MAINSTAY_INSTANCE`, else the
                                nearest
      --provider <NAME>         Whose names: one of `mainstay ddns providers`
      --name <NAME>             A name to keep; may be given several times
      --set <KEY=VALUE>         Something that the account takes; may be given several times
      --secret-file <KEY=PATH>  A secret that the account takes, in a file (`-` is stdin); may be
                                given several times
      --family <FAMILY>         Only these families of addresses: ipv4 or ipv6; may be given several
                                times [possible values: ipv4, ipv6]
      --echo <FAMILY=URL>       A service of your own that tells the caller's address; else the
                                usual sources are asked
      --service <NAME>          What the service is called [default: ddns]
      --file <FILE>             The configuration file that it is written into
  -y, --yes                     Take the usual answer to each question
      --no-try                  Ask no source and read no record before it is written down
      --no-start                Do not start it
      --dry-run                 Print what would be written, and write nothing
      --lang <LANGUAGE>         The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
  -h, --help                    Print help

Examples:
  mainstay ddns setup
  mainstay ddns setup --lang zh
  mainstay ddns setup --provider duckdns --name me.duckdns.org --secret-file token=token.txt --yes
";

#[test]
fn setup_is_told() {
    check(&["setup"], SETUP);
}

const SOURCES: &str = "\
Show where addresses may come from, with an example of each

Usage: mainstay ddns sources [OPTIONS]

Options:
      --instance <NAME>  An instance's name or file; else `$MAINSTAY_INSTANCE`, else the nearest
      --json             Print JSON
      --lang <LANGUAGE>  The language: en or zh-CN; else `$MAINSTAY_LANG`, else the locale's
  -h, --help             Print help

Examples:
  mainstay ddns sources
  mainstay ddns sources --json
";

#[test]
fn sources_is_told() {
    check(&["sources"], SOURCES);
}
