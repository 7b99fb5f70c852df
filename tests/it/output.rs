//! What leaves the program: untrusted text, width, colour, closed pipes, files. Through the real binary, on a terminal
//! where that matters.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::support::Sandbox;
use crate::support::pty::Terminal;

/// Clears the screen, sets the clipboard, reverses the rest, hides a letter, and forges a second record.
const HOSTILE: &str = "pay\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}\u{202e}fdp\u{200b}\u{9b}1m\nt_00000000\tdone";

fn hostile() -> (Sandbox, String) {
    let sandbox = Sandbox::with_board();
    let id = sandbox.run(&["create", HOSTILE, "--body", HOSTILE]).success().line().to_owned();
    (sandbox, id)
}

/// What a terminal got, without the carriage returns that it adds itself.
fn on_terminal(sandbox: &Sandbox, args: &[&str], columns: u16) -> String {
    let (text, code) = Terminal::start(sandbox, args, columns).finish();
    assert_eq!(code, 0, "{text}");
    text.replace("\r\n", "\n")
}

#[track_caller]
fn harmless(text: &str) {
    let acts = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
    };
    assert!(!text.chars().any(acts), "{text:?}");
}

#[test]
fn a_terminal_is_shown_hostile_text_escaped() {
    let (sandbox, id) = hostile();
    for verb in [
        vec!["list"],
        vec!["show", &id],
        vec!["list", "--format", "plain"],
        vec!["show", &id, "--format", "plain"],
    ] {
        let mut args = vec!["--color", "never"];
        args.extend(&verb);
        let text = on_terminal(&sandbox, &args, 200);
        harmless(&text.replace('\t', " "));
        assert!(text.contains("\\x1b[2J") && text.contains("\\u{202e}"), "{verb:?}: {text}");
        assert!(!text.lines().any(|line| line.starts_with("t_00000000")), "{verb:?}: {text}");
    }
}

#[test]
fn json_on_a_terminal_is_harmless_and_unaltered() {
    let (sandbox, id) = hostile();
    let text = on_terminal(&sandbox, &["show", &id, "--json"], 200);
    let shown: Value = serde_json::from_str(text.trim_end()).unwrap();
    harmless(&text);
    assert_eq!(shown.pointer("/data/title").or(shown.pointer("/data/task/title")).unwrap(), HOSTILE);
}

#[test]
fn off_a_terminal_nothing_is_altered_but_record_breakers() {
    let (sandbox, id) = hostile();
    let plain = sandbox.run(&["list"]).success();
    assert_eq!(plain.stdout.lines().count(), 1, "{plain}");
    assert!(plain.stdout.starts_with(&id), "{plain}");
    let expected = HOSTILE.replace('\n', "\\n").replace('\t', "\\t");
    assert!(plain.stdout.contains(&expected), "{:?}", plain.stdout);
    let table = sandbox.run(&["list", "--format", "table"]).success();
    assert_eq!(table.stdout.lines().count(), 2, "{table}");
    let json = sandbox.run(&["list", "--json"]).success();
    assert_eq!(json.data()[0]["title"], HOSTILE);
    let lines = sandbox.run(&["list", "--format", "jsonl"]).success();
    assert_eq!(lines.stdout.lines().count(), 1, "{lines}");
    assert_eq!(lines.json()["kind"], "task");
}

#[test]
fn an_error_about_hostile_text_is_escaped_too() {
    let sandbox = Sandbox::with_board();
    let (text, code) =
        Terminal::start(&sandbox, &["--color", "never", "show", "t_\u{1b}[2J\u{202e}x"], 200).finish();
    assert_ne!(code, 0);
    harmless(&text.replace("\r\n", "\n"));
    assert!(text.contains("\\x1b[2J"), "{text}");
}

#[test]
fn sixty_columns_are_enough() {
    let sandbox = Sandbox::with_board();
    let title = "A title of many words that no narrow terminal can show on a single line of it";
    let id =
        sandbox.run(&["create", title, "--assignee", "a-worker-with-a-name"]).success().line().to_owned();
    let text = on_terminal(&sandbox, &["--color", "never", "list"], 60);
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    assert!(text.contains(&id) && text.contains("ready") && text.contains('…'), "{text}");
    let ascii = on_terminal(&sandbox, &["--color", "never", "--ascii", "list"], 60);
    assert!(ascii.is_ascii() && ascii.contains("..."), "{ascii}");
}

#[test]
fn colour_is_decided_once() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "x"]).success();
    let colored = |args: &[&str], variable: Option<(&str, &str)>| {
        let mut command = sandbox.command(args);
        command.env("TERM", "xterm-256color").envs(variable);
        Terminal::spawn(&command, 100).finish().0.contains('\u{1b}')
    };
    assert!(colored(&["list"], None));
    assert!(!colored(&["list"], Some(("NO_COLOR", "1"))));
    assert!(colored(&["list", "--color", "always"], Some(("NO_COLOR", "1"))));
    assert!(!colored(&["list"], Some(("CLICOLOR", "0"))));
    assert!(!colored(&["list"], Some(("TERM", "dumb"))));
    let forced = sandbox.run(&["list", "--format", "table", "--color", "always"]).success();
    assert!(forced.stdout.contains('\u{1b}'));
    let piped = sandbox.run(&["list", "--format", "table"]).success();
    assert!(!piped.stdout.contains('\u{1b}'));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let sandbox = Sandbox::with_board();
    let task = format!("{{\"title\":\"{}\"}}\n", "long ".repeat(60));
    sandbox.run_with(&["create", "--from", "-"], task.repeat(2000)).success();
    for format in ["plain", "table", "json", "jsonl"] {
        let mut command = sandbox.command(&["list", "--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{format}: {:?}", output.status);
        assert!(output.stderr.is_empty(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_failure_in_json_ends_with_the_error_line() {
    let sandbox = Sandbox::with_board();
    let output = sandbox.run(&["show", "t_ffffffff", "--json"]).exits(13);
    assert!(output.stdout.is_empty(), "{output}");
    let error = output.error();
    assert_eq!(
        (&error["kind"], &error["code"], &error["name"]),
        (&"error".into(), &13.into(), &"not-found".into())
    );
}

#[test]
fn an_output_file_appears_whole_and_never_over_a_board() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "x"]).success();
    let printed = sandbox.run(&["list", "--json"]).success().stdout;
    let to_file = sandbox.run(&["list", "--json", "-o", "tasks.json"]).success();
    assert!(to_file.stdout.is_empty(), "{to_file}");
    assert_eq!(std::fs::read_to_string(sandbox.work().join("tasks.json")).unwrap(), printed);
    sandbox.run(&["show", "t_ffffffff", "-o", "tasks.json"]).exits(13);
    assert_eq!(std::fs::read_to_string(sandbox.work().join("tasks.json")).unwrap(), printed);
    assert_eq!(std::fs::read_dir(sandbox.work()).unwrap().count(), 1);

    let board = sandbox.board().display().to_string();
    let before = std::fs::read(sandbox.board()).unwrap();
    sandbox.run(&["list", "-o", &board]).exits(12).says("belongs to a board");
    assert_eq!(std::fs::read(sandbox.board()).unwrap(), before);
}

#[test]
fn output_never_replaces_a_file_of_a_board_and_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "x"]).success();
    let before = sandbox.run(&["list"]).success().stdout;
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", sandbox.board().display());
        sandbox.run(&["stats", "-o", &path]).exits(12);
    }
    let evidence = format!("{}.corrupt.0123456789abcdef.bak", sandbox.board().display());
    std::fs::write(&evidence, b"torn").unwrap();
    sandbox.run(&["stats", "-o", &evidence]).exits(12);
    assert_eq!(std::fs::read(&evidence).unwrap(), b"torn");
    sandbox.run(&["create", "twice", "-o", "no/such/folder/out"]).exits(12);
    assert_eq!(sandbox.run(&["list"]).success().stdout, before);
}

/// Who is told to run it again after the commit has the task twice.
#[test]
fn what_is_committed_is_told_where_stdout_is_full() {
    let sandbox = Sandbox::with_board();
    let run = |args: &[&str]| {
        let mut command = sandbox.command(args);
        command.stdin(std::process::Stdio::null());
        command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = run(&["create", "x"]);
    let listed = sandbox.run(&["list"]).success();
    let id = listed.line().split('\t').next().unwrap().to_owned();
    assert!(code == Some(1) && told.contains(&format!("{id} is on the board")), "{told}");
    assert!(!told.contains("run it again"), "{told}");
    let (code, told) = run(&["complete", &id, "--json"]);
    assert!(code == Some(1) && told.contains("1 task is completed"), "{told}");
}
