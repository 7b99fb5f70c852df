//! What is wrong with a board, without changing it.
//!
//! Responsible for the findings, their severity and the verdict. The questions stand in [`checks`]; the bytes come
//! from [`crate::board`], the rows through [`crate::store`] on the invocation's one connection (docs/architecture.md, rule
//! 4: no probe connection, nothing copied or moved because of a verdict).

mod acknowledged;
pub mod checks;
mod explain;

use serde::Serialize;

use crate::failure::exit::Exit;

pub use acknowledged::Acknowledged;
pub use checks::{Subject, after_opening, before_opening};
pub use explain::{Explanation, explain, ids};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// The board works, but should be looked after.
    Warning,
    /// The board or rows on it are damaged.
    Error,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The stable name, also the anchor in kanbanctl-recovery(7).
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a file, a table, a process.
    pub subject: String,
    /// What was seen, as a sentence.
    pub message: String,
    /// The exact next command; empty where nothing is to be done.
    pub next: String,
}

/// How deep a check looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// The header, the log, the schema and the newest rows: as long on every board.
    #[value(skip)]
    First,
    /// `quick_check` and everything else; cheap enough for cron.
    #[default]
    Quick,
    /// `integrity_check` with no row limit.
    Full,
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing but information.
    Healthy,
    /// Warnings only.
    Degraded,
    /// At least one error.
    Damaged,
    /// The board could not be looked at; never reported as healthy.
    Unchecked,
}

impl Verdict {
    /// The verdict on findings; `looked` is false when a check could not run.
    pub fn of(findings: &[Finding], looked: bool) -> Self {
        match findings.iter().map(|finding| finding.severity).max() {
            Some(Severity::Error) => Self::Damaged,
            _ if !looked => Self::Unchecked,
            Some(Severity::Warning) => Self::Degraded,
            _ => Self::Healthy,
        }
    }

    /// The exit code of `health`.
    pub fn exit(self) -> Exit {
        match self {
            Self::Healthy => Exit::Ok,
            Self::Degraded => Exit::Degraded,
            Self::Damaged => Exit::Damaged,
            Self::Unchecked => Exit::Unchecked,
        }
    }

    /// The verdict as it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Damaged => "damaged",
            Self::Unchecked => "unchecked",
        }
    }
}

/// The worst first; and beside damage nothing is written back, which would put pages of the log over those of the file that
/// recovery compares them with.
pub fn weigh(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    if findings.first().is_some_and(|worst| worst.severity == Severity::Error) {
        for finding in findings.iter_mut().filter(|finding| finding.id == checks::WAL_PENDING) {
            finding.message.push_str(" Leave them there until the damage is dealt with.");
            finding.next.clear();
        }
    }
}

impl Finding {
    /// A finding without a next command.
    pub fn new(
        id: &'static str,
        severity: Severity,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { id, severity, subject: subject.into(), message: message.into(), next: String::new() }
    }

    /// Names the next command.
    #[must_use]
    pub fn next(mut self, command: impl Into<String>) -> Self {
        self.next = command.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_decides_and_not_looking_is_never_healthy() {
        let finding = |severity| Finding::new("x", severity, "s", "m.");
        assert_eq!(Verdict::of(&[], true), Verdict::Healthy);
        assert_eq!(Verdict::of(&[finding(Severity::Info)], true), Verdict::Healthy);
        assert_eq!(Verdict::of(&[finding(Severity::Info)], false), Verdict::Unchecked);
        assert_eq!(Verdict::of(&[finding(Severity::Warning)], true), Verdict::Degraded);
        assert_eq!(Verdict::of(&[finding(Severity::Error)], false), Verdict::Damaged);
    }
}
