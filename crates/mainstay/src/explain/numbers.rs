//! Errors of Windows, and what its manager of services writes to the system's log.

use super::{Entry, entry};

pub(super) const TABLE: &[Entry] = &[
    entry(
        2,
        ["the program is not there", "look at its path with `mainstay service status NAME`"],
        ["找不到程序", "用 `mainstay service status NAME` 检查程序路径"],
    ),
    entry(
        3,
        [
            "a folder of the program's path is not there",
            "name the program by its whole path; drives of a session do not exist for services",
        ],
        ["程序路径中的文件夹不存在", "请写程序的完整路径；服务看不到用户会话里映射的盘符"],
    ),
    entry(
        5,
        [
            "this account may not do that",
            "open a terminal with `Run as administrator` and repeat the line there",
        ],
        ["当前账户没有此权限", "用“以管理员身份运行”打开终端，再执行同一行命令"],
    ),
    entry(
        193,
        [
            "the file is no program for this system: a script without its interpreter, most likely",
            "name the interpreter as the program: `… -- python script.py`",
        ],
        [
            "该文件不是本系统的可执行程序，多半是没有写解释器的脚本",
            "把解释器写成程序：`… -- python script.py`",
        ],
    ),
    entry(
        267,
        [
            "the folder in which the program starts is not there, or is no folder",
            "set `directory` to one that the service's account can enter",
        ],
        ["程序的启动目录不存在，或者不是文件夹", "把 `directory` 设为服务账户能进入的文件夹"],
    ),
    entry(
        1053,
        [
            "the service did not say in time that it runs",
            "`mainstay logs` of the service, or its `keeper.log`, says what it was doing",
        ],
        ["服务没有及时报告已运行", "看该服务的 `mainstay logs`，或其状态文件夹里的 `keeper.log`"],
    ),
    entry(
        1056,
        [
            "it runs already, under the manager or by hand",
            "`mainstay service restart NAME` starts it anew; one that `mainstay service run` has \
             started ends with Ctrl-C there",
        ],
        [
            "服务已在运行，由服务管理器启动或手动启动",
            "`mainstay service restart NAME` 可以重新启动它；由 `mainstay service run` 启动的，在那里按 Ctrl-C 结束",
        ],
    ),
    entry(
        1058,
        ["it is disabled", "`sc config NAME start= demand` allows it to be started"],
        ["服务已被禁用", "`sc config NAME start= demand` 允许再次启动"],
    ),
    entry(
        1060,
        ["there is no such service", "`mainstay service list` shows those there are"],
        ["没有这个服务", "`mainstay service list` 列出现有的服务"],
    ),
    entry(
        1061,
        [
            "it is about to start or to stop and takes no orders",
            "wait until `mainstay service status NAME` says something else",
        ],
        [
            "服务正在启动或停止，暂不接受命令",
            "等 `mainstay service status NAME` 显示别的状态后再试",
        ],
    ),
    entry(1062, ["it does not run", ""], ["服务没有运行", ""]),
    entry(
        1063,
        [
            "the program is written as a service and was not started by the manager of services",
            "start it with `sc start NAME`, or use its mode for consoles",
        ],
        [
            "该程序本身就是服务程序，却不是由服务管理器启动的",
            "用 `sc start NAME` 启动，或使用它的控制台模式",
        ],
    ),
    entry(
        1066,
        [
            "it ended with a number of its own",
            "`mainstay why NAME` tells what the number stands for",
        ],
        ["服务以自己的错误码结束", "`mainstay why NAME` 说明该错误码"],
    ),
    entry(
        1067,
        [
            "its process has ended unexpectedly",
            "`keeper.log` in its state folder has its last words",
        ],
        ["服务进程意外结束", "它最后的输出在状态文件夹的 `keeper.log` 里"],
    ),
    entry(
        1069,
        [
            "it cannot be started as its account: the password is wrong, or the right to log on as a service is missing",
            "give the password anew, or grant the right in `secpol.msc`",
        ],
        [
            "无法以其账户启动：密码错误，或缺少“作为服务登录”的权限",
            "重新输入密码，或在 `secpol.msc` 中授予该权限",
        ],
    ),
    entry(
        1072,
        [
            "it is marked for deletion, and somebody holds it open",
            "close services.msc, Task Manager and Process Explorer",
        ],
        [
            "服务已标记为删除，但仍被某个程序打开着",
            "关闭 services.msc、任务管理器和 Process Explorer",
        ],
    ),
    entry(
        1073,
        [
            "there is a service of that name",
            "choose another name, or `mainstay service remove NAME` first",
        ],
        ["同名服务已存在", "换一个名字，或先执行 `mainstay service remove NAME`"],
    ),
    entry(
        1078,
        ["another service is shown by that name", "choose another one with `--display-name`"],
        ["另一个服务已使用这个显示名称", "用 `--display-name` 换一个"],
    ),
    entry(
        1326,
        [
            "the name or the password of the account is wrong",
            "give both anew: `DOMAIN\\user`, or `.\\user` for one of this machine",
        ],
        ["账户名或密码错误", "重新输入：`域\\用户`，本机账户写 `.\\用户`"],
    ),
    entry(
        1385,
        [
            "the account may not log on as a service",
            "grant `Log on as a service` in `secpol.msc`, under user rights",
        ],
        ["该账户没有“作为服务登录”的权限", "在 `secpol.msc` 的用户权限分配中授予"],
    ),
    entry(
        7000,
        [
            "the manager could not start the service; the number behind it says why",
            "`mainstay doctor NUMBER` explains that one, too",
        ],
        [
            "服务管理器无法启动该服务，原因在后面的错误码里",
            "`mainstay doctor NUMBER` 也能解释那个错误码",
        ],
    ),
    entry(
        7009,
        [
            "the service did not call the manager within 30 s of its start: a slow disk or a virus scanner at boot, or no service at all",
            "start it again; a program that is no service needs `mainstay service install`",
        ],
        [
            "服务启动后 30 秒内没有与管理器联系：开机时磁盘或杀毒软件太慢，或者它根本不是服务程序",
            "再启动一次；普通程序请用 `mainstay service install` 安装",
        ],
    ),
    entry(
        7011,
        [
            "the service did not answer an order of the manager within 30 s",
            "look what it waits for; `mainstay kill NAME` ends a unit of ours",
        ],
        [
            "服务在 30 秒内没有响应管理器的命令",
            "看看它在等什么；`mainstay kill NAME` 可结束 Mainstay 管理的程序",
        ],
    ),
    entry(
        7023,
        [
            "the service ended with an error of the system; the number behind it says which",
            "`mainstay doctor NUMBER` explains that one, too",
        ],
        ["服务以系统错误结束，具体错误码在后面", "`mainstay doctor NUMBER` 也能解释那个错误码"],
    ),
    entry(
        7024,
        [
            "the service ended with a number of its own",
            "its documentation says what that means; of ours `mainstay why NAME` does",
        ],
        ["服务以自己的错误码结束", "含义见该服务的文档；Mainstay 的服务用 `mainstay why NAME`"],
    ),
    entry(
        7031,
        [
            "the process of the service has ended unexpectedly, and the manager does now what its recovery says",
            "of a service of ours the programs run on; `keeper.log` says why the keeper ended",
        ],
        [
            "服务进程意外终止，管理器正在执行它的恢复操作",
            "Mainstay 的服务，其程序仍在运行；`keeper.log` 说明守护进程为何结束",
        ],
    ),
    entry(
        7034,
        [
            "the process of the service has ended unexpectedly, and no recovery is set",
            "`sc failure NAME reset= 3600 actions= restart/1000` sets one; ours have it from the beginning",
        ],
        [
            "服务进程意外终止，且没有设置恢复操作",
            "用 `sc failure NAME reset= 3600 actions= restart/1000` 设置；Mainstay 的服务一开始就有",
        ],
    ),
    entry(
        7038,
        [
            "the manager could not log on the service's account",
            "give the password anew; `mainstay doctor 1069` tells more",
        ],
        ["管理器无法登录服务账户", "重新输入密码；详见 `mainstay doctor 1069`"],
    ),
    entry(
        7041,
        [
            "the service's account may not log on as a service",
            "grant `Log on as a service` in `secpol.msc`, under user rights",
        ],
        ["服务账户没有“作为服务登录”的权限", "在 `secpol.msc` 的用户权限分配中授予"],
    ),
];
