//! Every wrapper's settings, and what becomes of them. Each configuration is read by our own parser.

use mainstay_api::{
    config::{self, Config, LogFiles, SourceText},
    keeper::Streams,
};
use mainstay_core::service::{Delays, ExitAction, ExitKey, RestartWhen};
use mainstay_platform::registry::{Data, Value};

use super::*;

fn read(translation: &Translation) -> config::ServiceConfig {
    let text = translation.equivalent.configuration("web");
    let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
    let Config { services, .. } =
        config::parse(&[source]).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    services.into_values().next().unwrap()
}

fn verdict(translation: &Translation, setting: &str) -> Verdict {
    let remark = translation.remarks.iter().find(|remark| remark.setting == setting);
    remark.unwrap_or_else(|| panic!("nothing is said of {setting}")).verdict
}

fn variables(name: &str) -> Option<String> {
    (name == "SystemRoot").then(|| r"C:\Windows".to_owned())
}

fn registered() -> Registered {
    Registered {
        name: "web".to_owned(),
        display_name: "The web".to_owned(),
        description: "serves".to_owned(),
        start: "delayed".to_owned(),
        account: "LocalSystem".to_owned(),
        dependencies: vec!["Tcpip".to_owned()],
        ..Registered::default()
    }
}

fn text(text: &str) -> Data {
    Data::Expandable(text.to_owned())
}

fn texts(all: &[&str]) -> Data {
    Data::Texts(all.iter().map(|&text| text.to_owned()).collect())
}

fn values(all: &[(&str, Data)]) -> Vec<Value> {
    all.iter().map(|(name, data)| Value { name: (*name).to_owned(), data: data.clone() }).collect()
}

/// Translates a service of NSSM that has these values besides its program.
fn of_nssm(more: &[(&str, Data)]) -> Translation {
    let mut parameters = values(&[("Application", text(r"%SystemRoot%\a b.exe"))]);
    parameters.extend(values(more));
    let found = nssm::Found { registered: registered(), parameters, ..nssm::Found::default() };
    nssm::translate(&found, &variables).unwrap()
}

#[test]
fn a_program_of_nssm_gets_its_words_folder_and_environment() {
    let translation = of_nssm(&[
        ("AppParameters", text(r#"--port 80 "two words""#)),
        ("AppEnvironmentExtra", texts(&["A=%SystemRoot%", "B=x=y", "broken"])),
    ]);
    let service = read(&translation);
    assert_eq!(service.command, [r"C:\Windows\a b.exe", "--port", "80", "two words"]);
    assert_eq!(translation.equivalent.directory.as_deref(), Some(r"C:\Windows"));
    let environment: Vec<_> = service.environment.into_iter().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(environment, [pair("A", r"C:\Windows"), pair("B", "x=y")]);
    assert_eq!(verdict(&translation, "AppEnvironmentExtra"), Verdict::Same);
    let directory = of_nssm(&[("AppDirectory", text(r"D:\x"))]).equivalent.directory;
    assert_eq!(directory.as_deref(), Some(r"D:\x"));
}

#[test]
fn what_nssm_does_at_an_exit_is_done_here_or_said() {
    let exits = [("", "Restart"), ("0", "Ignore"), ("3", "Exit"), ("-1", "Restart"), ("x", "Exit")];
    let exits = exits.map(|(code, action)| (code, Data::Text(action.to_owned())));
    let parameters = values(&[("Application", text("a.exe"))]);
    let found = nssm::Found {
        parameters,
        exits: values(&exits),
        hooks: vec![("Start/Pre".to_owned(), "check.cmd".to_owned())],
        ..nssm::Found::default()
    };
    let translation = nssm::translate(&found, &variables).unwrap();
    let restart = read(&translation).restart;
    assert_eq!(restart.when, RestartWhen::Always);
    let of = |code| restart.exits.get(&ExitKey::Code(code)).copied();
    assert_eq!(of(0), Some(ExitAction::Stop));
    assert_eq!(of(3), Some(ExitAction::Exit));
    assert_eq!(of(u32::MAX), Some(ExitAction::Restart));
    assert_eq!(restart.exits.len(), 3);
    assert_eq!(verdict(&translation, "AppExit 0"), Verdict::Same);
    assert_eq!(verdict(&translation, "AppExit 3"), Verdict::Same);
    assert_eq!(verdict(&translation, "AppExit x"), Verdict::Missing);
    assert_eq!(verdict(&translation, "AppEvents Start/Pre"), Verdict::Missing);
}

#[test]
fn what_nssm_does_at_every_other_exit_is_done_here() {
    let check = |word: &str, when, exits: &[(ExitKey, ExitAction)]| {
        let defaults = [("", Data::Text(word.to_owned()))];
        let parameters = values(&[("Application", text("a.exe"))]);
        let found = nssm::Found { parameters, exits: values(&defaults), ..nssm::Found::default() };
        let restart = read(&nssm::translate(&found, &variables).unwrap()).restart;
        assert_eq!(restart.when, when, "{word}");
        assert_eq!(restart.exits.into_iter().collect::<Vec<_>>(), exits, "{word}");
    };
    check("Restart", RestartWhen::Always, &[]);
    check("Ignore", RestartWhen::Never, &[(ExitKey::Failure, ExitAction::Stop)]);
    let ends = [(ExitKey::Code(0), ExitAction::Exit), (ExitKey::Failure, ExitAction::Exit)];
    check("Exit", RestartWhen::Always, &ends);
}

#[test]
fn every_value_of_nssm_is_translated_or_explained() {
    use Verdict::{Better, Missing, Same};
    let check = |name: &str, data: Data, expected: Verdict| {
        assert_eq!(verdict(&of_nssm(&[(name, data)]), name), expected, "{name}");
    };
    let number = Data::Number;
    check("AppEnvironment", texts(&["A=1"]), Missing);
    check("AppThrottle", number(3000), Better);
    check("AppRestartDelay", number(90_000), Same);
    check("AppStopMethodSkip", number(6), Missing);
    check("AppStopMethodConsole", number(10_000), Better);
    check("AppStopMethodWindow", number(1), Better);
    check("AppStopMethodThreads", number(1), Better);
    check("AppKillProcessTree", number(0), Same);
    check("AppKillProcessTree", number(1), Better);
    check("AppStdin", text("in.txt"), Missing);
    check("AppStdout", text("out.txt"), Better);
    check("AppStderr", text("err.txt"), Better);
    check("AppRotateFiles", number(1), Same);
    check("AppRotateOnline", number(1), Better);
    check("AppRotateDelay", number(5), Better);
    check("AppTimestampLog", number(1), Better);
    check("AppPriority", number(0x20), Same);
    check("AppPriority", number(0x80), Same);
    check("AppPriority", number(1), Missing);
    check("AppAffinity", Data::Text("0-2".to_owned()), Same);
    check("AppNoConsole", number(1), Better);
    check("AppRedirectHook", number(1), Missing);
    check("Whatever", number(7), Missing);
}

#[test]
fn times_logs_and_trees_of_nssm_are_configured() {
    let out = |path: &str| text(path);
    let service = read(&of_nssm(&[
        ("AppThrottle", Data::Number(5000)),
        ("AppRestartDelay", Data::Number(90_000)),
        ("AppStopMethodConsole", Data::Number(10_000)),
        ("AppKillProcessTree", Data::Number(0)),
        ("AppStdout", out("a")),
        ("AppStderr", out("b")),
        ("AppStdoutShareMode", Data::Number(3)),
        ("AppRotateFiles", Data::Number(1)),
        ("AppRotateBytes", Data::Number(1)),
        ("AppRotateBytesHigh", Data::Number(1)),
    ]));
    assert_eq!(service.restart.reset_after.as_secs(), 5);
    let [first, max] = [90, 90].map(std::time::Duration::from_secs);
    assert_eq!(service.restart.delays, Delays::Exponential { first, max });
    assert_eq!(service.stop.timeout.as_secs(), 13);
    assert_eq!(service.stop.scope, mainstay_api::keeper::Scope::Process);
    assert_eq!(service.logs.streams, Streams::Split);
    assert_eq!(service.logs.path.max_size, (1 << 32) + 1);
    let without = [("AppRotateFiles", Data::Number(1)), ("AppRotateBytes", Data::Number(7))];
    assert_eq!(read(&of_nssm(&without)).logs.max_size, 7);
}

#[test]
fn files_of_nssm_are_files_of_ones_own() {
    let files = |more: &[(&str, Data)]| {
        let logs = read(&of_nssm(more)).logs;
        (logs.streams, logs.path.files, logs.path.at_start)
    };
    let [stdout, stderr] = ["AppStdout", "AppStderr"];
    let same =
        [(stdout, text(r"C:\a")), (stderr, text(r"C:\a")), ("AppRotateFiles", Data::Number(1))];
    let path = LogFiles::Joined(r"C:\a".to_owned());
    assert_eq!(files(&same), (Streams::Joined, path, true));
    let relative = Some(r"C:\srv\a".to_owned());
    let path = LogFiles::Split { stdout: relative, stderr: None };
    let folder = ("AppDirectory", text(r"C:\srv"));
    assert_eq!(files(&[(stdout, text("a")), folder]), (Streams::Split, path, false));
}

#[test]
fn the_line_that_installs_anew_names_everything_that_it_can() {
    let translation = of_nssm(&[("AppParameters", text("-x \"a b\""))]);
    let line = translation.equivalent.install_line(&translation.registered);
    let expected = "mainstay service install web --display-name \"The web\" --description serves \
                    --start delayed --account LocalSystem --depends Tcpip --directory C:\\Windows -- \
                    \"C:\\Windows\\a b.exe\" -x \"a b\"";
    assert_eq!(line.as_deref(), Some(expected));
}

#[test]
fn a_key_without_a_program_is_refused() {
    let refused = nssm::translate(&nssm::Found::default(), &variables).unwrap_err();
    assert_eq!(refused.what, "its key has no `Application`");
}

fn of_shawl(line: &str) -> Result<Translation, Untranslatable> {
    shawl::translate(&Registered { command_line: line.to_owned(), ..registered() })
}

#[test]
fn a_command_line_of_shawl_is_taken_apart() {
    let translation = of_shawl(
        r#""C:\Tools x\shawl.exe" run --name web --cwd "C:\a b" --env A=1 --stop-timeout 9000 --restart-if-not=0,-1 --restart-delay 500 --priority high --pass 0,3 --log-retain 5 --log-rotate bytes=1000 --pass-start-args -- "C:\a b\srv.exe" --port "8 0""#,
    );
    let translation = translation.unwrap();
    let service = read(&translation);
    assert_eq!(service.command, [r"C:\a b\srv.exe", "--port", "8 0"]);
    assert_eq!(service.environment.get("A").map(String::as_str), Some("1"));
    assert_eq!(service.stop.timeout.as_secs(), 9);
    assert_eq!(service.restart.when, RestartWhen::Always);
    let stopped = |code| service.restart.exits.get(&ExitKey::Code(code)) == Some(&ExitAction::Stop);
    assert!(stopped(0) && stopped(u32::MAX));
    assert_eq!((service.logs.max_size, service.logs.keep), (1000, 5));
    assert_eq!(verdict(&translation, "--priority"), Verdict::Same);
    assert_eq!(verdict(&translation, "--pass-start-args"), Verdict::Missing);
}

#[test]
fn what_shawl_does_unasked_is_configured() {
    let service = read(&of_shawl("shawl.exe run -- srv").unwrap());
    assert_eq!(service.restart.when, RestartWhen::OnFailure);
    assert_eq!(service.stop.timeout.as_secs(), 3);
    assert_eq!((service.logs.max_size, service.logs.keep), (2 * 1024 * 1024, 2));
    let check = |option: &str, when: RestartWhen| {
        let line = format!("shawl.exe run {option} -- srv");
        assert_eq!(read(&of_shawl(&line).unwrap()).restart.when, when, "{option}");
    };
    check("--restart", RestartWhen::Always);
    check("--no-restart", RestartWhen::Never);
    check("--restart-if 3", RestartWhen::Never);
    let silent = read(&of_shawl("shawl.exe run --no-log-cmd srv").unwrap());
    assert_eq!(silent.logs.streams, Streams::Off);
    assert!(of_shawl("shawl.exe add --name x").unwrap_err().what.contains("is not shawl's"));
    assert!(of_shawl("shawl.exe run --").unwrap_err().what.contains("is not shawl's"));
}

fn of_winsw(inside: &str) -> Result<Translation, Untranslatable> {
    let text =
        format!("<service><id>web</id><executable>%BASE%\\a.exe</executable>{inside}</service>");
    winsw::translate(winsw::File { text: &text, folder: r"C:\srv" }, &variables)
}

#[test]
fn a_file_of_winsw_is_translated() {
    let translation = of_winsw(
        r#"<name>The web</name><description>serves &amp; more</description>
        <env name="HOME" value="%BASE%\home"/><arguments>-Xmx256m "%HOME%\a b" %SystemRoot%</arguments>
        <startmode>Automatic</startmode><delayedAutoStart/><depend>Tcpip</depend><depend>Dhcp</depend>
        <onfailure action="restart" delay="10 sec"/><onfailure action="restart" delay="1 min"/>
        <resetfailure>1 hour</resetfailure><stoptimeout>20sec</stoptimeout>
        <log mode="roll-by-size"><sizeThreshold>512</sizeThreshold><keepFiles>3</keepFiles></log>
        <serviceaccount><domain>D</domain><user>u</user><password>secret</password></serviceaccount>
        <prestart><executable>x</executable></prestart><priority>idle</priority>"#,
    );
    let translation = translation.unwrap();
    let service = read(&translation);
    let words = [r"C:\srv\a.exe", "-Xmx256m", r"C:\srv\home\a b", r"C:\Windows"];
    assert_eq!(service.command, words);
    assert_eq!(service.environment.get("BASE").map(String::as_str), Some(r"C:\srv"));
    let delays = [10, 60].map(std::time::Duration::from_secs).to_vec();
    assert_eq!(service.restart.delays, Delays::List(delays));
    assert_eq!(service.restart.when, RestartWhen::OnFailure);
    assert_eq!(service.restart.reset_after.as_secs(), 3600);
    assert_eq!(service.stop.timeout.as_secs(), 20);
    assert_eq!((service.logs.max_size, service.logs.keep), (512 * 1024, 3));
    let Registered { name, start, account, dependencies, description, .. } =
        &translation.registered;
    assert_eq!((name.as_str(), start.as_str(), account.as_str()), ("web", "delayed", r"D\u"));
    assert_eq!(dependencies, &["Tcpip", "Dhcp"]);
    assert_eq!(description, "serves & more");
    assert_eq!(verdict(&translation, "prestart"), Verdict::Missing);
    assert_eq!(verdict(&translation, "priority"), Verdict::Same);
    assert!(!format!("{translation:?}").contains("secret"));
}

#[test]
fn what_winsw_does_unasked_is_configured() {
    let service = read(&of_winsw("").unwrap());
    assert_eq!(service.restart.when, RestartWhen::Never);
    assert_eq!(service.stop.timeout.as_secs(), 15);
    assert_eq!(service.logs.streams, Streams::Split);
    let off = read(&of_winsw("<log mode=\"none\"/>").unwrap());
    assert_eq!(off.logs.streams, Streams::Off);
    let at_once = read(&of_winsw("<onfailure action=\"restart\"/>").unwrap());
    assert!(matches!(at_once.restart.delays, Delays::Exponential { .. }));
    let words = of_winsw("<argument>a b</argument><argument>c</argument>").unwrap();
    assert_eq!(read(&words).command, [r"C:\srv\a.exe", "a b", "c"]);
}

#[test]
fn a_file_that_is_not_winsws_is_refused_with_a_reason() {
    let check = |text: &str, expected: &str| {
        let refused = winsw::translate(winsw::File { text, folder: "" }, &variables).unwrap_err();
        assert!(refused.what.contains(expected), "{refused:?}");
    };
    check("id: web", "no XML");
    check("<project/>", "its root is `project`");
    check("<service/>", "it has no `<id>`");
    check("<service><id>a</id></service>", "it has no `<executable>`");
}

fn of_plain(line: &str) -> Result<Translation, Untranslatable> {
    plain::translate(&Registered { command_line: line.to_owned(), ..registered() })
}

#[test]
fn a_service_without_a_wrapper_is_explained() {
    let quoted = of_plain(r#""C:\a b\srv.exe" -k x"#).unwrap();
    assert_eq!(read(&quoted).command, [r"C:\a b\srv.exe", "-k", "x"]);
    assert_eq!(quoted.equivalent.directory.as_deref(), Some(r"C:\a b"));
    let open = of_plain(r"C:\a b\srv.EXE -k x").unwrap();
    assert_eq!(read(&open).command, [r"C:\a b\srv.EXE", "-k", "x"]);
    assert_eq!(verdict(&open, "quotes"), Verdict::Better);
    let check = |line: &str, hint: &str| {
        let refused = of_plain(line).unwrap_err();
        assert!(refused.hint.contains(hint), "{refused:?}");
    };
    check(r"C:\nssm\nssm-2.24.exe", "import nssm web");
    check(r"C:\x\shawl.exe run -- a", "import shawl web");
    check(r"C:\x\WinSW-x64.exe", "import winsw FILE");
    check(r"C:\Windows\system32\svchost.exe -k netsvcs", "part of Windows");
    check(r#""C:\Program Files\Mainstay\mainstay.exe" keeper --service "web""#, "ours already");
    check("", "a driver");
}

#[test]
fn unknown_variables_and_single_percent_signs_stay() {
    let check = |text: &str, expected: &str| assert_eq!(expanded(text, &variables), expected);
    check(r"%SystemRoot%\x", r"C:\Windows\x");
    check("100% of %nope% %SystemRoot%", r"100% of %nope% C:\Windows");
    check("%", "%");
}

#[test]
fn priority_and_processors_stay() {
    let affinity = Data::Text("0-1,3".to_owned());
    let translation = of_nssm(&[("AppPriority", Data::Number(0x4000)), ("AppAffinity", affinity)]);
    let configuration = translation.equivalent.configuration("web");
    assert!(configuration.contains("priority = \"below-normal\""), "{configuration}");
    assert!(configuration.contains("affinity = \"0-1,3\""), "{configuration}");
}

#[test]
fn values_of_variables_are_hidden_and_their_names_are_told() {
    let extra = Data::Texts(vec!["TOKEN=secret".to_owned()]);
    let translation = of_nssm(&[("AppEnvironmentExtra", extra)]);
    let bare = translation.equivalent.without_values();
    let told = bare.configuration("web") + &bare.install_line(&translation.registered).unwrap();
    assert!(told.contains("TOKEN") && !told.contains("secret"), "{told}");
}

#[test]
fn a_variable_of_the_account_is_told_and_stays() {
    let translation = of_nssm(&[("AppDirectory", Data::Expandable(r"%APPDATA%\web".to_owned()))]);
    let told = translation.with_what_is_left();
    assert_eq!(told.equivalent.directory.as_deref(), Some(r"%APPDATA%\web"));
    let row = told.remarks.iter().find(|remark| remark.setting == "variable").unwrap();
    assert_eq!((row.value.as_str(), row.verdict), ("%APPDATA%", Verdict::Missing));
}
