//! What people read: each reason is a sentence, and true.

use super::*;

#[test]
fn an_end_says_code_and_span_as_people_say_them() {
    let told = |exit, seconds| {
        let mut world = World::new(&[service("web")]);
        world.started("web");
        world.pass(seconds);
        world.exited("web", exit);
        world.view("web").why().to_owned()
    };
    assert_eq!(told(Exit::Code(0), 0), "run 1 ended with code 0 after 0 ms");
    assert_eq!(told(Exit::Code(3), 119), "run 1 ended with code 3 after 119 s");
    assert_eq!(told(Exit::Signal(9), 7199), "run 1 was killed by signal 9 after 119 min");
    assert_eq!(told(Exit::Unknown, 7200), "run 1 ended after 2 h, and nobody could learn how");
}

#[test]
fn a_limit_names_its_window_and_the_remedy() {
    let mut web = service("web");
    web.restart.limit = 1;
    let mut world = World::new(&[web]);
    world.started("web");
    world.exited("web", Exit::Code(1));
    world.wait();
    let why = "it was started once within 10 min; `reset` tries again";
    assert_eq!(world.view("web").why(), why);
    assert_eq!(world.view("web").phrase(), "has failed");
    let refused = world.command("web", Command::Kill).unwrap_err();
    assert_eq!(refused, "`web` has failed; there is nothing to kill");
}

#[test]
fn a_wait_between_two_attempts_is_no_state_called_backoff() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.exited("web", Exit::Code(1));
    let refused = world.command("web", Command::Kill).unwrap_err();
    assert_eq!(refused, "`web` is between two attempts; there is nothing to kill");
}
