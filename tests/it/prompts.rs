//! Questions on a terminal: what confirms, what does not, and how the terminal is left.

use std::process::Command;

use kanbanctl::process::signals::Signals;
use kanbanctl::ui::{Surroundings, Ui, UiRequest, settings};

use crate::support::Sandbox;
use crate::support::pty::Terminal;

/// The other side of the tests below: this test binary again, as a program that asks. Without the variable it is no test.
#[test]
fn asks_when_told_to() {
    let Some(name) = std::env::var_os("ASK_FOR") else { return };
    let around = Surroundings { stdin_terminal: true, stderr_terminal: true, ..Surroundings::default() };
    let mut ui = Ui::new(settings(UiRequest::default(), &around));
    let signals = Signals::install().unwrap();
    ui.attend(signals.clone());
    if std::env::var_os("INTERRUPT_FIRST").is_some() {
        signal_hook::low_level::raise(signal_hook::consts::SIGINT).unwrap();
    }
    let outcome = match name.to_str() {
        Some("") => ui.confirm("Replace\u{1b}[2J it?"),
        name => ui.confirm_name("The live board is replaced.", name.unwrap_or_default()),
    };
    let said = outcome.map_or_else(|failure| failure.exit().code(), |()| 0);
    eprintln!("ended with {said}, signal {:?}.", signals.received());
}

fn asking(sandbox: &Sandbox, name: &str) -> Command {
    let mut command = sandbox.program(std::env::current_exe().unwrap());
    command.args(["--exact", "prompts::asks_when_told_to", "--nocapture", "--test-threads=1"]);
    command.env("ASK_FOR", name).env("TERM", "xterm-256color");
    command
}

fn asked(name: &str) -> (Sandbox, Terminal) {
    let sandbox = Sandbox::new();
    let terminal = Terminal::spawn(&asking(&sandbox, name), 100);
    (sandbox, terminal)
}

#[test]
fn a_live_board_is_replaced_only_for_its_name() {
    for (typed, said) in [("main\r", "ended with 0"), ("mian\r", "ended with 12"), ("\r", "ended with 12")] {
        let (_sandbox, mut terminal) = asked("main");
        terminal.expect("(\"main\") to continue");
        terminal.type_text(typed);
        terminal.expect(said);
    }
}

#[test]
fn a_question_is_answered_by_one_key_and_shown_escaped() {
    for (typed, said) in [("y", "ended with 0"), ("n", "ended with 12"), ("\r", "ended with 12")] {
        let (_sandbox, mut terminal) = asked("");
        terminal.expect("Replace\\x1b[2J it?");
        terminal.type_text(typed);
        terminal.expect(said);
    }
}

#[test]
fn an_interrupted_question_gives_the_cursor_back() {
    for name in ["main", ""] {
        let (_sandbox, mut terminal) = asked(name);
        terminal.expect(if name.is_empty() { "it?" } else { "to continue" });
        // The question is shown a moment before the terminal is told to pass the key on.
        std::thread::sleep(std::time::Duration::from_millis(500));
        terminal.type_text("\u{3}");
        let seen = terminal.expect("ended with 130, signal Some(2).");
        let (shown, hidden) = (seen.rfind("\u{1b}[?25h"), seen.rfind("\u{1b}[?25l"));
        assert!(shown.is_some() && shown > hidden, "{seen:?}");
    }
}

#[test]
fn an_interruption_before_the_question_is_heard_at_once() {
    let sandbox = Sandbox::new();
    let mut command = asking(&sandbox, "main");
    command.env("INTERRUPT_FIRST", "1");
    let mut terminal = Terminal::spawn(&command, 100);
    let seen = terminal.expect("ended with 130, signal Some(2).");
    assert!(!seen.contains("to continue"), "{seen:?}");
}

/// Until the terminal passes keys on one by one, Ctrl-C is a signal: sent from outside it looks the same.
#[test]
fn a_question_does_not_wait_for_a_key_after_an_interruption() {
    let (sandbox, mut terminal) = asked("main");
    terminal.expect("to continue");
    let pid = terminal.pid();
    assert!(sandbox.program("kill").args(["-INT", &pid]).status().unwrap().success());
    let (seen, code) = terminal.finish();
    assert_eq!(code, 128 + 2, "{seen:?}");
}

#[test]
fn a_question_does_not_outlive_a_termination() {
    let (sandbox, mut terminal) = asked("main");
    terminal.expect("to continue");
    let pid = terminal.pid();
    assert!(sandbox.program("kill").args(["-TERM", &pid]).status().unwrap().success());
    let (seen, code) = terminal.finish();
    assert_eq!(code, 128 + 15, "{seen:?}");
}
