//! Every command of the README is run, each block as it stands, and prints what the README says.

use std::path::{Path, PathBuf};

use crate::support::Sandbox;
use crate::support::sandbox::KANBANCTL;

/// What the README says about building; it is cargo's business, and `.ci/run` does it.
const BUILDING: [&str; 2] = ["cargo test", "cargo install --path . --locked"];

/// Puts the injured board and its copy in the place of the README's.
const HURT: &str = "rm -f \"$HERMES_KANBAN_HOME\"/kanban.db-* && cp tests/fixtures/injured/kanban.db* \"$HERMES_KANBAN_HOME\"\n";

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The fenced shell blocks of a Markdown text, in order.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut current: Option<String> = None;
    for line in text.lines() {
        match (&mut current, line) {
            (None, "```sh") => current = Some(String::new()),
            (Some(block), "```") => {
                blocks.push(std::mem::take(block));
                current = None;
            }
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

/// A directory that looks like a clone, and a `kanbanctl` on PATH.
fn clone(sandbox: &Sandbox) -> PathBuf {
    let injured = sandbox.work().join("tests/fixtures/injured");
    std::fs::create_dir_all(&injured).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/injured");
    for entry in std::fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), injured.join(entry.file_name())).unwrap();
    }
    let programs = sandbox.path().join("bin");
    std::fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(KANBANCTL, programs.join("kanbanctl")).unwrap();
    programs
}

#[test]
fn every_command_of_the_readme_works() {
    let sandbox = Sandbox::new();
    let programs = clone(&sandbox);
    let mut script = String::from("set -euo pipefail\n");
    for block in blocks(&read("README.md")) {
        for line in block.lines().filter(|line| !BUILDING.contains(line)) {
            let line = line.replace("cargo run --", "kanbanctl");
            assert!(!line.contains("cargo"), "not a command that this test knows: {line}");
            // Health of the scratch home may warn; a warning is no failure of the command.
            // Only root sees every process; the README says so where it matters.
            let unproven = !rustix::process::geteuid().is_root() && line.ends_with(" --yes");
            let line = if unproven { format!("{line} --assume-unused") } else { line };
            // A sound board is left alone, and then there is nothing to be undone.
            if line.starts_with("kanbanctl recover --yes") {
                script.push_str(HURT);
            }
            let tolerant = if line.contains(" health") { " || [ $? = 3 ]" } else { "" };
            script.push_str(&line);
            script.push_str(tolerant);
            script.push('\n');
            if line.starts_with("kanbanctl recover --undo") {
                script.push_str(&line.replace("--undo ", ""));
                script.push('\n');
            }
        }
    }
    let mut command = sandbox.program("bash");
    let path = std::env::join_paths(
        std::iter::once(programs).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    command.args(["-c", &script]).env("PATH", path.unwrap());
    let output = sandbox.finish(command, b"");
    assert_eq!(output.code(), 0, "{script}\n{output}");
}

/// The blocks that show what is printed: the command line, and the lines behind it. `...` stands for what is left out.
fn shown(text: &str) -> Vec<(String, Vec<String>)> {
    let blocks = text.split("```text\n$ ").skip(1).filter_map(|rest| rest.split_once("\n```"));
    let lines =
        |block: &str| block.lines().skip(1).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    blocks.map(|(block, _)| (block.lines().next().unwrap().to_owned(), lines(block))).collect()
}

#[test]
fn what_the_readme_shows_is_what_is_printed() {
    let sandbox = Sandbox::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/injured");
    for name in ["kanban.db", "kanban.db.corrupt.f96f8e7b74d1d06b.bak"] {
        std::fs::copy(source.join(name), sandbox.root().join(name)).unwrap();
    }
    let shown = shown(&read("README.md"));
    assert!(shown.len() >= 2);
    for (line, expected) in shown {
        let mut command =
            sandbox.command(&line.split(' ').skip(1).chain(["--format", "table"]).collect::<Vec<_>>());
        command.env("COLUMNS", "200");
        let output = sandbox.finish(command, b"");
        let text = format!("{}{}", output.stdout, output.stderr);
        let text = text.replace(sandbox.root().to_str().unwrap(), "/home/you/.hermes");
        for wanted in expected {
            let begins = wanted.trim_end_matches("...").trim_end();
            assert!(
                text.lines().any(|line| line.starts_with(begins)),
                "{line} does not print: {wanted}\n{text}"
            );
        }
    }
}

#[test]
fn the_injured_board_comes_back_whole() {
    let sandbox = Sandbox::new();
    clone(&sandbox);
    let injured = sandbox.work().join("tests/fixtures/injured");
    let before: Vec<_> =
        std::fs::read_dir(&injured).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let live = std::fs::read(injured.join("kanban.db")).unwrap();
    sandbox.run(&["recover", "--db", "tests/fixtures/injured/kanban.db", "--output", "rescued.db"]).success();

    let rescued = rusqlite::Connection::open(sandbox.work().join("rescued.db")).unwrap();
    let truth = read("tests/fixtures/injured/truth.txt");
    let (counts, tasks) = truth.split_once("\n\n").unwrap();
    for line in counts.lines() {
        let (table, count) = line.split_once('\t').unwrap();
        let found: i64 =
            rescued.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(found.to_string(), count, "{table}");
    }
    let mut statement = rescued.prepare("SELECT id, status, title FROM tasks ORDER BY id").unwrap();
    let found: Vec<String> = statement
        .query_map([], |row| {
            let cells: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok(cells.join("\t"))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(found, tasks.lines().collect::<Vec<_>>());

    let after: Vec<_> =
        std::fs::read_dir(&injured).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(after, before);
    assert_eq!(std::fs::read(injured.join("kanban.db")).unwrap(), live);
}

/// Every switch that the README names is read somewhere, and the other way round.
#[test]
fn the_switches_are_the_ones_there_are() {
    let readme = read("README.md");
    let ci = read(".ci/run");
    for switch in ["HERMES", "TRACES", "MOUNTS", "SLOW"] {
        let switch = format!("KANBANCTL_TEST_{switch}");
        assert!(readme.contains(&switch) && ci.contains(&switch), "{switch}");
    }
    for line in BUILDING {
        assert!(readme.contains(line), "{line}");
    }
    assert!(ci.contains("step \"tests\" cargo test"), "the README's test command is what CI runs");
}
