//! Completion in real shells: values of the board, read without a trace, and silence on every error.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use crate::support::Sandbox;
use crate::support::sandbox::KANBANCTL;

/// Each shell and a script that completes the words behind it.
const SHELLS: [(&str, &str); 3] = [
    (
        "bash",
        "source <(kanbanctl completions bash); COMP_WORDS=(kanbanctl \"$@\"); COMP_CWORD=$#; COMP_TYPE=9
         _clap_complete_kanbanctl kanbanctl \"${COMP_WORDS[COMP_CWORD]}\"; printf '%s\\n' \"${COMPREPLY[@]}\"",
    ),
    (
        "zsh",
        "autoload -U compinit; compinit -D -u; source <(kanbanctl completions zsh)
         _describe() { print -rl -- \"${(@P)3}\" }; words=(kanbanctl \"$@\"); CURRENT=$(( $# + 1 ))
         _clap_dynamic_completer_kanbanctl",
    ),
    ("fish", "kanbanctl completions fish | source; complete -C (string join -- ' ' kanbanctl $argv)"),
];

/// What a shell offers behind `words`; nothing where the shell is not installed.
fn offered(sandbox: &Sandbox, shell: &str, words: &[&str]) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap();
    if std::env::split_paths(&path).all(|folder| !folder.join(shell).exists()) {
        eprintln!("!!!! SKIPPED: {shell} is not installed");
        return None;
    }
    let programs = sandbox.path().join("bin");
    if !programs.exists() {
        std::fs::create_dir(&programs).unwrap();
        symlink(KANBANCTL, programs.join("kanbanctl")).unwrap();
    }
    let (_, script) = SHELLS.iter().find(|(name, _)| *name == shell).unwrap();
    let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path)));
    let mut command = sandbox.program(shell);
    match shell {
        "bash" => command.args(["--norc", "--noprofile", "-c", script, "bash"]),
        "zsh" => command.args(["-f", "-c", script, "zsh"]),
        _ => command.args(["--no-config", "-c", script, "--"]),
    };
    command.args(words).env("PATH", path.unwrap());
    let output = sandbox.finish(command, b"");
    assert_eq!(output.stderr, "", "{shell}: {output}");
    Some(output.stdout)
}

#[test]
fn values_of_the_board_are_offered_and_nothing_is_touched() {
    let sandbox = Sandbox::with_board();
    let id =
        sandbox.run(&["create", "Look into the storm", "--assignee", "coder"]).success().line().to_owned();
    sandbox.run(&["backup"]).success();
    let board = sandbox.root().join("kanban/boards").join("work").join("kanban.db");
    std::fs::create_dir_all(board.parent().unwrap()).unwrap();
    sandbox.run(&["--db", board.to_str().unwrap(), "init"]).success();
    let before = sandbox.photograph();
    for (shell, _) in SHELLS {
        let offers = |words: &[&str], value: &str| {
            if let Some(text) = offered(&sandbox, shell, words) {
                assert!(
                    text.lines().any(|line| line.starts_with(value)),
                    "{shell} {words:?}: {value}\n{text}"
                );
            }
        };
        offers(&["show", "t_"], &id);
        offers(&["complete", &id[..4]], &id);
        offers(&["list", "--assignee", "c"], "coder");
        offers(&["list", "--status", "rea"], "ready");
        offers(&["--board", "w"], "work");
        offers(&["health", "--explain", "wal-t"], "wal-torn");
        offers(&["help", "reco"], "recovery");
        if shell != "bash"
            && let Some(text) = offered(&sandbox, shell, &["show", "t_"])
        {
            assert!(text.contains("Look into the storm"), "{shell}: {text}");
        }
    }
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn a_board_that_cannot_be_read_offers_nothing_in_silence() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.board(), vec![7; 8192]).unwrap();
    for (shell, _) in SHELLS {
        let text = offered(&sandbox, shell, &["show", "t_"]).unwrap_or_default();
        assert_eq!(text.trim(), "", "{shell}");
    }
}

/// Ids, titles and names are untrusted, and a prompt is a terminal.
#[test]
fn a_title_cannot_write_to_the_terminal() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "x\u{1b}[2Jy\nz"]).success();
    let mut command = sandbox.program(KANBANCTL);
    command.args(["--", "kanbanctl", "show", "t_"]).env("KANBANCTL_COMPLETE", "fish");
    let text = sandbox.finish(command, b"").success().stdout;
    assert!(!text.contains('\u{1b}') && text.trim_end().lines().count() == 1, "{text:?}");
}

/// The time is meant for a release build; here it only must not grow with the board.
#[test]
fn fifty_thousand_tasks_take_no_longer() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "first"]).success();
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    connection
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
             INSERT INTO tasks (id, title, body, status, priority, created_at)
             SELECT printf('t_%08x', i * 2654435 % 4294967296), 'title ' || i, hex(zeroblob(200)), 'ready', 0, i FROM n",
        )
        .unwrap();
    connection.close().unwrap();
    for words in [&["show", "t_"][..], &["show", "t_0a"], &["complete", ""], &["list", "--assignee", ""]] {
        let begun = Instant::now();
        let mut command = sandbox.program(KANBANCTL);
        command.args([&["--", "kanbanctl"], words].concat()).env("KANBANCTL_COMPLETE", "fish");
        sandbox.finish(command, b"").success();
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(2), "{words:?} took {took:?}");
    }
}
