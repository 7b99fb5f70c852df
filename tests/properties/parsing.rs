//! What is typed and what is fed: any words and any lines end in a value or in a message, and never in a panic.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use clap::FromArgMatches;
use kanbanctl::cli::{self, Cli};
use kanbanctl::commands::draft;
use kanbanctl::process::env::Env;
use kanbanctl::store::draft::Draft;
use proptest::prelude::*;

/// Words that mean something, so that a line gets past its first one.
const KNOWN: [&str; 40] = [
    "list",
    "ls",
    "show",
    "create",
    "complete",
    "health",
    "init",
    "stats",
    "backup",
    "backups",
    "boards",
    "checkpoint",
    "journal-mode",
    "recover",
    "restore",
    "repair",
    "completions",
    "man",
    "version",
    "stress",
    "help",
    "prune",
    "--json",
    "--format",
    "jsonl",
    "--limit",
    "--priority",
    "--from",
    "-",
    "--",
    "-n",
    "-vv",
    "-qq",
    "--timeout",
    "30s",
    "--color",
    "never",
    "-o",
    "--keep",
    "--max-runtime",
];

fn word() -> impl Strategy<Value = OsString> {
    prop_oneof![
        4 => prop::sample::select(KNOWN.to_vec()).prop_map(OsString::from),
        1 => "-{0,2}[a-z0-9=,.:-]{0,12}".prop_map(OsString::from),
        1 => prop::collection::vec(any::<u8>(), 0..12).prop_map(OsString::from_vec),
    ]
}

/// A line with the keys of a task and whatever beside them.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        Just("\"x\"".to_owned()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[0-9]{1,30}[smhdx]?".prop_map(|text| format!("{text:?}")),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("[\"#1\", \"t_1\", \"\"]".to_owned()),
    ];
    let key = prop::sample::select(vec![
        "title",
        "body",
        "assignee",
        "parents",
        "workspace",
        "branch",
        "priority",
        "triage",
        "max_runtime",
        "skills",
        "max_retries",
        "goal",
        "initial_status",
        "idempotency_key",
        "colour",
    ]);
    let object = prop::collection::vec((key, value), 0..6).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        format!("{{{}}}", pairs.join(", ")).into_bytes()
    });
    prop_oneof![3 => object, 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

proptest! {
    #[test]
    fn any_words_are_a_command_or_a_message(words in prop::collection::vec(word(), 0..8)) {
        let words = std::iter::once(OsString::from("kanbanctl")).chain(words);
        match cli::command().try_get_matches_from(words) {
            Ok(matches) => drop(Cli::from_arg_matches(&matches)),
            Err(error) => prop_assert!(!error.render().to_string().is_empty()),
        }
    }

    #[test]
    fn any_lines_are_drafts_or_a_failure_that_names_its_line(lines in prop::collection::vec(line(), 0..5)) {
        let bytes = lines.join(&b'\n');
        match draft::parse(&bytes, &Draft::default(), &Env::default()) {
            Ok(drafts) => prop_assert!(drafts.len() <= bytes.split(|byte| *byte == b'\n').count()),
            Err(failure) => prop_assert!(failure.to_string().contains("line "), "{failure}"),
        }
    }
}
