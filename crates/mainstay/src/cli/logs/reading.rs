//! Reads the lines that are asked for, of several logs in the order of their times, and shows them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use mainstay_api::control::Status;
use mainstay_storage::read::{self, Around, Cursor, Merge, Reader, Sieve, Unfinished};

use super::{
    Args, Merged, Origin,
    labels::Labels,
    lines::Lines,
    neighbours::{Found, Neighbours},
    pattern::{PatternSieve, Sense},
    runs::RunChoice,
    sources::{self, Source},
    tell_damaged, unreadable,
};
use crate::{errors::CliError, instance::Located, print};

/// Logs that are read, and how far.
#[derive(Debug)]
pub(super) struct Reading {
    located: Located,
    args: Args,
    merged: Merged,
    neighbours: Neighbours,
    /// What is to be shown next.
    ready: VecDeque<Found>,
    lines: Lines,
}

/// Where a log is read from.
#[derive(Debug, Clone, Copy)]
enum Begin {
    /// Where the lines of the past may begin that are asked for.
    Asked,
    /// Where it begins.
    First,
    /// Where it ends.
    End,
}

impl Reading {
    /// Opens logs where the lines that are asked for may begin.
    pub(super) fn open(
        located: Located,
        args: Args,
        sources: Vec<Source>,
        status: Option<&Status>,
    ) -> Result<Self, CliError> {
        let mut reading = Self::new(located, args);
        // Hooks and checks count runs of their own.
        let status = status.filter(|_| reading.args.beside().is_none());
        let runs = reading.runs(&sources, status)?;
        if let Some(run) = reading.args.run.filter(|_| runs.is_empty() && !sources.is_empty()) {
            return Err(run.missing(&sources, status));
        }
        reading.add_all(sources, &runs, Begin::Asked)?;
        Ok(reading)
    }

    /// Opens all logs of an instance at their ends.
    pub(super) fn at_end(located: Located, args: Args) -> Result<Self, CliError> {
        let sources = sources::of(&located, &args)?;
        let mut reading = Self::new(located, args);
        reading.add_all(sources, &BTreeMap::new(), Begin::End)?;
        Ok(reading)
    }

    fn new(located: Located, args: Args) -> Self {
        let unfinished = if args.follow { Unfinished::Left } else { Unfinished::Given };
        let (before, after) = args.neighbours();
        Self {
            lines: Lines::new(&args),
            located,
            args,
            merged: Merge::new(unfinished),
            neighbours: Neighbours::new(before, after),
            ready: VecDeque::new(),
        }
    }

    /// Returns whether it goes on as programs write.
    pub(super) const fn follows(&self) -> bool {
        self.args.follow
    }

    /// Adds the logs that have begun since.
    pub(super) fn add_new(&mut self) -> Result<(), CliError> {
        let mut sources = sources::of(&self.located, &self.args)?;
        let is_known = |source: &Source| {
            self.merged.chains().any(|(_, reader)| *reader.chain() == source.chain)
        };
        sources.retain(|source| !is_known(source));
        if sources.is_empty() {
            return Ok(());
        }
        let runs = self.runs(&sources, None)?;
        self.add_all(sources, &runs, Begin::First)
    }

    /// Returns which run of each unit is asked for.
    fn runs(
        &self,
        sources: &[Source],
        status: Option<&Status>,
    ) -> Result<BTreeMap<String, u64>, CliError> {
        match self.args.run {
            // It may still be to come.
            Some(RunChoice::Number(run)) if self.follows() => {
                Ok(sources.iter().map(|source| (source.unit.clone(), run)).collect())
            }
            Some(choice) => choice.of_units(sources, status),
            None => Ok(BTreeMap::new()),
        }
    }

    fn add_all(
        &mut self,
        sources: Vec<Source>,
        runs: &BTreeMap<String, u64>,
        begin: Begin,
    ) -> Result<(), CliError> {
        let (before, behind) = self.args.neighbours();
        let (sieve, around) = (self.sieve(sources.len()), Around::new(before, behind));
        for Source { unit, chain } in sources {
            let run = runs.get(&unit).copied();
            if self.args.run.is_some() && run.is_none() {
                continue;
            }
            let at = match begin {
                Begin::Asked if self.args.is_filtered() => read::begin(&chain),
                // The last line is read, even if it is not shown, so that only what comes is.
                Begin::Asked => match self.args.count() {
                    usize::MAX => read::begin(&chain),
                    count => read::begin_of_last(&chain, count.max(1)),
                },
                Begin::First => Ok(Cursor { segment: 1, offset: 0 }),
                Begin::End => read::end(&chain),
            };
            let at = at.map_err(|error| unreadable(&format!("log of `{unit}`"), &error))?;
            let wanted = self.args.wanted(run);
            let reader = Reader::new(chain, at).only(wanted).sieved(sieve.clone(), around);
            self.merged.add(Arc::new(Origin { unit, wanted }), reader);
        }
        Ok(())
    }

    /// Returns what finds lines in whole blocks of so many logs.
    ///
    /// What is around a line of several logs together is not to be found in its own.
    fn sieve(&self, logs: usize) -> Option<Arc<dyn Sieve>> {
        let is_alone = self.args.neighbours() == (0, 0) || logs == 1 && !self.args.follow;
        let pattern = self.args.grep.clone().filter(|_| is_alone)?;
        let sense = if self.args.invert_match { Sense::Others } else { Sense::Fitting };
        Some(Arc::new(PatternSieve { pattern, view: self.args.view(), sense }))
    }

    /// Shows the last lines that are asked for: no more of them are in memory at a time.
    pub(super) fn show_past(&mut self) -> Result<(), CliError> {
        let count = self.args.count();
        if count == usize::MAX {
            self.show_fresh()?;
            return Ok(());
        }
        let mut last = VecDeque::new();
        self.look()?;
        while let Some(found) = self.next()? {
            if last.len() == count {
                last.pop_front();
            }
            last.push_back(found);
            last.truncate(count);
        }
        if self.args.reverse {
            last.make_contiguous().reverse();
        }
        if let Some(first) = last.front_mut() {
            first.is_behind_gap = false;
        }
        self.lines.label(self.labels());
        for found in &last {
            self.lines.show(found, &self.args);
        }
        self.lines.flush();
        Ok(())
    }

    /// Shows everything up to this moment; returns how many lines that was.
    pub(super) fn show_fresh(&mut self) -> Result<usize, CliError> {
        self.lines.label(self.labels());
        let mut shown = 0;
        self.look()?;
        while let Some(found) = self.next()? {
            self.lines.show(&found, &self.args);
            shown += 1;
        }
        self.lines.flush();
        Ok(shown)
    }

    /// Returns whether lines say whose they are.
    fn labels(&self) -> Labels {
        if self.args.no_prefix { Labels::Left } else { Labels::of(&self.merged) }
    }

    fn look(&mut self) -> Result<(), CliError> {
        self.merged.look().map_err(|error| unreadable("logs", &error))
    }

    /// Returns the next line that is asked for.
    fn next(&mut self) -> Result<Option<Found>, CliError> {
        while self.ready.is_empty() {
            let line = self.merged.next_line().map_err(|error| unreadable("logs", &error))?;
            self.tell_gone();
            let Some((line, origin)) = line else { return Ok(None) };
            if !origin.wanted.includes(line.realtime_ns, line.run) {
                continue;
            }
            let fits = self.args.fits(&line.bytes);
            let found = Found { line, origin, is_behind_gap: false };
            self.neighbours.take(found, fits, &mut self.ready);
        }
        Ok(self.ready.pop_front())
    }

    /// Tells what was deleted, or is damaged, before the next line.
    fn tell_gone(&mut self) {
        for (origin, gone) in self.merged.take_gone() {
            let unit = &origin.unit;
            if gone.segments > 0 {
                let count = usize::try_from(gone.segments).unwrap_or(usize::MAX);
                let segments = print::count(count, "segment");
                print::talk(&format!(
                    "note: {segments} of the log of `{unit}` went before they were read to the end"
                ));
            }
            tell_damaged(unit, gone.bytes);
        }
    }
}
