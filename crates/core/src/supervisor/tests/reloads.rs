//! How programs read their configuration anew, and what becomes of that with an agent.

use super::{hooks::hooked, passed_on::adopted, ready::seconds, *};
use crate::{hook::Hook, service::ReloadBy};

#[test]
fn a_reload_is_refused_by_its_hook_and_told_when_it_is_done() {
    let mut web = hooked(&[Hook::BeforeReload]);
    web.care.reload = Some(ReloadBy::Notice);
    let mut world = World::new(&[web]);
    assert!(world.command("web", Command::Reload).is_err());
    world.started("web");
    world.command("web", Command::Reload).unwrap();
    world.hook_ends("web", Hook::BeforeReload, 1, Exit::Code(1));
    assert_eq!(world.select("reload "), [""; 0]);
    assert_eq!(world.select("health web").len(), 1);
    world.command("web", Command::Reload).unwrap();
    world.hook_ends("web", Hook::BeforeReload, 2, Exit::Code(0));
    assert_eq!(world.select("reload "), ["web 1"]);
    assert!(world.command("web", Command::Reload).unwrap_err().contains("is reloading already"));
    world.says("web", Notice::Reloading);
    world.says("web", Notice::Ready);
    assert_eq!(world.select("health web").last().map(String::as_str), Some(" Reloaded"));
    assert!(!world.view("web").is_reloading());
}

#[test]
fn a_reload_obeys_no_hook_of_an_earlier_run() {
    let mut web = hooked(&[Hook::BeforeReload]);
    web.care.reload = Some(ReloadBy::Command);
    let mut world = World::new(&[web]);
    world.started("web");
    world.command("web", Command::Reload).unwrap();
    world.exited("web", Exit::Code(1));
    assert_eq!(world.select("ask-hook "), ["web before-reload 1"], "nobody waits for it");
    world.wait();
    world.started("web");
    world.command("web", Command::Reload).unwrap();
    world.hook_ends("web", Hook::BeforeReload, 1, Exit::Code(0));
    assert_eq!(world.select("hook web reload"), [""; 0], "its own hook has not ended");
    world.hook_ends("web", Hook::BeforeReload, 2, Exit::Code(0));
    assert_eq!(world.select("hook web reload"), [" 1"]);
    world.command("web", Command::Restart).unwrap();
    world.exited("web", Exit::Code(0));
    world.started("web");
    world.command("web", Command::Reload).unwrap();
    world.hook_ends("web", Hook::BeforeReload, 3, Exit::Code(0));
    world.hook_ends("web", Hook::Reload, 1, Exit::Code(0));
    assert!(world.view("web").is_reloading(), "that was the command of the run before");
    world.hook_ends("web", Hook::Reload, 2, Exit::Code(0));
    assert_eq!(world.select("health web").last().map(String::as_str), Some(" Reloaded"));
}

#[test]
fn whoever_cannot_reload_says_so() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    let refused = world.command("web", Command::Reload).unwrap_err();
    assert!(refused.starts_with("`web` cannot reload; set `reload"), "{refused}");
}

#[test]
fn the_next_agent_waits_for_who_was_told_to_reload() {
    let mut web = service("web");
    web.care.reload = Some(ReloadBy::Notice);
    let mut world = World::new(&[web.clone()]);
    world.started("web");
    world.pass(5);
    world.command("web", Command::Reload).unwrap();
    let memo = world.supervisor.unit_memo("web");
    assert_eq!(memo.reloads_within, Some(seconds(95)));
    assert_eq!(world.take(), ["remember web 1", "reload web 1", "answer web"]);
    let mut next = adopted(&web, memo, 10);
    assert_eq!((next.view("web").is_reloading(), next.next_in()), (true, Some(85)));
    next.says("web", Notice::Ready);
    assert_eq!(next.select("health web"), [" Reloaded"]);
    assert_eq!(next.supervisor.unit_memo("web").reloads_within, None, "it is told once");
    let mut late = adopted(&web, memo, 10);
    late.wait();
    let told = " NotReloaded { reason: \"it has not said that it is done\" }";
    assert_eq!(late.select("health web"), [told]);
    let mut ends = adopted(&web, memo, 10);
    ends.exited("web", Exit::Code(1));
    assert_eq!(ends.select("health web").len(), 1, "nobody waits for ever for the word on it");
}

#[test]
fn the_next_agent_goes_on_with_the_hook_and_the_command_of_a_reload() {
    let mut web = hooked(&[Hook::BeforeReload]);
    web.care.reload = Some(ReloadBy::Command);
    let found = |hooks: &[(Hook, AdoptedPhase)], run: AdoptedPhase| {
        let mut world = World::closed(std::slice::from_ref(&web));
        let (memo, number) = (Memo::default(), 4);
        let hook = |(hook, phase): &(Hook, AdoptedPhase)| {
            let (hook, phase) = (*hook, *phase);
            AdoptedHook { unit: unit("web"), hook, number, run: 3, memo, phase }
        };
        let hooks = hooks.iter().map(hook).collect();
        let run = Adopted { unit: unit("web"), run: 3, spec_hash: 1, memo, phase: run };
        world.tell(Input::Adopt { runs: vec![run], wishes: Vec::new(), hooks });
        world.tell(Input::Open);
        world
    };
    let running = AdoptedPhase::Running { pid: 9, since: Moment::default() };
    let ended = |code| {
        let (exit, at, lived) = (Exit::Code(code), Moment::default(), seconds(1));
        AdoptedPhase::Ended { exit, at, lived, strays: false }
    };
    let mut world = found(&[(Hook::BeforeReload, running)], running);
    world.hook_ends("web", Hook::BeforeReload, 4, Exit::Code(0));
    assert_eq!(world.select("hook web reload"), [" 1"]);
    let mut world = found(&[(Hook::BeforeReload, ended(0)), (Hook::Reload, running)], running);
    assert_eq!(world.select("hook web "), [""; 0], "it was begun already");
    world.hook_ends("web", Hook::Reload, 4, Exit::Code(0));
    assert_eq!(world.select("health web"), [" Reloaded"]);
    let refused = found(&[(Hook::BeforeReload, ended(1))], running);
    assert_eq!(refused.select("health web").len(), 1);
    assert!(refused.select("health web")[0].starts_with(" NotReloaded"));
    let over = found(&[(Hook::BeforeReload, running)], ended(1));
    assert_eq!(over.select("health web").len(), 1, "its run is gone");
    assert_eq!(over.select("ask-hook "), ["web before-reload 4"]);
}
