//! The update services under their own names, with certificates, in a network of the test's own.
//!
//! All names lead to one address; whom a request is for is told by the name in its certificate and
//! in its header, as on the internet. So clients are told nothing but what their users tell them.

use std::process::Command;

use crate::{
    fake::Fake,
    peer::{self, Folder, mortal},
    python,
    router::Namespace,
};

/// Where all services are.
const ADDRESS: &str = "203.0.113.1";
/// Where everybody comes from who asks them.
pub(crate) const OURS: &str = "81.2.69.142";
/// What takes another list of names for the command behind it alone.
const WITH_HOSTS: &str = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";

/// The services, their names and the authority that vouches for them.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) fake: Fake,
    folder: Folder,
}

impl Site {
    /// Tells a story of them in a network in which there is nobody else.
    pub(crate) fn tell(story: impl FnOnce(&Self) + Send) {
        let namespace = Namespace::new();
        namespace.shell(&format!(
            "ip addr add {OURS}/32 dev lo; ip addr add {ADDRESS}/32 dev lo
             ip route change table local local {ADDRESS} dev lo src {OURS}"
        ));
        namespace.within(|| story(&Self::open()));
    }

    fn open() -> Self {
        let folder = Folder::new("site");
        let names = peer::run(python::script("fake.py").arg("--hosts")).unwrap();
        let names: Vec<&str> = names.split_whitespace().collect();
        vouch(&folder, &names);
        let line = |name: &&str| format!("{ADDRESS} {name}\n");
        let hosts: String = names.iter().map(line).collect();
        folder.write("hosts", &format!("127.0.0.1 localhost\n{hosts}"));
        let [certificate, key] = ["site.pem", "site.key"].map(|name| path(&folder, name));
        let options = ["--site", ADDRESS, "--certificate", &certificate, "--key", &key];
        Self { fake: Fake::start_with(&options), folder }
    }

    /// Returns the file of the authority that is to be trusted.
    pub(crate) fn authority(&self) -> String {
        path(&self.folder, "authority.pem")
    }

    /// Returns the words before a command that knows the names.
    pub(crate) fn through(&self) -> Vec<String> {
        let hosts = path(&self.folder, "hosts");
        let words = ["unshare", "--mount", "--", "sh", "-c", WITH_HOSTS, &hosts];
        words.map(str::to_owned).to_vec()
    }

    /// Returns a command that knows the names.
    pub(crate) fn command(&self, program: &str) -> Command {
        let words = self.through();
        let mut command = mortal(&words[0]);
        command.args(&words[1..]).arg(program);
        command
    }
}

fn path(folder: &Folder, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

/// Makes an authority, and a certificate of its for all the names.
fn vouch(folder: &Folder, names: &[&str]) {
    let names: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
    folder.write("names", &format!("subjectAltName={}\n", names.join(",")));
    let mut command = Command::new("sh");
    command.arg("-ec").arg(format!(
        "cd {}
         new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
         openssl req -x509 $new -days 2 -keyout authority.key -out authority.pem \
             -subj '/CN=authority of a test' -addext basicConstraints=critical,CA:TRUE
         openssl req $new -keyout site.key -out site.csr -subj /CN=site
         openssl x509 -req -in site.csr -CA authority.pem -CAkey authority.key -CAcreateserial \
             -days 2 -extfile names -out site.pem",
        folder.path().display()
    ));
    peer::run(&mut command).unwrap();
}
