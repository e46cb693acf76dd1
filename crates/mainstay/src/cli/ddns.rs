//! `mainstay ddns`: names on a moving address, looked at and set up from a terminal.

mod judge;

pub(super) use self::judge::judged;
