//! `--dry-run` on every verb that writes: the same kind of JSON, marked as a rehearsal, and not a byte changed.

use std::collections::BTreeMap;
use std::path::Path;

use clap::CommandFactory;
use kanbanctl::cli::Cli;

use crate::support::damage::{self, Shape};
use crate::support::sandbox::Sandbox;

/// What the board is before the verb.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scene {
    /// None, in an empty root.
    Nothing,
    /// A sound one with frames in its log and a copy beside it that is not equal.
    Sound,
    /// One that lost pages.
    Bereft,
    /// One with an index that misses rows.
    Drifted,
    /// One that was recovered.
    Recovered,
    /// A board by name, an archived one and an export.
    Named,
}

/// Scene, verb, the kind of its JSON. `ID` is a task that can be completed, `COPY` a copy of the board.
const VERBS: [(Scene, &[&str], &str); 29] = [
    (Scene::Nothing, &["init"], "init"),
    (Scene::Sound, &["init"], "init"),
    (Scene::Sound, &["create", "x"], "task"),
    (Scene::Sound, &["create", "--from", "-"], "task.list"),
    (Scene::Sound, &["complete", "ID"], "task.completed.list"),
    (Scene::Sound, &["checkpoint"], "checkpoint"),
    (Scene::Sound, &["checkpoint", "--mode", "truncate", "--assume-unused"], "checkpoint"),
    (Scene::Sound, &["checkpoint", "--all-boards"], "checkpoint.list"),
    (Scene::Sound, &["journal-mode", "delete", "--assume-unused"], "journal-mode"),
    (Scene::Sound, &["journal-mode", "wal", "--assume-unused"], "journal-mode"),
    (Scene::Sound, &["backup"], "backup"),
    (Scene::Sound, &["backup", "new/folder", "--create-dirs", "--keep", "1"], "backup"),
    (Scene::Sound, &["backup", "--all-boards"], "backup.list"),
    (Scene::Sound, &["backups", "prune"], "backups.prune"),
    (Scene::Sound, &["restore", "COPY", "--assume-unused"], "restore"),
    (Scene::Sound, &["repair", "--assume-unused"], "repair"),
    (Scene::Drifted, &["repair", "--assume-unused"], "repair"),
    (Scene::Sound, &["recover", "--assume-unused"], "recover"),
    (Scene::Bereft, &["recover", "--output", "NEW.db"], "recover"),
    (Scene::Recovered, &["recover", "--undo", "--assume-unused"], "recover.undo"),
    (Scene::Sound, &["stress"], "stress"),
    (Scene::Nothing, &["man", "pages"], "man"),
    (Scene::Named, &["boards", "create", "new", "--switch"], "boards.create"),
    (Scene::Named, &["boards", "switch", "work"], "boards.switch"),
    (Scene::Named, &["boards", "rename", "work", "Other"], "boards.rename"),
    (Scene::Named, &["boards", "set-default-workdir", "work", "/srv"], "boards.set-default-workdir"),
    (Scene::Named, &["boards", "archive", "work", "--assume-unused"], "boards.archive"),
    (Scene::Named, &["boards", "unarchive", "old-1780000000", "--assume-unused"], "boards.unarchive"),
    (Scene::Named, &["boards", "import", "work.jsonl", "--as", "copy"], "boards.import"),
];

fn set(scene: Scene) -> Sandbox {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    let shape = match scene {
        Scene::Nothing => return sandbox,
        Scene::Named => {
            sandbox.run(&["boards", "create", "work"]).success();
            sandbox.run(&["boards", "create", "old"]).success();
            sandbox.run(&["boards", "archive", "old", "--yes", "--assume-unused"]).success();
            sandbox.run(&["boards", "export", "work", "work.jsonl"]).success();
            return sandbox;
        }
        Scene::Sound => Shape::WalPending,
        Scene::Bereft | Scene::Recovered => Shape::ZeroPages,
        Scene::Drifted => Shape::IndexDrift,
    };
    damage::board(&good, 60, 5);
    damage::injure(shape, 5, &good, &sandbox.board());
    damage::quarantine(&std::fs::read(sandbox.board()).unwrap(), &sandbox.board());
    if scene == Scene::Recovered {
        sandbox.run(&["recover", "--yes", "--assume-unused"]);
    }
    sandbox
}

/// What every file below `folder` holds. SQLite's index of a log may be written by whoever reads, and an empty log says
/// no more than none.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            let bytes = if path.is_dir() { b"folder".to_vec() } else { std::fs::read(&path).unwrap() };
            if path.is_dir() {
                folders.push(path);
            }
            let says_nothing = name.ends_with("-shm") || name.ends_with("-wal") && bytes.is_empty();
            if !says_nothing {
                found.insert(name, bytes);
            }
        }
    }
    found
}

fn words(sandbox: &Sandbox, verb: &[&str]) -> Vec<String> {
    let copy = sandbox.work().join("good.db").display().to_string();
    let ready = || {
        let listed = sandbox.run(&["list", "--status", "ready", "--format", "plain"]).success().stdout;
        let leaf = |id: &str| sandbox.run(&["complete", id, "-n"]).code() == 0;
        let mut ids = listed.lines().map(|line| line.split('\t').next().unwrap().to_owned());
        ids.find(|id| leaf(id)).unwrap()
    };
    let word = |word: &&str| match *word {
        "ID" => ready(),
        "COPY" => copy.clone(),
        other => other.to_owned(),
    };
    verb.iter().map(word).collect()
}

#[test]
fn every_rehearsal_says_so_in_the_kind_of_the_real_thing_and_changes_nothing() {
    for (scene, verb, kind) in VERBS {
        let sandbox = set(scene);
        let verb = words(&sandbox, verb);
        let before = contents(sandbox.path());
        for format in [&["--json"][..], &[]] {
            let args: Vec<&str> =
                verb.iter().map(String::as_str).chain(["-n"]).chain(format.iter().copied()).collect();
            let output = sandbox.run_with(&args, "{\"title\":\"one\"}\n{\"title\":\"two\"}\n");
            assert!(matches!(output.code(), 0 | 5), "{args:?}\n{output}");
            assert_eq!(contents(sandbox.path()), before, "{args:?}\n{output}");
            if format.is_empty() {
                let said = !output.stdout.is_empty() || !output.stderr.is_empty();
                assert!(said, "{args:?} is silent");
                continue;
            }
            assert_eq!(output.json()["kind"], kind, "{args:?}\n{output}");
            let data = output.data();
            let all = data.as_array().map_or_else(|| vec![data.clone()], Clone::clone);
            assert!(!all.is_empty(), "{args:?}\n{output}");
            for one in all {
                assert_eq!(one["dry_run"], true, "{args:?}\n{output}");
            }
        }
    }
}

/// The kinds above are those of the real thing.
#[test]
fn the_real_thing_has_the_kind_of_its_rehearsal() {
    for (scene, verb, kind) in VERBS {
        let sandbox = set(scene);
        let verb = words(&sandbox, verb);
        let short = ["--seconds", "1", "--processes", "1"];
        let more = if kind == "stress" { &short[..] } else { &[] };
        let args: Vec<&str> =
            verb.iter().map(String::as_str).chain(["--yes", "--json"]).chain(more.iter().copied()).collect();
        let output = sandbox.run_with(&args, "{\"title\":\"one\"}\n{\"title\":\"two\"}\n");
        assert!(matches!(output.code(), 0 | 3 | 5), "{args:?}\n{output}");
        assert_eq!(output.json()["kind"], kind, "{args:?}\n{output}");
        let data = output.data();
        let one = if data.is_array() { &data[0] } else { &data };
        assert_ne!(one["dry_run"], true, "{args:?}\n{output}");
    }
}

#[test]
fn no_verb_that_writes_is_left_out() {
    /// Verbs that only look; `backups` has one that writes between them, which is above.
    const LOOKING: &[&str] = &[
        "list",
        "show",
        "stats",
        "health",
        "completions",
        "version",
        "help",
        "backups",
        "assignees",
        "attachments",
        "context",
        "diagnostics",
        "events",
        "log",
        "ready",
        "runs",
        "search",
        "tree",
        "watch",
        "board",
        "export",
        "notify-list",
        "report",
    ];
    let lifecycle = crate::lifecycle::VERBS.iter().map(|(_, verb, _)| verb[0]);
    let editing = crate::editing::VERBS.iter().map(|(verb, _)| verb[0]);
    let known: Vec<&str> = VERBS.iter().map(|(_, verb, _)| verb[0]).chain(lifecycle).chain(editing).collect();
    for verb in Cli::command().get_subcommands() {
        let name = verb.get_name();
        assert!(known.contains(&name) || LOOKING.contains(&name), "{name} has no rehearsal in the table");
    }
}

#[test]
fn what_would_be_is_told_as_that() {
    let sandbox = set(Scene::Sound);
    let said = |args: &[&str]| sandbox.run(&[args, &["-n", "--json"]].concat());
    let task = said(&["create", "x", "--priority", "3"]).says("would be created").data();
    assert_eq!((&task["id"], &task["title"], &task["priority"]), (&().into(), &"x".into(), &3.into()));
    let mode = said(&["journal-mode", "delete", "--assume-unused"]).says("would be changed").data();
    assert_eq!((&mode["before"], &mode["after"]), (&"wal".into(), &"delete".into()));
    let frames = said(&["checkpoint"]).says("would be copied").data();
    assert_eq!(
        (&frames["frames_left"], &frames["wal_bytes_after"]),
        (&frames["frames_in_wal"], &frames["wal_bytes_before"])
    );
    let copy = said(&["backup"]).says("would be copied to").data();
    assert!(!Path::new(copy["path"].as_str().unwrap()).exists());
    assert!(sandbox.run(&["create", "x", "-n"]).success().stdout.is_empty(), "an id of nothing");
    // Who cannot do it is told so beforehand.
    sandbox.run(&["stress", "-n", "--dir", "nowhere"]).exits(12);
    sandbox.run(&["stress", "-n", "--dir", "good.db"]).exits(12);
}
