//! "Did you mean": verbs and statuses by what the word means, where spelling alone leads nowhere.
//!
//! Not here: names of boards and ids of tasks, which are compared by spelling where they are looked up
//! ([`crate::failure::nearest`]).

use clap::error::{ContextKind, ContextValue};

/// Words that other tools use, and what does it here: the first whose verb exists.
#[rustfmt::skip]
const SENSES: &[(&[&str], &[&str])] = &[
    (&["add", "new", "task", "todo"], &["create"]),
    (&["done", "finish", "close", "resolve", "end"], &["complete"]),
    (&["rm", "remove", "del", "delete", "drop", "trash"], &["delete", "archive"]),
    (&["open", "ready", "next"], &["ready", "list --status ready"]),
    (&["start", "take", "begin"], &["claim"]),
    (&["tail", "follow", "monitor", "watch", "log", "logs"], &["watch", "events", "show"]),
    (&["undo", "revert", "rollback"], &["recover --undo"]),
    (&["fix", "mend", "heal", "reindex", "vacuum"], &["repair"]),
    (&["rescue", "salvage", "undelete", "unerase"], &["recover"]),
    (&["check", "doctor", "verify", "fsck", "diag", "diagnose", "status", "test", "integrity"], &["health"]),
    (&["save", "snapshot", "dump", "copy", "cp"], &["backup"]),
    (&["load", "rollback-to", "put-back"], &["restore"]),
    (&["clean", "cleanup", "prune", "thin"], &["backups prune", "gc"]),
    (&["copies", "snapshots"], &["backups list"]),
    (&["find", "grep", "query"], &["search", "list"]),
    (&["cat", "view", "get", "info", "inspect"], &["show"]),
    (&["dir", "tasks", "all", "ps"], &["list"]),
    (&["count", "counts", "summary"], &["stats"]),
    (&["change", "modify", "set", "update", "rename", "retitle"], &["edit"]),
    (&["note", "reply", "say"], &["comment"]),
    (&["depend", "depends", "parent"], &["link"]),
    (&["which", "where", "path", "board"], &["boards show"]),
    (&["use", "switch", "checkout", "select"], &["boards switch"]),
    (&["wal", "sync", "flush"], &["checkpoint"]),
    (&["bench", "benchmark", "qualify"], &["stress"]),
    (&["metrics", "prometheus", "prom"], &["health --format prom"]),
    (&["nagios", "icinga"], &["health --format nagios"]),
    (&["manual", "docs", "runbook", "faq"], &["help recovery"]),
    (&["complete-shell", "completion", "autocomplete"], &["completions bash"]),
    (&["explain"], &["health --explain"]),
    (&["html", "postmortem"], &["report"]),
];

/// Words for a status that other tools use.
#[rustfmt::skip]
const STATUSES: &[(&[&str], &str)] = &[
    (&["open", "available", "next", "unblocked"], "ready"),
    (&["new", "inbox", "untriaged"], "triage"),
    (&["backlog", "pending", "waiting", "queued", "planned"], "todo"),
    (&["doing", "active", "started", "wip", "in-progress", "in_progress", "inprogress", "claimed"], "running"),
    (&["closed", "complete", "completed", "finished", "resolved", "succeeded"], "done"),
    (&["stuck", "failed", "on-hold", "paused"], "blocked"),
    (&["reviewing", "in-review", "in_review"], "review"),
    (&["deleted", "removed", "hidden", "trash"], "archived"),
    (&["later", "delayed"], "scheduled"),
];

/// Verbs of `hermes kanban` that stay its own: they need its workers or its model.
const OF_HERMES: &[&str] = &["daemon", "decompose", "dispatch", "specify", "swarm"];

/// Put the command that was meant in the place of a verb that is only spelt alike.
pub(super) fn by_sense(mut error: clap::Error, command: &clap::Command) -> clap::Error {
    let tip = match (error.get(ContextKind::InvalidSubcommand), error.get(ContextKind::InvalidValue)) {
        (Some(ContextValue::String(word)), _) => for_verb(word, command),
        (_, Some(ContextValue::String(value))) => {
            let of_status = matches!(error.get(ContextKind::InvalidArg),
                Some(ContextValue::String(option)) if option.starts_with("--status"));
            of_status.then(|| for_status(value)).flatten()
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::SuggestedValue);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn for_verb(word: &str, command: &clap::Command) -> Option<String> {
    let word = word.to_lowercase();
    let exists = |line: &&&str| {
        let mut words = line.split(' ');
        let verb = words.next().and_then(|verb| command.find_subcommand(verb));
        let below = words.next().filter(|below| !below.starts_with('-'));
        verb.is_some_and(|verb| {
            !verb.has_subcommands() || below.is_none_or(|below| verb.find_subcommand(below).is_some())
        })
    };
    if OF_HERMES.contains(&word.as_str()) {
        return Some(format!("`hermes kanban {word}` does that"));
    }
    let (_, lines) = SENSES.iter().find(|(words, _)| words.contains(&word.as_str()))?;
    lines.iter().find(exists).map(|line| format!("`kanbanctl {line}` does that"))
}

fn for_status(value: &str) -> Option<String> {
    let value = value.to_lowercase();
    let (_, status) = STATUSES.iter().find(|(words, _)| words.contains(&value.as_str()))?;
    Some(format!("the status is called '{status}' here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_tools_lead_to_verbs_that_exist() {
        let command = crate::cli::command();
        for (word, meant) in
            [("fix", "repair"), ("undo", "recover --undo"), ("open", "ready"), ("add", "create")]
        {
            let tip = for_verb(word, &command).unwrap();
            assert!(tip.contains(meant), "{word}: {tip}");
        }
        for (words, lines) in SENSES {
            assert!(!words.is_empty() && !lines.is_empty());
        }
        assert_eq!(for_verb("frobnicate", &command), None);
    }

    #[test]
    fn statuses_of_other_tools_lead_to_those_of_hermes() {
        for (words, status) in STATUSES {
            assert!(crate::store::vocabulary::STATUSES.contains(status), "{words:?}");
        }
        assert_eq!(for_status("Open").unwrap(), "the status is called 'ready' here");
        assert_eq!(for_status("done"), None);
    }
}
