//! What was deleted, told at once for the first time and then once an hour at most.

use std::{collections::BTreeMap, time::Duration};

use mainstay_core::ServiceName;

use super::rules::Reason;

/// How often it is told of a service.
const TOLD_EVERY: Duration = Duration::from_hours(1);

/// What was deleted and is not told yet.
#[derive(Debug, Default)]
pub(super) struct Tally {
    services: BTreeMap<ServiceName, Account>,
}

#[derive(Debug, Default)]
struct Account {
    deleted: Deleted,
    told_at: Option<Duration>,
}

/// Segments that were deleted of the logs of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Deleted {
    /// How many for which reason.
    by_reason: BTreeMap<Reason, u64>,
    bytes: u64,
}

impl Tally {
    /// Counts one segment.
    pub(super) fn add(&mut self, service: &ServiceName, reason: Reason, bytes: u64) {
        let account = self.services.entry(service.clone()).or_default();
        *account.deleted.by_reason.entry(reason).or_default() += 1;
        account.deleted.bytes += bytes;
    }

    /// Returns when something is to be told.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let waiting = self.services.values().filter(|account| !account.deleted.is_empty());
        waiting.map(Account::due_at).min()
    }

    /// Returns what is to be told at this moment.
    pub(super) fn due(&mut self, now: Duration) -> Vec<(ServiceName, Deleted)> {
        let mut due = Vec::new();
        for (service, account) in &mut self.services {
            if !account.deleted.is_empty() && account.due_at() <= now {
                account.told_at = Some(now);
                due.push((service.clone(), std::mem::take(&mut account.deleted)));
            }
        }
        // Who was told of long ago is as one who never was.
        self.services.retain(|_, account| {
            !account.deleted.is_empty() || account.told_at.is_some_and(|at| at + TOLD_EVERY > now)
        });
        due
    }
}

impl Account {
    fn due_at(&self) -> Duration {
        self.told_at.map_or(Duration::ZERO, |at| at + TOLD_EVERY)
    }
}

impl Deleted {
    fn is_empty(&self) -> bool {
        self.by_reason.is_empty()
    }

    /// Returns it in words.
    pub(crate) fn words(&self, service: &ServiceName) -> String {
        let count: u64 = self.by_reason.values().sum();
        let reasons: Vec<String> = self
            .by_reason
            .iter()
            .map(|(reason, count)| format!("{count} by `{}`", reason.key()))
            .collect();
        let (reasons, kib) = (reasons.join(", "), self.bytes.div_ceil(1024));
        format!("old segments of the log of `{service}` deleted: {count}, {kib} KiB; {reasons}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_are_told_at_once_and_then_once_an_hour() {
        let minutes = Duration::from_mins;
        let web = ServiceName::new("web").unwrap();
        let mut tally = Tally::default();
        assert_eq!(tally.next_deadline(), None);
        tally.add(&web, Reason::Keep, 1000);
        assert!(tally.next_deadline().is_some_and(|at| at <= minutes(500)));
        let told = tally.due(minutes(500));
        let texts: Vec<_> = told.iter().map(|(service, deleted)| deleted.words(service)).collect();
        assert_eq!(texts, ["old segments of the log of `web` deleted: 1, 1 KiB; 1 by `keep`"]);
        tally.add(&web, Reason::Keep, 1000);
        tally.add(&web, Reason::KeepFor, 2000);
        tally.add(&web, Reason::Keep, 1000);
        assert_eq!(tally.due(minutes(559)), []);
        assert_eq!(tally.next_deadline(), Some(minutes(560)));
        let told = tally.due(minutes(560));
        let texts: Vec<_> = told.iter().map(|(service, deleted)| deleted.words(service)).collect();
        let expected =
            "old segments of the log of `web` deleted: 3, 4 KiB; 2 by `keep`, 1 by `keep-for`";
        assert_eq!(texts, [expected]);
        assert_eq!(tally.due(minutes(900)), []);
        assert_eq!(tally.next_deadline(), None);
    }
}
