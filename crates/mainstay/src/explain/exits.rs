//! Exit codes of programs that Windows has ended (NTSTATUS), or that their runtime has.

use super::{Entry, entry};

pub(super) const TABLE: &[Entry] = &[
    entry(
        0x8000_0003,
        [
            "it ran into a breakpoint or an assertion with nobody there to see it",
            "run a build without debug checks, or run it by hand",
        ],
        ["程序触发了断点或断言，而没有调试器", "使用非调试版本，或手动运行查看"],
    ),
    entry(
        0xC000_0005,
        [
            "it touched memory that is not its own and crashed",
            "this is a fault of the program: update it, and look for a crash dump in `%LOCALAPPDATA%\\CrashDumps`",
        ],
        [
            "程序访问了不属于它的内存而崩溃",
            "这是程序本身的缺陷：请更新它，并在 `%LOCALAPPDATA%\\CrashDumps` 查找崩溃转储",
        ],
    ),
    entry(
        0xC000_0017,
        ["the system had no memory left for it", "free memory or enlarge the page file"],
        ["系统内存不足", "释放内存，或增大页面文件"],
    ),
    entry(
        0xC000_001D,
        [
            "it used an instruction that this processor does not have",
            "take a build for older processors",
        ],
        ["程序使用了本处理器不支持的指令", "换用面向较旧处理器的版本"],
    ),
    entry(
        0xC000_0022,
        [
            "it may not open a file that it needs to start",
            "grant its account the right to read the program's folder: `icacls`",
        ],
        ["启动所需的文件无权打开", "用 `icacls` 授予服务账户读取程序文件夹的权限"],
    ),
    entry(
        0xC000_007B,
        [
            "one of its libraries is for another kind of processor, 32 instead of 64 bit",
            "install the right edition of the program and of its runtime",
        ],
        ["某个 DLL 的架构不符（32 位与 64 位混用）", "安装正确版本的程序及其运行库"],
    ),
    entry(
        0xC000_0094,
        ["it divided by zero and crashed", "this is a fault of the program: update it"],
        ["程序因除以零而崩溃", "这是程序本身的缺陷，请更新它"],
    ),
    entry(
        0xC000_00FD,
        [
            "its stack is full: a recursion without an end, most likely",
            "this is a fault of the program: update it",
        ],
        ["栈溢出，多半是无限递归", "这是程序本身的缺陷，请更新它"],
    ),
    entry(
        0xC000_0135,
        [
            "a library that it needs is not there",
            "install its runtime (Visual C++ Redistributable, .NET), or put the DLL beside the program: a service has another PATH",
        ],
        [
            "缺少它需要的 DLL",
            "安装运行库（Visual C++ Redistributable、.NET），或把 DLL 放在程序旁边：服务的 PATH 与用户的不同",
        ],
    ),
    entry(
        0xC000_0139,
        [
            "one of its libraries is of the wrong version",
            "install the version of the runtime that it was made for",
        ],
        ["某个 DLL 的版本不对", "安装与该程序匹配的运行库版本"],
    ),
    entry(
        0xC000_013A,
        [
            "it was ended by Ctrl-C, or by the end of its console",
            "that is how a stop looks; when nobody stopped it, something else on its console did",
        ],
        [
            "程序被 Ctrl-C 或控制台关闭所终止",
            "正常停止就是这样；若没有人停止它，则是同一控制台上的其他程序所为",
        ],
    ),
    entry(
        0xC000_0142,
        [
            "one of its libraries could not begin: too many programs share the desktop of services, or it needs one that it may not use",
            "run fewer programs with windows or consoles, or enlarge the desktop heap (`SharedSection`)",
        ],
        [
            "某个 DLL 初始化失败：服务桌面上的程序过多，或它需要无权使用的桌面",
            "减少带窗口或控制台的程序，或增大桌面堆（`SharedSection`）",
        ],
    ),
    entry(
        0xC000_0374,
        ["it damaged its own memory and was ended", "this is a fault of the program: update it"],
        ["程序破坏了自己的堆内存而被终止", "这是程序本身的缺陷，请更新它"],
    ),
    entry(
        0xC000_0409,
        [
            "it ended itself because something was badly wrong: an abort, a failed check or a damaged stack",
            "the last lines of its log say more; else look for a crash dump",
        ],
        [
            "程序发现严重错误而自行终止：abort、检查失败或栈被破坏",
            "看日志最后几行；否则查找崩溃转储",
        ],
    ),
    entry(
        0xE043_4352,
        [
            "a .NET program ended with an exception that nobody caught",
            "its name stands in the last lines of the log, or in the Application log under `.NET Runtime`",
        ],
        [
            ".NET 程序因未捕获的异常而结束",
            "异常名在日志最后几行，或在事件查看器“应用程序”日志的 `.NET Runtime` 中",
        ],
    ),
    entry(
        0xE06D_7363,
        [
            "a C++ program ended with an exception that nobody caught",
            "the last lines of its log may say which; else look for a crash dump",
        ],
        ["C++ 程序因未捕获的异常而结束", "看日志最后几行；否则查找崩溃转储"],
    ),
];
