//! Every command that the README and the runbook tell people to type is real.

use std::path::{Path, PathBuf};

use crate::support::Sandbox;
use crate::support::sandbox::KANBANCTL;

/// What the README says about building; it is cargo's business, and `.ci/run` does it.
const BUILDING: [&str; 2] = ["cargo test", "cargo install --path . --locked"];

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
            let line = line.replace("cargo run --quiet --", "kanbanctl");
            assert!(!line.contains("cargo"), "not a command that this test knows: {line}");
            // Health of the scratch home may warn; a warning is no failure of the command.
            // Only root sees every process; the README says so where it matters.
            let unproven = !rustix::process::geteuid().is_root() && line.ends_with(" --yes");
            let line = if unproven { format!("{line} --assume-unused") } else { line };
            let tolerant = if line.contains(" health") { " || [ $? = 3 ]" } else { "" };
            script.push_str(&line);
            script.push_str(tolerant);
            script.push('\n');
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

/// The first word after `kanbanctl` in the runbook is a verb that the program has.
#[test]
fn the_runbook_names_only_real_verbs() {
    let sandbox = Sandbox::new();
    for page in ["man/man7/kanbanctl-recovery.7"] {
        for line in read(page).lines().filter(|line| line.starts_with("kanbanctl ")) {
            let line = line.replace("\\-", "-");
            let verb: Vec<&str> =
                line.split_whitespace().skip(1).filter(|word| !word.starts_with('-')).collect();
            let verb =
                verb.iter().find(|word| !word.contains('.')).unwrap_or_else(|| panic!("no verb: {line}"));
            sandbox.run(&[verb, "--help"]).success();
        }
    }
}

/// Every finding has its section in the runbook, and every section is of a finding.
#[test]
fn the_runbook_has_a_section_for_every_finding() {
    let page = read("man/man7/kanbanctl-recovery.7");
    let findings = page.lines().skip_while(|line| *line != ".SH \"FINDINGS\"").skip(1);
    let mut sections: Vec<String> = findings
        .take_while(|line| !line.starts_with(".SH"))
        .filter_map(|line| line.strip_prefix(".SS "))
        .map(|id| id.replace("\\-", "-"))
        .collect();
    let mut ids: Vec<String> = kanbanctl::health::ids().map(str::to_owned).collect();
    sections.sort();
    ids.sort();
    assert_eq!(sections, ids);
}
