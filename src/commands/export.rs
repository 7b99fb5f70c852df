//! `export`: rows as JSON lines, without loss.

use std::path::Path;

use serde_json::json;

use super::Context;
use crate::board::Inspection;
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::schema::BoardVersion;
use crate::store::transfer::{self, ExportLine, hex};
use crate::store::{attachment, schema, task};
use crate::ui::JsonRows;

/// Write the board as JSON lines that `import` reads: every row of Hermes' tables, byte for byte.
///
/// With ids only these tasks, with everything that hangs on them. The format is the same whatever --format says.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only these tasks: ids, or unique beginnings of them.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// The files of attachments too.
    #[arg(long)]
    pub attachments: bool,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task, and what the pool says.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let inspection = context.inspection()?;
    let rows = gather(context, inspection, args, None, true)?;
    rows.finish(context.ui)?;
    Ok(Exit::Ok)
}

/// What says how the board is called, by its version.
pub(super) type BoardHead<'a> = &'a dyn Fn(BoardVersion) -> Outcome<ExportLine>;

/// Return the lines of an export, with that of `board` behind the first, and say what is not in it.
///
/// # Errors
/// As [`run`].
pub(super) fn lines(
    context: &mut Context<'_>,
    inspection: Inspection,
    ids: &[String],
    attachments: bool,
    board: Option<BoardHead<'_>>,
) -> Outcome<Vec<u8>> {
    let args = Args { ids: ids.to_vec(), attachments };
    gather(context, inspection, &args, board, false)?.into_bytes()
}

/// Gather the lines; where they go out, most of them are written on the way.
fn gather(
    context: &mut Context<'_>,
    inspection: Inspection,
    args: &Args,
    board: Option<BoardHead<'_>>,
    goes_out: bool,
) -> Outcome<JsonRows> {
    let mut pool = context.pool_for(inspection, Access::Read)?;
    let mut rows = context.ui.json_lines(context.scratch());
    let (end, left, files) = pool.read_rows(|conn, still| {
        rows.restart();
        // Several statements, one state of the board.
        let txn = conn.unchecked_transaction()?;
        schema::require_board(&txn)?;
        let ids = args.ids.iter().map(|typed| task::resolve(&txn, typed)).collect::<Outcome<Vec<_>>>()?;
        let ids = (!ids.is_empty()).then_some(ids);
        let board = board.map(|board| board(schema::version(&txn)?)).transpose()?;
        let mut end = None;
        let left = transfer::export(&txn, ids.as_deref(), &mut |line| {
            // The files come before the end.
            if line.0 == "export.end" {
                end = Some(line);
                return Ok(());
            }
            rows.push_kind(line.0, &line.1)?;
            if let Some((kind, data)) = board.as_ref().filter(|_| line.0 == "export") {
                rows.push_kind(kind, data)?;
            }
            if goes_out && rows.is_due() && still.holds() { rows.release(context.ui) } else { Ok(()) }
        })?;
        let mut files = Vec::new();
        if args.attachments {
            files = match &ids {
                None => attachment::all(&txn)?,
                Some(ids) => {
                    let of =
                        ids.iter().map(|id| attachment::of_task(&txn, id)).collect::<Outcome<Vec<_>>>()?;
                    of.into_iter().flatten().collect()
                }
            };
        }
        txn.commit()?;
        Ok((end, left, files))
    })?;
    pool.close()?;
    for one in files {
        if goes_out {
            rows.confirm(context.ui)?;
        }
        let path = one.stored_path.show();
        match std::fs::read(Path::new(&path)) {
            Ok(bytes) => {
                let file = json!({ "attachment": one.id, "bytes_hex": hex(&bytes) });
                rows.push_kind("export.file", &file)?;
            }
            Err(error) => {
                context.ui.warning(format_args!("{path} cannot be read and is not in it: {error}."));
            }
        }
    }
    if let Some((kind, data)) = end {
        rows.push_kind(kind, &data)?;
    }
    if !left.is_empty() {
        let tables = left.join(", ");
        context
            .ui
            .warning(format_args!("Tables that are not Hermes' are not in it: {tables}; a backup has them."));
    }
    Ok(rows)
}
