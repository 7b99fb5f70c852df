//! What the program says to do next: it parses, it acts on the board that was meant, and every error names that board.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::damage::{self, Shape};
use crate::support::pty::Terminal;
use crate::support::sandbox::{Output, Sandbox};

/// A board outside the root, in a folder whose name a shell would take apart, and a healthy one where Hermes looks first.
fn elsewhere(shape: Shape) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::with_board();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 2);
    let folder = sandbox.work().join("it's; my $boards");
    std::fs::create_dir(&folder).unwrap();
    let board = folder.join("kanban.db");
    damage::injure(shape, 1, &good, &board);
    (sandbox, board)
}

/// Pastes a command line into a shell, in the sandbox.
fn paste(sandbox: &Sandbox, line: &str) -> Output {
    let programs = sandbox.path().join("bin");
    if !programs.exists() {
        std::fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(crate::support::sandbox::KANBANCTL, programs.join("kanbanctl")).unwrap();
    }
    let path = std::env::join_paths(
        std::iter::once(programs).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut command = sandbox.program("bash");
    command.args(["-c", line]).env("PATH", path.unwrap());
    sandbox.finish(command, b"")
}

/// The command lines between backticks.
fn lines_in(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|line| line.starts_with("kanbanctl"))
        .map(str::to_owned)
        .collect()
}

/// Fails unless the pasted line is understood and looks at `board`.
#[track_caller]
fn leads_to(sandbox: &Sandbox, line: &str, board: &Path) {
    let output = paste(sandbox, &format!("{line} -v --no-input"));
    assert_ne!(output.code(), 2, "{line}\n{output}");
    assert!(output.stderr.contains(&format!("Board: {} (", board.display())), "{line}\n{output}");
}

#[test]
fn what_health_says_next_acts_on_the_board_that_was_meant() {
    for shape in [Shape::TlsHeader, Shape::IndexDrift, Shape::WalHeaderGone] {
        let (sandbox, board) = elsewhere(shape);
        let db = board.to_str().unwrap();
        let data = sandbox.run(&["--db", db, "health", "--json"]).exits(4).data();
        let text = sandbox.run(&["--db", db, "health", "--format", "table"]).exits(4);
        let overview = sandbox.run(&["--db", db, "--json"]).data();
        let next = data["findings"].as_array().unwrap().iter().map(|finding| &finding["next"]);
        let shown: BTreeSet<&str> = next.filter_map(|next| next.as_str()).collect();
        for next in shown.iter().filter(|next| !next.is_empty()) {
            assert!(text.stdout.contains(&format!("  next: {next}\n")), "{text}");
        }
        let suggested = overview["suggestions"].as_array().unwrap().iter().filter_map(|line| line.as_str());
        let lines: BTreeSet<&str> = shown.into_iter().chain(suggested).collect();
        for line in lines.iter().filter(|line| line.starts_with("kanbanctl")) {
            leads_to(&sandbox, line, &board);
        }
    }
}

#[test]
fn the_hints_of_a_failure_act_on_the_board_that_was_meant() {
    let (sandbox, board) = elsewhere(Shape::TlsHeader);
    let db = board.to_str().unwrap();
    let mut all = BTreeSet::new();
    for verb in [
        &["list"][..],
        &["checkpoint"],
        &["repair"],
        &["journal-mode", "delete"],
        &["backup"],
        &["create", "x"],
    ] {
        let args = [&["--db", db], verb].concat();
        let text = sandbox.run(&args).exits(4);
        let json = sandbox.run(&[&args[..], &["--json"]].concat()).exits(4).error();
        let hints: Vec<String> =
            json["hints"].as_array().unwrap().iter().map(|hint| hint.as_str().unwrap().to_owned()).collect();
        let lines = lines_in(&hints.join("\n"));
        assert!(!lines.is_empty(), "{verb:?}: {json}");
        assert_eq!(lines_in(&text.stderr), lines, "{verb:?}");
        all.extend(lines);
    }
    for line in &all {
        leads_to(&sandbox, line, &board);
    }
}

#[test]
fn a_board_chosen_by_name_is_named_and_one_that_hermes_would_choose_is_not() {
    let sandbox = Sandbox::with_board();
    let work = sandbox.root().join("kanban/boards/b2/kanban.db");
    std::fs::create_dir_all(work.parent().unwrap()).unwrap();
    std::fs::write(&work, b"no board at all, but long enough to be read as one").unwrap();
    let next = |output: Output| output.data()["findings"][0]["next"].as_str().unwrap().to_owned();
    let named = next(sandbox.run(&["health", "--json", "--board", "B2"]).exits(4));
    assert_eq!(named, "kanbanctl --board b2 recover --dry-run");
    leads_to(&sandbox, &named, &work);
    let mut command = sandbox.command(&["health", "--json"]);
    command.env("HERMES_KANBAN_BOARD", "b2");
    assert_eq!(next(sandbox.finish(command, b"").exits(4)), "kanbanctl recover --dry-run");
    let mut command = sandbox.command(&["health", "--json"]);
    command.env("HERMES_KANBAN_DB", &work);
    assert_eq!(next(sandbox.finish(command, b"").exits(4)), "kanbanctl recover --dry-run");
}

#[test]
fn a_board_of_many_that_fails_is_named_with_what_to_do() {
    let sandbox = Sandbox::with_board();
    let odd = sandbox.root().join("kanban/boards/odd/kanban.db");
    std::fs::create_dir_all(odd.parent().unwrap()).unwrap();
    std::fs::write(&odd, b"no board at all, but long enough to be read as one").unwrap();
    for verb in ["list", "stats", "backup", "checkpoint"] {
        let output = sandbox.run(&[verb, "--all-boards"]).exits(4);
        assert!(output.stderr.contains(&format!("board: {} (chosen by ", odd.display())), "{output}");
        let lines = lines_in(&output.stderr);
        assert!(!lines.is_empty(), "{output}");
        for line in lines {
            leads_to(&sandbox, &line, &odd);
        }
    }
    let data = sandbox.run(&["health", "--all-boards", "--json"]).exits(4).data();
    let found = data.as_array().unwrap().iter().find(|board| board["board"] == "odd").unwrap();
    leads_to(&sandbox, found["findings"][0]["next"].as_str().unwrap(), &odd);
}

#[test]
fn every_error_names_the_board_and_the_rule_that_chose_it() {
    let sandbox = Sandbox::new();
    let missing = sandbox.work().join("none.db");
    let damaged = sandbox.work().join("damaged.db");
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 2);
    damage::injure(Shape::ZeroPages, 1, &good, &damaged);
    let cases: [(&Path, &[&str], i32); 11] = [
        (&missing, &["health"], 10),
        (&missing, &["checkpoint"], 10),
        (&missing, &["repair"], 10),
        (&missing, &["journal-mode"], 10),
        (&missing, &["list"], 10),
        (&damaged, &["repair"], 4),
        (&damaged, &["journal-mode", "delete", "--assume-unused"], 4),
        (&damaged, &["backup"], 4),
        (&good, &["show", "t_zz"], 13),
        (&good, &["restore", "none"], 13),
        (&good, &["recover", "--undo"], 13),
    ];
    for (board, verb, code) in cases {
        let args = [verb, &["--db", board.to_str().unwrap()]].concat();
        let output = sandbox.run(&args).exits(code);
        let line = format!("board: {} (chosen by --db)\n", board.display());
        assert_eq!(output.stderr.matches(&line).count(), 1, "{verb:?}\n{output}");
        let error = sandbox.run(&[&args[..], &["--json"]].concat()).exits(code).error();
        assert_eq!((&error["board"], &error["origin"]), (&board.to_str().into(), &"--db".into()), "{error}");
    }
}

#[test]
fn a_refused_replacement_names_the_board_and_what_would_come_in_its_place() {
    let sandbox = Sandbox::new();
    let (board, copy) = (sandbox.work().join("b.db"), sandbox.work().join("copy.db"));
    damage::board(&board, 20, 1);
    damage::board(&copy, 30, 2);
    let (db, from) = (board.to_str().unwrap(), copy.to_str().unwrap());
    let named = format!("board: {db} (chosen by --db)");
    // Only root can prove that no process has the board open.
    sandbox.run(&["--db", db, "restore", from, "--assume-unused"]).exits(12).says(from).says(&named);
    sandbox.run(&["--db", db, "restore", from, "--assume-unused", "--yes"]).success();
    let undo = sandbox.run(&["--db", db, "recover", "--undo", "--assume-unused"]).exits(12).says(&named);
    assert!(undo.stderr.contains("b.db.evidence."), "{undo}");
}

#[test]
fn a_question_that_is_not_confirmed_says_how_it_is() {
    let sandbox = Sandbox::new();
    let (board, copy) = (sandbox.work().join("b.db"), sandbox.work().join("copy.db"));
    damage::board(&board, 20, 1);
    damage::board(&copy, 30, 2);
    let args = ["--db", "b.db", "restore", "copy.db", "--assume-unused"];
    let mut terminal = Terminal::start(&sandbox, &args, 100);
    terminal.expect("to continue");
    terminal.type_text("no\r");
    let (seen, code) = terminal.finish();
    assert_eq!(code, 12, "{seen}");
    assert!(seen.contains("not confirmed") && seen.contains("--yes"), "{seen}");
}

#[test]
fn a_recovery_without_a_source_names_what_it_looked_at() {
    let sandbox = Sandbox::with_board();
    let noise = sandbox.work().join("noise.db");
    std::fs::write(&noise, vec![0xa5; 20_000]).unwrap();
    let output = sandbox.run(&["--db", "noise.db", "recover", "--output", "x.db"]).exits(4);
    assert!(output.stderr.contains(&format!("looked at {}.", noise.display())), "{output}");
    assert!(!output.stderr.contains("x.db"), "{output}");
    let lines = lines_in(&output.stderr);
    assert!(lines.len() > 1, "{output}");
    for line in lines {
        leads_to(&sandbox, &line.replace("NEW.db", "new.db"), &noise);
    }
}

/// What a rehearsal was told to read belongs to the recovery that it advises.
#[test]
fn a_rehearsed_recovery_is_carried_out_by_the_line_that_it_prints() {
    let (sandbox, board) = elsewhere(Shape::FirstPageZero);
    let copy = sandbox.work().join("an older copy.db");
    damage::board(&copy, 10, 3);
    let args = ["--db", board.to_str().unwrap(), "recover", "an older copy.db", "--include-older", "-n"];
    let lines = lines_in(&sandbox.run(&args).stderr);
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        // Only root can prove that no process has the board open.
        let install = if line.contains("--output") { "" } else { " --yes --assume-unused" };
        let output = paste(&sandbox, &format!("{line}{install} --json"));
        let data = output.data();
        let sources = data["sources"].as_array().unwrap();
        assert!(sources.iter().any(|source| source["path"] == copy.to_str().unwrap()), "{output}");
        assert_eq!(data["path"], board.to_str().unwrap());
    }
}

#[test]
fn a_process_or_source_that_is_not_there_comes_with_a_way_to_find_one() {
    let sandbox = Sandbox::with_board();
    for args in
        [&["recover", "--from-pid", "999999999", "--output", "x.db"][..], &["recover", "gone.db", "-n"]]
    {
        let output = sandbox.run(args);
        assert!(matches!(output.code(), 10 | 13), "{output}");
        for line in lines_in(&output.says("hint: ").stderr) {
            leads_to(&sandbox, &line, &sandbox.board());
        }
    }
}

/// Words as a shell would take them apart, for the quotes that stand in our sources.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for char in line.chars() {
        match quote {
            Some(open) if char == open => quote = None,
            None if char == '\'' || char == '"' => quote = Some(char),
            None if char == ' ' => words.push(std::mem::take(&mut word)),
            _ => word.push(char),
        }
    }
    words.push(word);
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

/// The command lines in a source text: what stands between backticks, and strings that are one. Comments on a whole
/// module speak of verbs without what belongs to them.
fn written_in(text: &str) -> Vec<String> {
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("//!")).collect();
    let text = text.join("\n");
    let mut found = Vec::new();
    for (open, close) in [("`kanbanctl ", '`'), ("\"kanbanctl ", '"')] {
        for (at, _) in text.match_indices(open) {
            let line = text[at + 1..].replace("\\\"", "'");
            let line = line.split(close).next().unwrap();
            let joined: Vec<&str> = line.split("\\\n").map(str::trim_start).collect();
            found.push(joined.concat());
        }
    }
    found
}

/// A command line with every blank filled in.
fn filled_in(line: &str) -> String {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        filled.push_str(before);
        filled.push_str(match name {
            "pid" => "7",
            "before" => "delete",
            _ => "word",
        });
        rest = after;
    }
    filled + rest
}

#[test]
fn every_command_line_in_the_sources_is_understood() {
    let mut sources = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let (mut found, mut wrong) = (0, Vec::new());
    while let Some(path) = sources.pop() {
        if path.is_dir() {
            sources.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        // Its examples are of what is no command line.
        if path.ends_with("src/failure/hint.rs") {
            continue;
        }
        for line in written_in(&std::fs::read_to_string(&path).unwrap()) {
            let typed = words(&filled_in(&line));
            // The program's own name with its version, and lines that are put together elsewhere.
            if typed.len() < 2 || typed[1] == "word" {
                continue;
            }
            found += 1;
            if let Err(error) = kanbanctl::cli::command().try_get_matches_from(typed)
                && error.kind() != clap::error::ErrorKind::DisplayHelp
            {
                wrong.push(format!("{}: {line}: {error}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 80, "only {found} command lines found: are they written otherwise now?");
}

/// Somebody who knows Hermes' verbs types them; ours that is spelt alike does something else.
#[test]
fn a_verb_of_hermes_is_left_to_it_by_name() {
    let sandbox = Sandbox::new();
    for verb in ["swarm", "decompose", "specify"] {
        let output = sandbox.run(&[verb, "t_00000001"]).exits(2);
        assert!(output.stderr.contains(&format!("`hermes kanban {verb}` does that")), "{output}");
        assert!(!output.stderr.contains("similar"), "{output}");
    }
    sandbox.run(&["lisst"]).exits(2).says("similar subcommands exist: 'ls', 'list'");
}

/// Without what it was told to read, the recovery that is named would be another one, or none.
#[test]
fn what_names_suspect_rows_reads_the_sources_again() {
    let (sandbox, source) = elsewhere(Shape::BitFlips);
    let missing = sandbox.work().join("none.db");
    let db = missing.to_str().unwrap();
    let output = sandbox.run(&["--db", db, "recover", source.to_str().unwrap(), "--dry-run"]).exits(5);
    let lines = lines_in(&output.stderr);
    let line = lines.iter().find(|line| line.contains("--provenance")).unwrap();
    let suspects = paste(&sandbox, line).exits(5).data()["suspects"].clone();
    assert!(!suspects.as_array().unwrap().is_empty(), "{suspects}");
}

#[test]
fn what_cannot_be_installed_is_not_said_to_be() {
    let (sandbox, board) = elsewhere(Shape::ZeroPages);
    let link = sandbox.work().join("link.db");
    std::os::unix::fs::symlink(&board, &link).unwrap();
    let output = sandbox.run(&["--db", link.to_str().unwrap(), "recover", "--dry-run"]).exits(5);
    assert!(!output.stderr.contains("Install it with"), "{output}");
    output.says("could not be installed").says("--output NEW.db");
}
