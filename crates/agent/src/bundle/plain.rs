//! What may be shown of a command and an environment: nothing whose name or form is a secret's.

use std::collections::BTreeMap;

use mainstay_api::bundle::{Origin, Variable};

/// Stands for what is not shown.
const WITHHELD: &str = "…";
/// Words in names of secrets.
const WORDS: &[&str] = &[
    "AUTH",
    "BEARER",
    "CONNECTION_STRING",
    "CONNSTR",
    "COOKIE",
    "CRED",
    "DSN",
    "JWT",
    "KEY",
    "PASS",
    "PRIVATE",
    "PWD",
    "SALT",
    "SECRET",
    "SESSION",
    "SIGNATURE",
    "TOKEN",
    "WEBHOOK",
];
/// Names that hold such a word and no secret.
const HARMLESS: &[&str] =
    &["PWD", "OLDPWD", "SESSION_MANAGER", "XAUTHORITY", "SSH_AUTH_SOCK", "BYPASS", "COMPASS"];

/// Returns whether a name is like that of a secret.
fn is_suspicious(name: &str) -> bool {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    !HARMLESS.contains(&upper.as_str()) && WORDS.iter().any(|word| upper.contains(word))
}

/// Returns whether a text may hold a secret, whatever it is called.
fn is_telltale(text: &str) -> bool {
    text.split_whitespace().any(|word| holds_user(word) || holds_token(word)) || holds_pair(text)
}

/// Returns whether a word names somebody before an address, with or without a password:
/// `postgres://me:a/b@db/`, `https://token@host/`, `me:secret@tcp(db)/`. A password may hold
/// whatever else an address is made of.
fn holds_user(word: &str) -> bool {
    word.split_once(':').is_some_and(|(_, behind)| behind.contains('@'))
}

/// Returns whether a word has a part that nobody would make up: long, of digits and of small and
/// capital letters, or of hexadecimal digits alone.
fn holds_token(word: &str) -> bool {
    const LETTERS_MIN: usize = 20;
    const DIGITS_MIN: usize = 32;
    let is_token = |part: &str| {
        let has = |is: fn(&char) -> bool| part.chars().any(|letter| is(&letter));
        let is_mixed = has(char::is_ascii_digit)
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase);
        let is_hexadecimal = part.chars().all(|letter| letter.is_ascii_hexdigit());
        part.len() >= LETTERS_MIN && is_mixed || part.len() >= DIGITS_MIN && is_hexadecimal
    };
    word.split(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '-' | '+'))
        .any(is_token)
}

/// Returns whether a text has a pair with the name of a secret: `Password=…;`, `"token": "…"`.
fn holds_pair(text: &str) -> bool {
    let names = text.match_indices(['=', ':']).filter_map(|(at, _)| text.get(..at));
    names.into_iter().any(|before| {
        let before = before.trim_end_matches(['"', '\'', ' ']);
        let name = before
            .rsplit(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '-'));
        name.into_iter().next().is_some_and(is_suspicious)
    })
}

/// Returns whether a variable may be shown: neither its name nor its form is that of a secret.
pub(crate) fn may_show(name: &str, value: &str) -> bool {
    !is_suspicious(name) && !is_telltale(value)
}

/// Returns a command without what looks like a secret.
pub(super) fn command(words: &[String]) -> Vec<String> {
    let mut is_behind = false;
    let mut shown = Vec::new();
    for word in words {
        let is_option = word.starts_with('-');
        let withheld = match word.split_once('=') {
            Some((name, value)) if is_suspicious(name) || is_telltale(value) => {
                Some(format!("{name}={WITHHELD}"))
            }
            Some(_) | None => None,
        };
        let is_secret = is_behind && !is_option || is_telltale(word);
        is_behind = is_option && !word.contains('=') && is_suspicious(word);
        shown.push(match withheld {
            Some(text) => text,
            None if is_secret => WITHHELD.to_owned(),
            None => word.clone(),
        });
    }
    shown
}

/// Returns the names of all variables, and the values that may be shown.
pub(super) fn environment(
    inherited: impl Iterator<Item = String>,
    configured: &BTreeMap<String, String>,
    own: impl Iterator<Item = (String, String)>,
) -> Vec<Variable> {
    let mut all: BTreeMap<String, Variable> = BTreeMap::new();
    let mut add = |name: String, value: Option<String>, origin: Origin| {
        all.insert(name.clone(), Variable { name, value, origin });
    };
    for name in inherited {
        add(name, None, Origin::Inherited);
    }
    for (name, value) in configured {
        let is_plain = may_show(name, value);
        add(name.clone(), is_plain.then(|| value.clone()), Origin::Configured);
    }
    for (name, value) in own {
        add(name, Some(value), Origin::Mainstay);
    }
    all.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As programs, platforms and their manuals call them; the list of words was not asked.
    const NAMES_OF_SECRETS: &str = "PGPASSWORD MYSQL_PWD MYSQL_ROOT_PASSWORD REDISCLI_AUTH SMTP_PASS \
        DB_PASS RABBITMQ_DEFAULT_PASS MONGO_INITDB_ROOT_PASSWORD AWS_SECRET_ACCESS_KEY \
        AWS_SESSION_TOKEN AZURE_STORAGE_CONNECTION_STRING AZURE_CLIENT_SECRET GH_TOKEN \
        GOOGLE_APPLICATION_CREDENTIALS_JSON SENTRY_DSN STRIPE_API_KEY SLACK_WEBHOOK_URL \
        DJANGO_SECRET_KEY SECRET_KEY_BASE RAILS_MASTER_KEY VAULT_TOKEN CONSUL_HTTP_TOKEN JWT \
        LDAP_BIND_CREDS TLS_PRIVATE_KEY SSH_PASSPHRASE SQLCONNSTR_MAIN api-key passwd";
    const NAMES_OF_OTHERS: &str = "PWD PATH HOME LANG TZ RUST_LOG PORT HOST XAUTHORITY COMPASS \
        DATABASE_HOST WORKERS LISTEN_ADDRESS LOG_LEVEL SSL_CERT_FILE";

    #[test]
    fn names_of_secrets_are_known() {
        for name in NAMES_OF_SECRETS.split_whitespace() {
            assert!(is_suspicious(name), "{name}");
        }
        for name in NAMES_OF_OTHERS.split_whitespace() {
            assert!(!is_suspicious(name), "{name}");
        }
    }

    #[test]
    fn a_secret_is_known_by_its_form_whatever_it_is_called() {
        let telltale = [
            "postgres://me:hush@db/x",
            "postgres://me:a/b@db/x",
            "redis://:p?w#d@cache",
            "https://ghp_16C7e42F292c6912E7710c838347Ae178B4a@github.com/me/mine",
            "https://0123abcd@o1.ingest.sentry.example/1",
            "me:hush@tcp(db:3306)/x",
            "Server=db;User Id=me;Password=hush;",
            "host=db user=me password = hush",
            r#"{"url": "db", "token": "hush"}"#,
            "https://hooks.example/T0/B0?token=hush",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        ];
        for text in telltale {
            assert!(is_telltale(text), "{text}");
        }
        let harmless = [
            "8080",
            "0.0.0.0:8080",
            "http://db:80/a/b?page=2#top",
            "/usr/local/lib/python3.11/site-packages:/opt/app-2.0/lib",
            "git@github.com/mine",
            "a sentence with: a colon, and an equals = sign",
            "info,hyper=warn",
            "--max-old-space-size=4096",
        ];
        for text in harmless {
            assert!(!is_telltale(text), "{text}");
        }
    }

    #[test]
    fn a_command_is_shown_without_its_secrets() {
        let check = |line: &str, expected: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(command(&words).join(" "), expected);
        };
        check("./api --port 80 --password hush -v", "./api --port 80 --password … -v");
        check("./api --pass hush", "./api --pass …");
        check("./api --token=hush x", "./api --token=… x");
        check("psql postgres://me:hush@db/x", "psql …");
        check("psql --url=postgres://me:hu/sh@db/x", "psql --url=…");
        check("curl http://db:80/a?b=c", "curl http://db:80/a?b=c");
        check("./api --api-key --verbose", "./api --api-key --verbose");
    }

    #[test]
    fn every_variable_is_named_and_few_values_are_shown() {
        let configured = [("PORT", "80"), ("API_KEY", "hush"), ("URL", "amqp://a:b@c")];
        let configured = configured.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let inherited = ["HOME", "PORT"].map(str::to_owned).into_iter();
        let own = [("MAINSTAY_RUN".to_owned(), "3".to_owned())].into_iter();
        let all = environment(inherited, &configured, own);
        let shown: Vec<_> =
            all.iter().map(|one| (one.name.as_str(), one.value.as_deref(), one.origin)).collect();
        let expected = [
            ("API_KEY", None, Origin::Configured),
            ("HOME", None, Origin::Inherited),
            ("MAINSTAY_RUN", Some("3"), Origin::Mainstay),
            ("PORT", Some("80"), Origin::Configured),
            ("URL", None, Origin::Configured),
        ];
        assert_eq!(shown, expected);
    }
}
