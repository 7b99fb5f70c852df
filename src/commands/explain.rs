//! `health --explain`: what a finding means, where to begin, and its section of the runbook. No board is looked at.

use serde::Serialize;

use super::{Context, help, manual};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::health::{self, explain};
use crate::ui::{Document, Records, Report, StyledLine};

/// The runbook that has a section for every finding.
const RUNBOOK: &str = "kanbanctl-recovery(7)";

/// One explanation, as it is shown.
#[derive(Debug, Serialize)]
struct Explained {
    id: &'static str,
    meaning: &'static str,
    next: String,
    runbook: &'static str,
    section: &'static str,
    /// The section itself.
    text: String,
    #[serde(skip)]
    lines: Vec<StyledLine>,
}

/// Explains the finding `id`.
///
/// # Errors
/// Exit 13 for an unknown one, with those there are; as [`Context::board`] where a board is named.
pub(super) fn run(context: &mut Context<'_>, id: &str) -> Outcome<Exit> {
    let Some(explanation) = explain(id) else {
        let known = health::ids().collect::<Vec<_>>().join(", ");
        return Err(Failure::not_found(format!("there is no finding called {id}."))
            .hint(format!("The findings are {known}.")));
    };
    // Only for the next command: what Hermes would choose needs no option.
    if context.globals.board.is_some() || context.globals.db.is_some() {
        context.board()?;
    }
    let lines = help::laid_out(context, manual::section(manual::RECOVERY, id).unwrap_or_default());
    let explained = Explained {
        id: explanation.id,
        meaning: explanation.meaning,
        next: context.aim().line(explanation.next),
        runbook: RUNBOOK,
        section: explanation.id,
        text: help::text_of(&lines),
        lines,
    };
    context.ui.emit(&explained)?;
    Ok(Exit::Ok)
}

impl Report for Explained {
    fn kind(&self) -> &'static str {
        "health.explanation"
    }

    fn human(&self, page: &mut Document<'_>) {
        page.paragraph(0, &format!("{}: {}", self.id, self.meaning));
        page.line(&format!("next: {}", self.next));
        page.blank();
        page.styled(&self.lines);
        page.line(&format!("From {RUNBOOK}; read all of it with `kanbanctl help recovery`."));
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&[self.id, self.meaning, &self.next, self.runbook, self.section]);
    }
}
