//! The commands that an operator runs next, in their order.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::Serialize;

use crate::failure::hint::{self, Aim};
use crate::health::{Finding, Severity, Verdict};
use crate::recover;

/// A command line to be pasted, and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NextCommand {
    pub(super) command: String,
    pub(super) why: String,
}

/// What to run next: what the findings ask for, then the way from a file of its own to the board's place.
pub(super) fn commands(
    verdict: Verdict,
    up_to_date: bool,
    report: Option<&recover::Report>,
    findings: &[Finding],
    named: &[PathBuf],
    aim: &Aim,
) -> Vec<NextCommand> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for finding in findings {
        if finding.severity > Severity::Info && !finding.next.is_empty() {
            let why = format!("For the finding {} of {}.", finding.id, finding.subject);
            commands.push((finding.next.clone(), why));
        }
    }
    let mut recover = "kanbanctl recover".to_owned();
    for path in named {
        recover.push(' ');
        recover.push_str(&hint::quoted(std::path::absolute(path).unwrap_or_else(|_| path.clone())));
    }
    let brings = report.is_some_and(|report| !report.is_live_board());
    if report.is_some() && !up_to_date && (verdict == Verdict::Damaged || brings) {
        let steps = [
            (
                format!("{recover} --output rescued.db"),
                "Build the result as a file of its own. The board is not touched.",
            ),
            ("kanbanctl --db rescued.db health --depth full".to_owned(), "Check that file."),
            (
                recover,
                "Install the result into the board, with Hermes stopped. What was there is kept beside it.",
            ),
            (
                "kanbanctl recover --undo".to_owned(),
                "Put back what was there, if the result is not what you want.",
            ),
        ];
        commands.extend(steps.map(|(command, why)| (command, why.to_owned())));
    }
    if verdict == Verdict::Healthy || verdict == Verdict::Degraded {
        commands.push(("kanbanctl backup".to_owned(), "Keep a copy of the board as it is now.".to_owned()));
    }
    if verdict != Verdict::Healthy {
        commands.push(("kanbanctl help recovery".to_owned(), "Read the whole sequence.".to_owned()));
    }
    let mut known = HashSet::new();
    commands
        .into_iter()
        .map(|(command, why)| {
            // The manual is of no board.
            let is_manual = command.starts_with("kanbanctl help");
            NextCommand { command: if is_manual { command } else { aim.line(&command) }, why }
        })
        .filter(|next| known.insert(next.command.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_named_once_and_aimed() {
        let finding =
            |id| Finding::new(id, Severity::Error, "s", "m.").next("kanbanctl --db /b.db recover --dry-run");
        let findings = [finding("one"), finding("two")];
        let aim = Aim::at_file(std::path::Path::new("/b.db"));
        let report = recover::Report::default();
        let made = commands(Verdict::Damaged, false, Some(&report), &findings, &[], &aim);
        let lines: Vec<&str> = made.iter().map(|next| next.command.as_str()).collect();
        assert_eq!(
            lines,
            [
                "kanbanctl --db /b.db recover --dry-run",
                "kanbanctl --db /b.db recover --output rescued.db",
                "kanbanctl --db rescued.db health --depth full",
                "kanbanctl --db /b.db recover",
                "kanbanctl --db /b.db recover --undo",
                "kanbanctl help recovery",
            ]
        );
    }

    #[test]
    fn a_sound_board_is_backed_up() {
        let made = commands(Verdict::Healthy, true, None, &[], &[], &Aim::default());
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].command, "kanbanctl backup");
    }
}
