//! Errors of Windows, and what its manager of services writes to the system's log.

use super::{Entry, entry};

pub(super) const TABLE: &[Entry] = &[
    entry(2, ["the program is not there", "look at its path with `mainstay service status NAME`"]),
    entry(
        3,
        [
            "a folder of the program's path is not there",
            "name the program by its whole path; drives of a session do not exist for services",
        ],
    ),
    entry(
        5,
        [
            "this account may not do that",
            "open a terminal with `Run as administrator` and repeat the line there",
        ],
    ),
    entry(
        193,
        [
            "the file is no program for this system: a script without its interpreter, most likely",
            "name the interpreter as the program: `… -- python script.py`",
        ],
    ),
    entry(
        267,
        [
            "the folder in which the program starts is not there, or is no folder",
            "set `directory` to one that the service's account can enter",
        ],
    ),
    entry(
        1053,
        [
            "the service did not say in time that it runs",
            "`mainstay logs` of the service, or its `keeper.log`, says what it was doing",
        ],
    ),
    entry(
        1056,
        [
            "it runs already, under the manager or by hand",
            "`mainstay service restart NAME` starts it anew; one that `mainstay service run` has \
             started ends with Ctrl-C there",
        ],
    ),
    entry(1058, ["it is disabled", "`sc config NAME start= demand` allows it to be started"]),
    entry(1060, ["there is no such service", "`mainstay service list` shows those there are"]),
    entry(
        1061,
        [
            "it is about to start or to stop and takes no orders",
            "wait until `mainstay service status NAME` says something else",
        ],
    ),
    entry(1062, ["it does not run", ""]),
    entry(
        1063,
        [
            "the program is written as a service and was not started by the manager of services",
            "start it with `sc start NAME`, or use its mode for consoles",
        ],
    ),
    entry(
        1066,
        [
            "it ended with a number of its own",
            "`mainstay why NAME` tells what the number stands for",
        ],
    ),
    entry(
        1067,
        [
            "its process has ended unexpectedly",
            "`keeper.log` in its state folder has its last words",
        ],
    ),
    entry(
        1069,
        [
            "it cannot be started as its account: the password is wrong, or the right to log on as a service is missing",
            "give the password anew, or grant the right in `secpol.msc`",
        ],
    ),
    entry(
        1072,
        [
            "it is marked for deletion, and somebody holds it open",
            "close services.msc, Task Manager and Process Explorer",
        ],
    ),
    entry(
        1073,
        [
            "there is a service of that name",
            "choose another name, or `mainstay service remove NAME` first",
        ],
    ),
    entry(
        1078,
        ["another service is shown by that name", "choose another one with `--display-name`"],
    ),
    entry(
        1326,
        [
            "the name or the password of the account is wrong",
            "give both anew: `DOMAIN\\user`, or `.\\user` for one of this machine",
        ],
    ),
    entry(
        1385,
        [
            "the account may not log on as a service",
            "grant `Log on as a service` in `secpol.msc`, under user rights",
        ],
    ),
    entry(
        7000,
        [
            "the manager could not start the service; the number behind it says why",
            "`mainstay doctor NUMBER` explains that one, too",
        ],
    ),
    entry(
        7009,
        [
            "the service did not call the manager within 30 s of its start: a slow disk or a virus scanner at boot, or no service at all",
            "start it again; a program that is no service needs `mainstay service install`",
        ],
    ),
    entry(
        7011,
        [
            "the service did not answer an order of the manager within 30 s",
            "look what it waits for; `mainstay kill NAME` ends a unit of ours",
        ],
    ),
    entry(
        7023,
        [
            "the service ended with an error of the system; the number behind it says which",
            "`mainstay doctor NUMBER` explains that one, too",
        ],
    ),
    entry(
        7024,
        [
            "the service ended with a number of its own",
            "its documentation says what that means; of ours `mainstay why NAME` does",
        ],
    ),
    entry(
        7031,
        [
            "the process of the service has ended unexpectedly, and the manager does now what its recovery says",
            "of a service of ours the programs run on; `keeper.log` says why the keeper ended",
        ],
    ),
    entry(
        7034,
        [
            "the process of the service has ended unexpectedly, and no recovery is set",
            "`sc failure NAME reset= 3600 actions= restart/1000` sets one; ours have it from the beginning",
        ],
    ),
    entry(
        7038,
        [
            "the manager could not log on the service's account",
            "give the password anew; `mainstay doctor 1069` tells more",
        ],
    ),
    entry(
        7041,
        [
            "the service's account may not log on as a service",
            "grant `Log on as a service` in `secpol.msc`, under user rights",
        ],
    ),
];
