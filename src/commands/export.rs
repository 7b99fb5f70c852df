//! `export`: rows as JSON lines, without loss.

use std::path::Path;

use serde_json::{Value, json};

use super::Context;
use crate::board::Inspection;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::store::schema::BoardVersion;
use crate::store::transfer::{self, ExportLine, hex};
use crate::store::{attachment, schema, task};

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
    let text = lines(context, inspection, &args.ids, args.attachments, None)?;
    context.ui.raw_bytes(&text)?;
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
    let mut pool = context.pool_for(inspection, Access::Read)?;
    let (text, left, files) = pool.read(|conn| {
        schema::require_board(conn)?;
        let ids = ids.iter().map(|typed| task::resolve(conn, typed)).collect::<Outcome<Vec<_>>>()?;
        let ids = (!ids.is_empty()).then_some(ids);
        let board = board.map(|board| board(schema::version(conn)?)).transpose()?;
        let mut text = Vec::new();
        let mut end = None;
        let left = transfer::export(conn, ids.as_deref(), &mut |line| {
            // The files come before the end.
            if line.0 == "export.end" {
                end = Some(line);
            } else {
                push(&mut text, line.0, &line.1)?;
                if let Some((kind, data)) = board.as_ref().filter(|_| line.0 == "export") {
                    push(&mut text, kind, data)?;
                }
            }
            Ok(())
        })?;
        let mut files = Vec::new();
        if attachments {
            files = match &ids {
                None => attachment::all(conn)?,
                Some(ids) => {
                    let of =
                        ids.iter().map(|id| attachment::of_task(conn, id)).collect::<Outcome<Vec<_>>>()?;
                    of.into_iter().flatten().collect()
                }
            };
        }
        Ok(((text, end), left, files))
    })?;
    pool.close()?;
    let (mut text, end) = text;
    for one in files {
        let path = one.stored_path.show();
        match std::fs::read(Path::new(&path)) {
            Ok(bytes) => {
                push(&mut text, "export.file", &json!({ "attachment": one.id, "bytes_hex": hex(&bytes) }))?;
            }
            Err(error) => {
                context.ui.warning(format_args!("{path} cannot be read and is not in it: {error}."));
            }
        }
    }
    if let Some((kind, data)) = end {
        push(&mut text, kind, &data)?;
    }
    if !left.is_empty() {
        let tables = left.join(", ");
        context
            .ui
            .warning(format_args!("Tables that are not Hermes' are not in it: {tables}; a backup has them."));
    }
    Ok(text)
}

fn push(text: &mut Vec<u8>, kind: &str, data: &Value) -> Outcome<()> {
    let line = json!({ "schema_version": 1, "kind": kind, "data": data });
    serde_json::to_writer(&mut *text, &line).map_err(|error| Failure::failed(format!("{error}.")))?;
    text.push(b'\n');
    Ok(())
}
