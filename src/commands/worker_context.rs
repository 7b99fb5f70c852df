//! `context`: what a worker is told about its task.

use serde::Serialize;

use super::Context;
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::{schema, task, worker_context};
use crate::ui::{Document, Records, Report};

/// Show what a worker has to know about a task: its text, attachments, earlier attempts, results of its parents, what
/// its profile did last, and its comments.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Id, or a unique beginning of one.
    pub id: String,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for an ambiguous beginning, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let now = context.clock.epoch();
    let mut pool = context.pool(Access::Read)?;
    let (task, text) = pool.read(|conn| {
        schema::require_board(conn)?;
        let id = task::resolve(conn, &args.id)?;
        let text = worker_context::of_task(conn, &id, now)?;
        Ok((id, text))
    })?;
    pool.close()?;
    if !context.ui.format().is_json() && !context.ui.settings().stdout_terminal {
        context.ui.raw_bytes(text.as_bytes())?;
        return Ok(Exit::Ok);
    }
    context.ui.emit(&WorkerBrief { task, text })?;
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct WorkerBrief {
    task: String,
    text: String,
}

impl Report for WorkerBrief {
    fn kind(&self) -> &'static str {
        "context"
    }

    fn human(&self, page: &mut Document<'_>) {
        page.paragraph(0, &self.text);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for line in self.text.lines() {
            records.record(&[line]);
        }
    }
}
