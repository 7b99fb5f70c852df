//! `kanbanctl` alone: which board and why, how it is, what is on it, what to do next.

use serde::Serialize;

use super::{Context, health};
use crate::failure::Outcome;
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::hint::Aim;
use crate::health::{Finding, Verdict};
use crate::ui::{Document, Label, Records, Report};

/// What the overview shows.
#[derive(Debug, Serialize)]
struct Overview {
    board: String,
    path: String,
    origin: String,
    verdict: Verdict,
    /// False where only a first look was taken: the verdict is of what was looked at.
    complete: bool,
    finding: Option<Finding>,
    counts: serde_json::Map<String, serde_json::Value>,
    suggestions: Vec<String>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 10 where no board is.
pub(super) fn run(context: &mut Context<'_>) -> Outcome<Exit> {
    let inspection = context.inspection()?;
    let (board, path) = (inspection.board.clone(), inspection.resolved.display().to_string());
    let health::Glance { verdict, finding, counts, is_whole } = health::glance(context, &inspection)?;
    let suggestions = suggestions(verdict, is_whole, finding.as_ref(), &board.aim());
    let overview = Overview {
        board: board.name(),
        path,
        origin: board.origin.to_string(),
        verdict,
        complete: is_whole,
        finding,
        counts,
        suggestions,
    };
    context.ui.emit(&overview)?;
    Ok(verdict.exit())
}

/// Three commands that fit the board's state, the finding's own first.
fn suggestions(verdict: Verdict, is_whole: bool, finding: Option<&Finding>, aim: &Aim) -> Vec<String> {
    let usual = match verdict {
        Verdict::Healthy if !is_whole => ["kanbanctl health", "kanbanctl list", "kanbanctl backup"],
        Verdict::Healthy => ["kanbanctl list", "kanbanctl create --help", "kanbanctl backup"],
        Verdict::Damaged => ["kanbanctl health", "kanbanctl recover --dry-run", "kanbanctl backups list"],
        Verdict::Degraded | Verdict::Unchecked => {
            ["kanbanctl health", "kanbanctl list", "kanbanctl backups list"]
        }
    };
    let own = finding.map(|finding| finding.next.as_str()).filter(|next| !next.is_empty());
    let mut commands: Vec<String> = own.into_iter().chain(usual).map(|command| aim.line(command)).collect();
    let mut seen = std::collections::HashSet::new();
    commands.retain(|command| seen.insert(command.clone()));
    commands.truncate(3);
    commands
}

impl Overview {
    fn health(&self) -> String {
        match &self.finding {
            Some(finding) => format!("{}: {}", self.verdict.word(), finding.message),
            None if self.complete => self.verdict.word().to_owned(),
            None => "no damage found at first look; `kanbanctl health` reads every page".to_owned(),
        }
    }

    fn totals(&self) -> String {
        let known = [
            ("tasks", "task", "tasks"),
            ("task_events", "event", "events"),
            ("task_comments", "comment", "comments"),
            ("task_runs", "run", "runs"),
        ];
        let held = known.iter().filter_map(|(table, one, many)| {
            let count = self.counts.get(*table)?.as_u64()?;
            Some(counted(count, one, many))
        });
        held.collect::<Vec<_>>().join(", ")
    }
}

impl Report for Overview {
    fn kind(&self) -> &'static str {
        "overview"
    }

    fn human(&self, page: &mut Document<'_>) {
        let label = if self.verdict == Verdict::Healthy { Label::Good } else { Label::Bad };
        let chosen = format!("{} (chosen by {})", self.path, self.origin);
        let (health, totals) = (self.health(), self.totals());
        let mut pairs = vec![
            ("board", Label::Id, self.board.as_str()),
            ("file", Label::Text, &chosen),
            ("health", label, &health),
        ];
        if !totals.is_empty() {
            pairs.push(("holds", Label::Text, &totals));
        }
        page.labelled_pairs(&pairs);
        page.blank();
        page.line("Next:");
        for command in &self.suggestions {
            page.line(&format!("  {command}"));
        }
        if matches!(self.verdict, Verdict::Damaged | Verdict::Unchecked) {
            page.line("The whole sequence: kanbanctl help recovery");
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&["board", &self.board]);
        records.record(&["path", &self.path]);
        records.record(&["origin", &self.origin]);
        records.record(&["verdict", self.verdict.word()]);
        if !self.complete {
            records.record(&["complete", "no"]);
        }
        if let Some(finding) = &self.finding {
            records.record(&["finding", &finding.message]);
        }
        for (table, count) in &self.counts {
            records.record(&["rows", table, &count.to_string()]);
        }
        for command in &self.suggestions {
            records.record(&["next", command]);
        }
    }
}
