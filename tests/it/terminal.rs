//! What a person sees: narrow terminals, dumb ones, other locales, the quiet levels, and the order of what is said.

use crate::support::damage::{self, Shape};
use crate::support::pty::Terminal;
use crate::support::sandbox::Sandbox;

/// Every verb whose page has a path in it, and verbs that end with an error.
const VERBS: [&[&str]; 12] = [
    &[],
    &["stats"],
    &["health"],
    &["health", "--map"],
    &["boards", "list"],
    &["boards", "show"],
    &["backups", "list"],
    &["journal-mode"],
    &["checkpoint"],
    &["recover", "-n"],
    &["show", "t_ffffffff"],
    &["lst"],
];

/// A board some of whose pages are zeros.
fn bereft() -> Sandbox {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 200, 3);
    damage::injure(Shape::ZeroPages, 1, &good, &sandbox.board());
    sandbox
}

/// The same with a whole copy that Hermes put aside.
fn damaged() -> Sandbox {
    let sandbox = bereft();
    damage::quarantine(&std::fs::read(sandbox.work().join("good.db")).unwrap(), &sandbox.board());
    sandbox
}

/// The end of a path by which a file can be told.
fn is_told(path: &str) -> bool {
    ["/kanban.db", ".bak"].iter().any(|end| path.ends_with(end))
}

fn seen(sandbox: &Sandbox, args: &[&str], columns: u16, variables: &[(&str, &str)]) -> String {
    let mut command = sandbox.command(args);
    command.env_remove("COLUMNS").env("TERM", "xterm-256color").envs(variables.iter().copied());
    Terminal::spawn(&command, columns).finish().0.replace("\r\n", "\n")
}

#[test]
fn of_a_path_that_is_cut_the_name_of_the_file_is_left() {
    let sandbox = damaged();
    for (args, columns) in
        [(&["boards", "list"][..], 60), (&["recover", "-n"], 60), (&["backups", "list"], 80)]
    {
        let shown = seen(&sandbox, &[args, &["--color", "never"]].concat(), columns, &[]);
        let rows: Vec<&str> = shown.lines().filter(|line| line.contains('…')).collect();
        assert!(!rows.is_empty(), "nothing was cut\n{shown}");
        for row in rows {
            assert!(is_told(row) && row.chars().count() <= usize::from(columns), "{row}\n{shown}");
        }
    }
}

#[test]
fn names_of_columns_are_upper_case() {
    let sandbox = damaged();
    for args in [&["boards", "list"][..], &["backups", "list"], &["recover", "-n"], &["list"]] {
        let shown = sandbox.run(&[args, &["--format", "table"]].concat()).stdout;
        let header = shown.lines().next().unwrap_or_default();
        assert!(!header.is_empty() && header.to_uppercase() == header, "{args:?}: {header}");
    }
}

/// Where nothing can be counted there is no empty line for it, and no hint comes twice.
#[test]
fn nothing_is_said_twice_or_about_nothing() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 5);
    damage::injure(Shape::SchemaDuplicate, 1, &good, &sandbox.board());
    let shown = seen(&sandbox, &["--color", "never"], 80, &[]);
    assert!(shown.contains("damaged") && shown.lines().all(|line| line.trim_end() != "holds"), "{shown}");
    let output = sandbox.run(&["journal-mode", "delete", "--assume-unused"]).exits(4);
    let hints: Vec<&str> = output.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
    let different: std::collections::BTreeSet<&&str> = hints.iter().collect();
    assert_eq!(hints.len(), different.len(), "{output}");
}

/// A dumb terminal is an editor's window or a log: it shows every byte as it is. What is a board's own text stays as it is,
/// as in `list`: here the titles of the rows that `recover` names.
#[test]
fn a_dumb_terminal_gets_lines_of_ascii_and_nothing_else() {
    let sandbox = damaged();
    let good = rusqlite::Connection::open(sandbox.work().join("good.db")).unwrap();
    let mut titles = good.prepare("SELECT title FROM tasks WHERE title != ''").unwrap();
    let titles: Vec<String> =
        titles.query_map((), |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    for args in VERBS {
        let mut shown = seen(&sandbox, args, 80, &[("TERM", "dumb")]);
        for title in &titles {
            shown = shown.replace(&format!("\"{title}\""), "\"\"");
        }
        let strange = |byte: u8| !matches!(byte, b' '..=b'~' | b'\n');
        assert!(!shown.is_empty() && !shown.bytes().any(strange), "{args:?}: {shown:?}");
    }
    let map = seen(&sandbox, &["health", "--map"], 80, &[("LC_ALL", "C"), ("NO_COLOR", "1")]);
    assert!(map.contains("# table") && map.is_ascii(), "{map}");
}

#[test]
fn a_dumb_terminal_is_asked_on_a_line() {
    for (typed, code) in [("default\r", 5), ("nothing\r", 12), ("\u{4}", 12)] {
        let sandbox = bereft();
        let mut command = sandbox.command(&["recover", "--assume-unused"]);
        command.env("TERM", "dumb");
        let mut terminal = Terminal::spawn(&command, 80);
        let asked = terminal.expect("Type the board's name (\"default\") to continue: ");
        assert!(!asked.contains('\u{1b}'), "{asked:?}");
        terminal.type_text(typed);
        let (said, ended) = terminal.finish();
        assert!(ended == code && !said.contains('\u{1b}'), "{typed:?} {ended}: {said}");
    }
}

#[test]
fn quiet_says_no_hint_and_twice_quiet_errors_only() {
    let sandbox = bereft();
    for (args, code) in [(&["show", "t_ffffffff"][..], 13), (&["backup"], 4), (&["recover", "-n"], 5)] {
        let loud = sandbox.run(args).exits(code);
        assert!(loud.stderr.contains("hint: "), "{loud}");
        let quiet = sandbox.run(&[args, &["-q"]].concat()).exits(code);
        assert!(!quiet.stderr.contains("hint: "), "{quiet}");
        let silent = sandbox.run(&[args, &["-qq"]].concat()).exits(code);
        let only_errors =
            |line: &str| ["error: ", "file: ", "board: "].iter().any(|head| line.starts_with(head));
        assert!(silent.stderr.lines().all(only_errors), "{silent}");
        assert_eq!((silent.stderr.is_empty(), &silent.stdout), (code == 5, &quiet.stdout), "{silent}");
    }
    let json = sandbox.run(&["show", "t_ffffffff", "-qq", "--json"]).exits(13);
    assert!(!json.error()["hints"].as_array().unwrap().is_empty(), "{json}");
}

#[test]
fn one_of_a_kind_is_singular() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "x"]).success();
    damage::quarantine(&std::fs::read(sandbox.board()).unwrap(), &sandbox.board());
    for args in [
        &[][..],
        &["health"],
        &["recover", "-n"],
        &["backups", "list"],
        &["backups", "prune", "-n"],
        &["stress", "--seconds", "1", "--processes", "1"],
        &["checkpoint"],
    ] {
        let shown = seen(&sandbox, &[args, &["--color", "never"]].concat(), 200, &[]);
        let words: Vec<&str> = shown.split([' ', '\n', '(', ',', '.']).collect();
        for pair in words.windows(2) {
            let plural = pair[1].len() > 2
                && pair[1].ends_with('s')
                && !pair[1].ends_with("ss")
                && !matches!(pair[1], "is" | "was" | "has");
            assert!(pair[0] != "1" || !plural, "{args:?}: {pair:?}\n{shown}");
        }
    }
}

/// The map has a record for every run of pages: what was recovered is not to be looked for behind thousands of them.
#[test]
fn the_map_is_the_last_of_the_plain_records() {
    let sandbox = damaged();
    for args in [&["recover", "-n"][..], &["health", "--map"]] {
        let records = sandbox.run(args).stdout;
        let kinds: Vec<&str> = records.lines().map(|line| line.split('\t').next().unwrap()).collect();
        let first = kinds.iter().position(|kind| *kind == "map").unwrap();
        assert!(first > 0 && kinds[first..].iter().all(|kind| *kind == "map"), "{kinds:?}");
    }
}

/// The help of a verb says what is in its records, in their order.
#[test]
fn plain_records_are_as_their_help_says() {
    let sandbox = damaged();
    for verb in [
        &["recover", "-n"][..],
        &["health", "--map"],
        &["backups", "list"],
        &["boards", "list"],
        &["checkpoint", "-n"],
    ] {
        let groups: Vec<&str> = verb.iter().filter(|word| !word.starts_with('-')).copied().collect();
        let help = sandbox.run(&[&groups[..], &["--help"]].concat()).success().stdout;
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = words.split("Plain record").nth(1).unwrap_or_else(|| panic!("{verb:?}: {help}"));
        // The fields that are named in capitals, in their order, for records that begin with a word or without one.
        for record in sandbox.run(&[verb, &["--format", "plain"]].concat()).stdout.lines() {
            let fields: Vec<&str> = record.split('\t').collect();
            let named = |begin: &str| {
                let rest = said.split(begin).nth(1)?;
                let is_name = |word: &&str| {
                    word.trim_end_matches([',', ';', '.', ':'])
                        .chars()
                        .all(|c| c == '-' || c.is_ascii_uppercase() || c.is_ascii_digit())
                };
                let mut count = 0;
                for word in rest.split(' ').skip_while(|word| word.is_empty()) {
                    if !is_name(&word) {
                        break;
                    }
                    count += 1;
                    if word.ends_with([',', ';', '.', ':']) {
                        break;
                    }
                }
                Some(count)
            };
            // The word by which the help names the record, where it names records by words: alone, or `one|another`.
            let names_record = |word: &&str| word.split('|').any(|word| word == fields[0]);
            let by_word = said
                .split(' ')
                .find(names_record)
                .filter(|_| verb[0] == "recover" || ["map", "verdict"].contains(&fields[0]));
            assert!(by_word.is_some() || verb[0] != "recover", "no word about {record}\n{said}");
            let count = if let Some(word) = by_word {
                named(&format!(" {word} ")).map(|names| names + 1)
            } else if verb[0] == "health" {
                named("the worst first: ")
            } else {
                named(": ")
            };
            assert_eq!(count, Some(fields.len()), "{verb:?}: {record}\n{said}");
        }
    }
}
