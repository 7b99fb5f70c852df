//! What is around the board: filesystem, room, copies, other processes.
//!
//! Responsible for judging facts that `board` has gathered.

use super::Subject;
use crate::board::filesystem::Suitability;
use crate::board::generation::{Generation, Stake};
use crate::board::holders::{Completeness, HeldFile};
use crate::failure::count::{self, counted};
use crate::health::{Finding, Severity};

/// From how many `.corrupt` copies on they are a storm rather than evidence (Hermes itself keeps ten, incidents.md
/// F03).
const STORM: usize = 10;

/// The finding whose message counts what a living process is still adding to.
pub(super) const DELETED_FILES: &str = "deleted-files";

/// WAL where processes cannot share memory (incidents.md F16).
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

/// Less room than the board takes (incidents.md F19).
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

/// Copies that Hermes made when it took the board for corrupt (incidents.md F02, F03).
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

/// Who has the board open, and whether everybody could be seen.
pub(super) fn holders(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for holder in subject.holders.found.iter().filter(|holder| !holder.files.iter().any(HeldFile::is_apart)) {
        let who = match holder.pid {
            Some(pid) => format!("pid {pid} ({})", holder.command),
            None => "a process that cannot be seen from here".to_owned(),
        };
        findings.push(Finding::new("holders", Severity::Info, who, "it has the board open."));
    }
    if let Completeness::Partial { reason } = &subject.holders.complete {
        let message = format!("not every process could be seen: {reason}.");
        findings.push(Finding::new("holders", Severity::Info, path(subject), message));
    }
    findings
}

/// Whose files of the board have lost their name, and what is lost when that process ends (incidents.md F11, F13).
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
