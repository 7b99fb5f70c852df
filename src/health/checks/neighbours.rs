//! What is around the board: filesystem, room, copies, other processes.
//!
//! Responsible for judging facts that `board` has gathered.

use super::Subject;
use crate::board::filesystem::Suitability;
use crate::board::generation::{Generation, Stake};
use crate::board::holders::{Completeness, HeldFile, library};
use crate::board::litestream::{self, Replication};
use crate::board::namesakes::{Namesake, NamesakeKind};
use crate::failure::count::{self, counted};
use crate::failure::hint;
use crate::health::{Finding, Severity};
use crate::process::clock;

/// From how many `.corrupt` copies on they are a storm rather than evidence (Hermes itself keeps ten, tests/incidents.md
/// F03).
const STORM: usize = 10;

/// The most copies under other names that are listed.
const MOST_NAMESAKES: usize = 20;

/// The finding whose message counts what a living process is still adding to.
pub(super) const DELETED_FILES: &str = "deleted-files";

/// WAL where processes cannot share memory (tests/incidents.md F16).
pub(super) fn filesystem(subject: &Subject) -> Vec<Finding> {
    let Suitability::Hopeless { why } = &subject.filesystem.wal else {
        return Vec::new();
    };
    if !subject.inspection.is_wal() {
        return Vec::new();
    }
    let message = format!("the board is in WAL mode on {}: {why}.", subject.filesystem.kind);
    vec![
        Finding::new("filesystem-wal", Severity::Warning, path(subject), message)
            .next("kanbanctl journal-mode delete"),
    ]
}

/// Less room than the board takes (tests/incidents.md F19).
pub(super) fn space(subject: &Subject) -> Vec<Finding> {
    let size = |stamp: Option<u64>| stamp.unwrap_or(0);
    let needed = size(subject.inspection.stamp.map(|stamp| stamp.len))
        + size(subject.inspection.sidecars.wal.as_ref().map(|wal| wal.stamp.len));
    match subject.filesystem.free_bytes {
        Some(free) if free < needed => {
            let message = format!(
                "{} are free, the board and its WAL take {}.",
                count::size(free),
                count::size(needed)
            );
            let place = subject.filesystem.mount_point.display().to_string();
            vec![Finding::new("disk-space", Severity::Warning, place, message).next("kanbanctl backups list")]
        }
        _ => Vec::new(),
    }
}

/// Copies that Hermes made when it took the board for corrupt (tests/incidents.md F02, F03).
pub(super) fn backups(subject: &Subject) -> Vec<Finding> {
    let copies = subject.copies;
    if copies.count == 0 {
        return Vec::new();
    }
    let severity = if copies.count >= STORM { Severity::Warning } else { Severity::Info };
    let contents = subject.contents.map_or_else(String::new, |contents| {
        format!(", {}", counted(contents as u64, "distinct content", "distinct contents"))
    });
    let message = format!(
        "{} beside the board: {}{contents}.",
        counted(copies.count as u64, ".corrupt backup lies", ".corrupt backups lie"),
        count::size(copies.bytes)
    );
    vec![Finding::new("backups", severity, path(subject), message).next("kanbanctl backups list")]
}

/// Copies under names that nothing else looks for. A conflict copy can have gone on by itself.
pub(super) fn namesakes(subject: &Subject) -> Vec<Finding> {
    // Of a board that is gone they are the finding's own evidence.
    if subject.inspection.header().is_none() {
        return Vec::new();
    }
    let say = |namesake: &Namesake| {
        let (severity, next) = match namesake.kind {
            NamesakeKind::Conflict => {
                let next = format!("kanbanctl recover --dry-run {}", hint::quoted(&namesake.path));
                (Severity::Warning, next)
            }
            _ => (Severity::Info, String::new()),
        };
        let place = namesake.path.display().to_string();
        let message = format!("{} of this board lies there.", namesake.kind.words());
        Finding::new("other-copies", severity, place, message).next(next)
    };
    subject.namesakes.iter().take(MOST_NAMESAKES).map(say).collect()
}

/// Whether there is a backup, and whether it is as new as was asked for.
pub(super) fn own_backups(subject: &Subject) -> Vec<Finding> {
    if subject.inspection.header().is_none() {
        return Vec::new();
    }
    let found = |severity, message: String| {
        vec![Finding::new("no-backup", severity, path(subject), message).next("kanbanctl backup")]
    };
    let wanted = subject.terms.max_backup_age;
    let severity = if wanted.is_some() { Severity::Warning } else { Severity::Info };
    let Some(newest) = subject.newest_backup else {
        return found(severity, "there is no backup beside the board.".to_owned());
    };
    let age = u64::try_from(subject.terms.now.saturating_sub(newest)).unwrap_or(0);
    match wanted {
        Some(most) if age > most.as_secs() => {
            let age = clock::span(i64::try_from(age).unwrap_or(i64::MAX));
            found(Severity::Warning, format!("the newest backup beside the board is {age} old."))
        }
        _ => Vec::new(),
    }
}

/// A SQLite whose WAL-reset bug can damage a board that several processes write to: one that a living process uses, else the
/// one that wrote last.
pub(super) fn old_sqlite(subject: &Subject) -> Vec<Finding> {
    if !subject.inspection.is_wal() {
        return Vec::new();
    }
    let advice = "Hermes 0.19.0 turns WAL on again at every open, so give its Python SQLite 3.51.3 or newer; newer versions of \
                  Hermes keep another journal mode that is set while they are stopped.";
    if !subject.old_libraries.is_empty() {
        let who: Vec<String> = subject
            .old_libraries
            .iter()
            .map(|(pid, version)| format!("pid {pid} uses SQLite {version}"))
            .collect();
        let message = format!(
            "{}, whose WAL-reset bug can damage a board in WAL mode as soon as several processes write to it. {advice}",
            who.join(", ")
        );
        let finding = Finding::new("old-sqlite", Severity::Warning, path(subject), message);
        return vec![finding.next("hermes gateway stop")];
    }
    let version = subject.inspection.header().map_or(0, |header| header.sqlite_version);
    if version == 0 || !library::can_break_wal(version) {
        return Vec::new();
    }
    let message = format!(
        "SQLite {} wrote to it last, whose WAL-reset bug can damage a board in WAL mode that several processes write to. {advice}",
        library::shown(version)
    );
    vec![Finding::new("old-sqlite", Severity::Info, path(subject), message)]
}

/// Who has the board open, and whether everybody could be seen.
pub(super) fn holders(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for holder in subject.holders.found.iter().filter(|holder| !holder.files.iter().any(HeldFile::is_apart)) {
        let who = match holder.pid {
            Some(pid) => format!("pid {pid} ({})", holder.command),
            None => "a process that cannot be seen from here".to_owned(),
        };
        let message = match &subject.replication {
            Some(replication) if litestream::is_litestream(&holder.command) => {
                format!("Litestream has the board open and replicates it: {}.", followed(replication))
            }
            _ => "it has the board open.".to_owned(),
        };
        findings.push(Finding::new("holders", Severity::Info, who, message));
    }
    let runs =
        |subject: &Subject| subject.holders.found.iter().any(|it| litestream::is_litestream(&it.command));
    if let Some(replication) = subject.replication.as_ref().filter(|_| !runs(subject)) {
        let message = format!(
            "Litestream has replicated this board, and was not seen running: {}.",
            followed(replication)
        );
        findings.push(Finding::new("holders", Severity::Info, path(subject), message));
    }
    if let Completeness::Partial { reason } = &subject.holders.complete {
        let message = format!("not every process could be seen: {reason}.");
        findings.push(Finding::new("holders", Severity::Info, path(subject), message));
    }
    findings
}

/// How far Litestream has followed the board, as a clause.
fn followed(replication: &Replication) -> String {
    let Replication { generation, behind } = replication;
    match behind {
        0 => format!("generation {generation}, its copy of the log is complete"),
        _ => format!("generation {generation}, its copy of the log lacks {}", count::size(*behind)),
    }
}

/// Whose files of the board have lost their name, and what is lost when that process ends (tests/incidents.md F11, F13).
pub(super) fn deleted_files(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for holder in subject.holders.of_apart() {
        let Some(pid) = holder.pid else { continue };
        let who = format!("pid {pid} ({})", holder.command);
        let of_holder = || subject.generations.iter().filter(|(generation, _)| generation.pid == pid);
        for (generation, stake) in of_holder() {
            let message = format!("{}. Do not stop it before they are saved.", at_stake(generation, *stake));
            let next = match stake {
                Some(_) => "kanbanctl recover --output NEW.db".to_owned(),
                None => format!("kanbanctl recover --from-pid {pid} --output NEW.db"),
            };
            findings.push(Finding::new(DELETED_FILES, Severity::Error, who.clone(), message).next(next));
        }
        if of_holder().next().is_none() {
            let message = "the board's WAL index was deleted under it: it and the others do not see each other's locks.";
            findings.push(
                Finding::new(DELETED_FILES, Severity::Error, who, message)
                    .next("kanbanctl recover --dry-run"),
            );
        }
    }
    findings
}

fn at_stake(generation: &Generation, stake: Option<Stake>) -> String {
    let file = match (&generation.database, &generation.other_name) {
        (Some(_), _) => "a database file of this board that was deleted or replaced".to_owned(),
        (None, Some(name)) => format!("a log of this board under another name, {}", name.display()),
        (None, None) => "a deleted log of this board".to_owned(),
    };
    let fate = if generation.other_name.is_some() {
        "seen by nobody who uses the board's name"
    } else {
        "gone when it ends"
    };
    let at_stake = match stake {
        None => format!("what is in it cannot be read by this user, and is {fate}"),
        Some(Stake { commits: 0, .. }) => format!("commits that it makes from now on are {fate}"),
        Some(Stake { commits, bytes }) => {
            let is = if commits == 1 { "is" } else { "are" };
            let commits = counted(commits, "commit", "commits");
            format!("{commits} in its log ({}) {is} nowhere else and {fate}", count::size(bytes))
        }
    };
    format!("it holds {file}: {at_stake}")
}

fn path(subject: &Subject) -> String {
    subject.inspection.resolved.display().to_string()
}
