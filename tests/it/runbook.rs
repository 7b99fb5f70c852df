//! kanbanctl-recovery(7), the runbook: every block of commands is run as it stands, on a board that it is meant for.

use std::path::{Path, PathBuf};

use crate::support::Sandbox;
use crate::support::pty::Terminal;
use crate::support::sandbox::KANBANCTL;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/man7/kanbanctl-recovery.7");
    std::fs::read_to_string(path).unwrap().replace("\\-", "-")
}

/// The blocks of commands of a part of the page, in order.
fn blocks(part: &str) -> Vec<Vec<&str>> {
    part.split("\n.nf\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("\n.fi").map(|(block, _)| block.lines().collect()))
        .collect()
}

/// The part of the page that begins with a heading.
fn part<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let end = if heading.starts_with(".SS") { "\n.S" } else { "\n.SH" };
    rest.split(end).next().unwrap()
}

/// A board with tasks and a copy of it, `kanbanctl` on PATH, and a `hermes` that writes down what it was asked.
struct Machine {
    sandbox: Sandbox,
    programs: PathBuf,
}

impl Machine {
    fn new(injured: bool) -> Self {
        let sandbox = Sandbox::with_board();
        sandbox.run(&["create", "one"]).success();
        sandbox.run(&["backup"]).success();
        if injured {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/injured");
            for name in ["kanban.db", "kanban.db.corrupt.f96f8e7b74d1d06b.bak"] {
                std::fs::copy(source.join(name), sandbox.root().join(name)).unwrap();
            }
            for suffix in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(sandbox.root().join(format!("kanban.db{suffix}")));
            }
            let _ = std::fs::remove_dir_all(sandbox.root().join("kanban.db.backups"));
        }
        let programs = sandbox.path().join("bin");
        std::fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(KANBANCTL, programs.join("kanbanctl")).unwrap();
        let hermes = programs.join("hermes");
        std::fs::write(&hermes, "#!/bin/sh\necho \"$*\" >> \"$HOME/hermes.log\"\n").unwrap();
        std::fs::set_permissions(&hermes, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self { sandbox, programs }
    }

    /// Paste one line into a terminal, answer its question with the board's name, and check how it ends.
    #[track_caller]
    fn paste(&self, line: &str) {
        let mut command = self.sandbox.program("bash");
        let path = std::env::join_paths(
            std::iter::once(self.programs.clone())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        // Only root sees every process; a question about that is no matter of the runbook.
        let root = rustix::process::geteuid().is_root();
        let installs = ["kanbanctl recover", "kanbanctl repair"].contains(&line)
            || line.starts_with("kanbanctl restore");
        let line = if installs && !root { format!("{line} --assume-unused") } else { line.to_owned() };
        command
            .args(["-c", &line])
            .env("PATH", path.unwrap())
            .env_remove("COLUMNS")
            .env("TERM", "xterm-256color");
        let (text, code) =
            Terminal::spawn(&command, 100).finish_answering("(\"default\") to continue", "default");
        let verb = line.split_whitespace().find(|word| ["health", "recover", "repair"].contains(word));
        let lawful: &[i32] = match verb {
            Some("health") => &[0, 3, 4],
            Some("recover") => &[0, 5],
            Some("repair") => &[0, 4],
            _ => &[0],
        };
        assert!(lawful.contains(&code), "{line}\n{text}\n[exit status: {code}]");
    }
}

#[test]
fn sequence_pasted_block_by_block_recovers_the_board() {
    let page = page();
    let machine = Machine::new(true);
    for block in blocks(part(&page, ".SH \"THE SEQUENCE\"")) {
        for line in block {
            machine.paste(line);
        }
    }
    machine.sandbox.run(&["health", "--depth", "full"]).success();
    let stats = machine.sandbox.run(&["stats", "--json"]).success().data();
    let tasks: i64 =
        stats["by_status"].as_object().unwrap().values().filter_map(serde_json::Value::as_i64).sum();
    assert_eq!(tasks, 60, "{stats}");
    let asked = std::fs::read_to_string(machine.sandbox.path().join("home/hermes.log")).unwrap();
    assert_eq!(asked, "gateway stop\ndashboard --stop\ngateway start\n");
}

#[test]
fn every_block_of_a_finding_can_be_pasted() {
    /// What these say is typed on a board that can be read.
    const READABLE: &[&str] = &[
        "hot-journal",
        "wal-pending",
        "filesystem-wal",
        "disk-space",
        "backups",
        "holders",
        "index-drift",
        "references",
        "unknown-value",
        "stale-running",
        "file-goes-on",
        "not-writable",
        "other-copies",
        "no-backup",
        "old-sqlite",
        "storage-class",
        "not-utf8",
        "indexed-but-gone",
        "never-made",
        "done-by-hand",
    ];
    if !rustix::process::geteuid().is_root() {
        eprintln!("!!!! SKIPPED: needs root, who sees every process: others add --assume-unused");
        return;
    }
    let page = page();
    let mut pasted = 0;
    for id in kanbanctl::health::ids() {
        let blocks = blocks(part(&page, &format!(".SS {id}")));
        let machine = Machine::new(!READABLE.contains(&id));
        for line in blocks.iter().flatten() {
            let rescued = machine.sandbox.work().join("rescued.db");
            if line.contains("--output rescued.db") {
                let _ = std::fs::remove_file(rescued);
            }
            if !line.ends_with(" ID") {
                machine.paste(line);
                pasted += 1;
            }
        }
    }
    assert!(pasted > 40, "only {pasted}");
    let machine = Machine::new(false);
    for line in blocks(part(&page, ".SH \"AFTER MANY COPIES\"")).iter().flatten() {
        machine.paste(line);
    }
}

/// Every command of the runbook, on a line of its own or in bold in a sentence, is understood.
#[test]
fn the_runbook_has_only_commands_that_are_understood() {
    let page = page();
    let in_bold = page.split("\\fB").skip(1).filter_map(|rest| rest.split_once("\\fR")).map(|(bold, _)| bold);
    let lines: Vec<&str> =
        page.lines().chain(in_bold).filter(|line| line.starts_with("kanbanctl ")).collect();
    assert!(lines.len() > 60, "only {} commands found", lines.len());
    for line in lines {
        let parsed = kanbanctl::cli::command().try_get_matches_from(line.split_whitespace());
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
    }
}

/// Each section of a finding has the command that its explanation begins with, a word on what is lost, and sends nobody
/// back to where he came from.
#[test]
fn a_section_of_the_runbook_leads_on() {
    let page = page();
    for id in kanbanctl::health::ids() {
        let section = page.split(&format!("\n.SS {id}\n")).nth(1).unwrap();
        let section = section.split("\n.S").next().unwrap();
        let begins = kanbanctl::health::explain(id)
            .unwrap()
            .next
            .replace("NEW.db", "rescued.db")
            .replace("find / -xdev -samefile BOARD", "find ~/.hermes -xdev -samefile");
        let begins = begins.split(" / ").next().unwrap();
        let at = |command: &str| section.find(&format!("\n{command}"));
        assert!(at(begins).is_some(), "{id} does not have: {begins}");
        let lossy = ["lost", "loss", "vanish", "Nothing is wrong"];
        assert!(lossy.iter().any(|word| section.contains(word)), "{id} does not say what is lost");
        assert!(!section.contains("--explain"), "{id}");
        // A look at the board may only follow what changes it.
        assert!(at("kanbanctl health").is_none_or(|look| at(begins).unwrap() < look), "{id}");
    }
}

/// Every finding has its section in the runbook, and every section is of a finding.
#[test]
fn the_runbook_has_a_section_for_every_finding() {
    let page = page();
    let findings = page.lines().skip_while(|line| *line != ".SH \"FINDINGS\"").skip(1);
    let mut sections: Vec<String> = findings
        .take_while(|line| !line.starts_with(".SH"))
        .filter_map(|line| line.strip_prefix(".SS "))
        .map(str::to_owned)
        .collect();
    let mut ids: Vec<String> = kanbanctl::health::ids().map(str::to_owned).collect();
    sections.sort();
    ids.sort();
    assert_eq!(sections, ids);
}
