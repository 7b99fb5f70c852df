//! `attachments`: the files that tasks have.

use serde::Serialize;

use super::Context;
use super::times::{Times, utc};
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::attachment::{self, Attachment};
use crate::store::{schema, task};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// List the attachments of one task, or of all.
///
/// Plain record: ATTACHMENT TASK NAME TYPE BYTES BY TIME PATH.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Id, or a unique beginning of one.
    pub id: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, 14 for an ambiguous beginning, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let mut pool = context.pool(Access::Read)?;
    let attachments = pool.read(|conn| {
        schema::require_board(conn)?;
        match &args.id {
            Some(id) => attachment::of_task(conn, &task::resolve(conn, id)?),
            None => attachment::all(conn),
        }
    })?;
    pool.close()?;
    let (none, times) = (attachments.is_empty(), Times::of(context));
    context.ui.emit(&AttachmentList { attachments, times })?;
    if none {
        context.ui.status("There is no attachment.");
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
#[serde(transparent)]
struct AttachmentList {
    attachments: Vec<Attachment>,
    #[serde(skip)]
    times: Times,
}

impl Report for AttachmentList {
    fn kind(&self) -> &'static str {
        "attachment.list"
    }

    fn record_kind(&self) -> &'static str {
        "attachment"
    }

    fn human(&self, page: &mut Document<'_>) {
        let mut table = TextTable::new([
            TextColumn::fixed("ID").right(),
            TextColumn::fixed("TASK"),
            TextColumn::text("NAME"),
            TextColumn::fixed("BYTES").right(),
            TextColumn::text("BY").priority(2),
            TextColumn::fixed("ADDED").priority(1),
            TextColumn::path("PATH").priority(3).least(20),
        ]);
        for one in &self.attachments {
            table.row([
                (Label::Id, one.id.show()),
                (Label::Id, one.task_id.show()),
                (Label::Text, one.filename.show()),
                (Label::Text, one.size.show()),
                (Label::Text, one.uploaded_by.show()),
                (Label::Dim, self.times.show(&one.created_at)),
                (Label::Dim, one.stored_path.show()),
            ]);
        }
        page.table(&table);
    }

    fn plain(&self, records: &mut Records<'_>) {
        for one in &self.attachments {
            records.record(&[
                &one.id.show(),
                &one.task_id.show(),
                &one.filename.show(),
                &one.content_type.show(),
                &one.size.show(),
                &one.uploaded_by.show(),
                &utc(&one.created_at),
                &one.stored_path.show(),
            ]);
        }
    }
}
