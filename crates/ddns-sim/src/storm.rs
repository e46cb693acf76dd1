//! What goes wrong, what others do, and the end of all that.

use std::{net::IpAddr, time::Duration};

use mainstay_ddns::{address::Family, engine::input::Input};

use crate::{
    agenda::Happening,
    plant::Plant,
    provider::{Mood, Servers},
    scene::{address, below},
    sources,
    world::{DiskMood, Part, World},
};

/// How soon after the storm it is looked for the first time whether everything is published.
const FIRST_LOOK: Duration = Duration::from_mins(5);

impl World {
    /// Something goes wrong, or somebody wants something.
    pub(crate) fn storm(&mut self) {
        self.storms -= 1;
        self.moods_end();
        match self.chance.below(20) {
            0..=2 => self.moves(),
            3 => self.network_changed(),
            4 => self.goes_offline(),
            5..=6 => self.sources_lie(),
            7..=9 => self.provider_has_a_mood(),
            10..=11 => self.record_has_a_mood(),
            12 => self.clock_jumps(),
            13 => self.machine_sleeps(),
            14 => self.disk_has_a_mood(),
            15 => self.operator_wants(),
            16 => self.configuration_changes(),
            17 => self.others_change(),
            18 => self.servers_have_a_mood(),
            _ => self.dies_if_alive(),
        }
        if self.plant == Some(Plant::OperatorInvented) {
            self.handle(Input::Update { bindings: Vec::new() });
        }
        let most = if self.once_in(4) { 7200 } else { 300 };
        let next = self.time + self.up_to(Duration::from_secs(most));
        let happening = if self.storms == 0 { Happening::Calm } else { Happening::Storm };
        self.agenda.plan(next, happening);
    }

    fn moods_end(&mut self) {
        let time = self.time;
        for account in &mut self.accounts {
            if account.until <= time && account.mood != Mood::Abuse {
                account.mood = Mood::Fine;
            }
        }
        for record in self.records.iter_mut().filter(|record| record.until <= time) {
            record.mood = Mood::Fine;
        }
        for (mood, until) in self.moods.iter_mut().flatten() {
            if *until <= time {
                *mood = sources::Mood::Honest;
            }
        }
        if self.disk_mood.1 <= time {
            self.disk_mood.0 = DiskMood::Fine;
        }
    }

    fn lasts(&mut self) -> Duration {
        let most = if self.once_in(3) { 5 * 3600 } else { 900 };
        self.time + self.up_to(Duration::from_secs(most))
    }

    /// The machine has other addresses, and now and then flaps between them.
    fn moves(&mut self) {
        self.new_addresses();
        self.network_changed();
        if self.once_in(3) {
            for _ in 0..self.chance.below(12) {
                let after = self.up_to(Duration::from_secs(40));
                self.agenda.plan(self.time + after, Happening::Flap);
            }
        }
    }

    pub(crate) fn flap(&mut self) {
        if self.part == Part::Storm {
            if self.once_in(2) {
                self.new_addresses();
            }
            self.network_changed();
        }
    }

    /// New ones, or one that it had a moment ago.
    pub(crate) fn new_addresses(&mut self) {
        self.addresses += 1;
        let back = self.chance.below(3).min(self.addresses - 1);
        let number = self.addresses - back;
        let families: Vec<Family> = self.plan.sights.iter().map(|sight| sight.family).collect();
        self.truths = families.into_iter().map(|family| address(family, number)).collect();
        self.truths.iter().for_each(|truth| self.checker.is_true(*truth));
        let truths = self.truths.clone();
        self.tell(|| format!("the addresses are {truths:?}"));
    }

    fn network_changed(&mut self) {
        self.handle(Input::NetworkChanged);
    }

    fn goes_offline(&mut self) {
        self.is_online = !self.is_online;
        let is_online = self.is_online;
        self.tell(|| format!("online: {is_online}"));
        if !self.once_in(4) {
            self.network_changed();
        }
    }

    fn sources_lie(&mut self) {
        let sight = below(&mut self.chance, self.plan.sights.len());
        let source = below(&mut self.chance, self.plan.sights[sight].sources.len());
        let plan = self.plan.sights[sight].sources[source];
        let (mood, until) = (sources::Mood::draw(plan, &mut self.chance), self.lasts());
        self.moods[sight][source] = (mood, until);
        self.tell(|| format!("source {source} of sight {sight} is {mood:?}"));
    }

    fn provider_has_a_mood(&mut self) {
        let account = below(&mut self.chance, self.accounts.len());
        let (mood, until) = (Mood::of_account(&mut self.chance), self.lasts());
        (self.accounts[account].mood, self.accounts[account].until) = (mood, until);
        self.tell(|| format!("account {account} is {mood:?}"));
    }

    fn record_has_a_mood(&mut self) {
        let record = below(&mut self.chance, self.records.len());
        let (mood, until) = (Mood::of_record(&mut self.chance), self.lasts());
        (self.records[record].mood, self.records[record].until) = (mood, until);
        self.tell(|| format!("record {record} is {mood:?}"));
    }

    fn clock_jumps(&mut self) {
        let most = [600, 7200, 3 * 86_400][below(&mut self.chance, 3)];
        let by = i64::try_from(self.chance.below(2 * most)).unwrap_or(0);
        self.offset = by - i64::try_from(most).unwrap_or(0);
        let offset = self.offset;
        self.tell(|| format!("the clock is wrong by {offset}"));
    }

    fn machine_sleeps(&mut self) {
        let time = self.up_to(Duration::from_hours(5));
        self.tell(|| format!("sleeps for {time:?}"));
        self.sleeps(time);
    }

    fn disk_has_a_mood(&mut self) {
        let moods = [DiskMood::Slow, DiskMood::Refuses, DiskMood::Hangs];
        let mood = moods[below(&mut self.chance, moods.len())];
        self.disk_mood = (mood, self.lasts());
        self.tell(|| format!("the disk is {mood:?}"));
    }

    fn operator_wants(&mut self) {
        if self.engine.is_none() {
            return;
        }
        let all = self.plan.bindings.len();
        let is_all = self.once_in(2);
        let bindings = if is_all { Vec::new() } else { vec![below(&mut self.chance, all)] };
        for index in 0..all {
            if bindings.is_empty() || bindings.contains(&index) {
                self.checker.is_wanted(index);
                self.forgives(self.plan.bindings[index].account);
            }
        }
        self.handle(Input::Update { bindings });
    }

    /// Somebody has settled it with the provider.
    fn forgives(&mut self, account: usize) {
        if self.accounts[account].mood == Mood::Abuse {
            self.accounts[account].mood = Mood::Fine;
        }
    }

    fn configuration_changes(&mut self) {
        if self.engine.is_none() {
            return;
        }
        let account = below(&mut self.chance, self.accounts.len());
        let number = self.chance.number();
        if self.once_in(2) {
            self.plan.accounts[account].digest = number;
            self.forgives(account);
            self.checker.account_is_configured(account);
        } else {
            let binding = below(&mut self.chance, self.plan.bindings.len());
            self.plan.bindings[binding].digest = number;
            self.records[binding].mood = Mood::Fine;
            self.checker.is_configured(binding);
        }
        self.tell(|| "another configuration".to_owned());
        self.reconfigured();
    }

    /// Somebody else changes a record at the provider.
    fn others_change(&mut self) {
        let record = below(&mut self.chance, self.records.len());
        self.records[record].values = vec![IpAddr::from([9, 9, 9, 9])];
        self.tell(|| format!("others change record {record}"));
        self.is_slow = true;
        if !self.is_readable(record) {
            self.excused.insert(record);
        }
    }

    fn servers_have_a_mood(&mut self) {
        let record = below(&mut self.chance, self.records.len());
        let moods = [Servers::Honest, Servers::Broken, Servers::Intercepted];
        self.records[record].servers = moods[below(&mut self.chance, moods.len())];
    }

    fn dies_if_alive(&mut self) {
        if self.engine.is_some() && self.danger > 0 {
            self.dies();
        }
    }

    /// The storm is over: nobody lies, nobody is in trouble, and all clocks are right.
    pub(crate) fn calm(&mut self) {
        self.part = Part::Calm(self.time);
        self.tell(|| "calm".to_owned());
        self.is_online = true;
        self.offset = 0;
        self.disk_mood = (DiskMood::Fine, self.time);
        self.moods.iter_mut().flatten().for_each(|(mood, _)| *mood = sources::Mood::Honest);
        for record in &mut self.records {
            (record.mood, record.servers) = (Mood::Fine, Servers::Honest);
        }
        for index in 0..self.accounts.len() {
            if self.accounts[index].mood != Mood::Abuse {
                self.accounts[index].mood = Mood::Fine;
                continue;
            }
            // What was called a nuisance stays parked until somebody settles it.
            let bindings = self.plan.bindings.iter().enumerate();
            let parked = bindings.filter(|(_, binding)| binding.account == index);
            self.excused.extend(parked.map(|(index, _)| index));
        }
        if self.once_in(3) {
            let stubborn = below(&mut self.chance, self.records.len());
            self.records[stubborn].mood = [Mood::Hangs, Mood::Outage][below(&mut self.chance, 2)];
            self.excused.insert(stubborn);
        }
        if self.once_in(2) {
            self.network_changed();
        }
        self.agenda.plan(self.time + FIRST_LOOK, Happening::Look);
    }
}
