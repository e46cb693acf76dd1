//! Who may log on as a service: whoever may not cannot be started (1069), though it runs on.

use mainstay_platform::{local, logon, scm};

/// The account of which a service's own one is a member.
const ALL_SERVICES: &str = r"NT SERVICE\ALL SERVICES";

/// Returns who lacks the right for a service of this name and account. Only administrators may ask
/// for rights; others are told nothing.
///
/// A right that an account has by one of its groups is not seen.
pub(in crate::cli) fn who_lacks(name: &str, account: &str) -> Option<String> {
    let may = |identity: &str| logon::may_serve(identity);
    if is_own(account) {
        let identity = scm::identity_of(name).ok()?;
        let is_missing = !may(logon::ALL_SERVICES).ok()? && !may(&identity).ok()?;
        return is_missing.then(|| ALL_SERVICES.to_owned());
    }
    if is_of_system(account) {
        return None;
    }
    let identity = local::group(account).ok().flatten()?;
    (!may(&identity).ok()?).then(|| account.to_owned())
}

/// Returns whether an account is one that a service has for itself.
pub(in crate::cli) fn is_own(account: &str) -> bool {
    account.to_lowercase().starts_with(r"nt service\")
}

fn is_of_system(account: &str) -> bool {
    let account = account.to_lowercase();
    account == "localsystem" || account.starts_with(r"nt authority\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_the_system_need_no_right_to_log_on() {
        assert!(is_of_system("LocalSystem") && is_of_system(r"NT AUTHORITY\LocalService"));
        assert!(!is_of_system(r".\anna") && !is_of_system(r"NT SERVICE\web"));
    }
}
