//! `attach-rm`: attachments removed, rows and files.

use std::path::Path;

use serde::Serialize;

use super::Context;
use super::{attach, bulk};
use crate::board::attached_files;
use crate::failure::count::counted;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::store::attachment::Attachment;
use crate::store::verbs::attach::detach;
use crate::store::writer::TaskWriter;
use crate::ui::{Document, Records, Report};

/// Remove attachments by their numbers, which `attachments` shows. Their files are removed too.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Numbers of attachments.
    #[arg(required = true, value_name = "ATTACHMENT")]
    pub numbers: Vec<i64>,
    /// The task that they must belong to.
    #[arg(long, value_name = "ID")]
    pub of: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown number, 14 for one of another task; nothing is removed then.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let scope = bulk::worker_scope(context.env)?;
    let root = attach::root(context);
    let mut pool = context.pool(Access::Write)?;
    let now = context.clock.epoch();
    let removed = pool.write(|txn, schema| {
        let writer = TaskWriter::new(txn, schema, now)?.for_worker(scope);
        let of = args.of.as_deref().map(|typed| writer.resolve(typed)).transpose()?;
        let mut removed = Vec::with_capacity(args.numbers.len());
        for &number in &args.numbers {
            let (found, alone) = detach(&writer, number).map_err(|refusal| refusal.failure)?;
            let task = found.task_id.show();
            if of.as_ref().is_some_and(|of| *of != task) {
                return Err(Failure::conflict(format!("attachment {number} belongs to {task}.")));
            }
            removed.push((found, alone));
        }
        Ok(removed)
    })?;
    let closed = pool.close();
    let dry_run = context.globals.dry_run;
    let mut left = Vec::new();
    for (one, alone) in removed.iter().filter(|_| !dry_run) {
        let path = one.stored_path.show();
        let gone = *alone && root.as_ref().is_ok_and(|root| attached_files::remove(root, Path::new(&path)));
        if *alone && !gone && Path::new(&path).exists() {
            left.push(path);
        }
    }
    let shown = context.ui.emit_done(&RemovedAttachments {
        attachments: removed.iter().map(|(one, _)| RemovedAttachment { attachment: one, dry_run }).collect(),
    });
    let count = counted(removed.len() as u64, "attachment", "attachments");
    if dry_run {
        context.ui.status(format_args!("Dry run: {count} would be removed; nothing was written."));
    } else {
        context.ui.status(format_args!("Removed {count}."));
    }
    for path in left {
        context
            .ui
            .warning(format_args!("{path} does not lie below the board's attachments and was left alone."));
    }
    closed?;
    shown.map(|()| Exit::Ok).map_err(|failure| failure.behind(format!("{count} removed")))
}

#[derive(Serialize)]
struct RemovedAttachment<'a> {
    #[serde(flatten)]
    attachment: &'a Attachment,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct RemovedAttachments<'a> {
    attachments: Vec<RemovedAttachment<'a>>,
}

impl Report for RemovedAttachments<'_> {
    fn kind(&self) -> &'static str {
        "attachment.removed.list"
    }

    fn record_kind(&self) -> &'static str {
        "attachment.removed"
    }

    fn human(&self, page: &mut Document<'_>) {
        for one in &self.attachments {
            page.line(&one.attachment.id.show());
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for one in &self.attachments {
            records.record(&[&one.attachment.id.show()]);
        }
    }
}
