//! `log`: what a task's worker wrote.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde::Serialize;

use super::Context;
use crate::board::location;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Access;
use crate::store::{schema, task};
use crate::ui::{Document, Records, Report};

/// Show the log of a task's worker.
///
/// Off a terminal the bytes are written as they are. Of a longer log only the end is read where --tail says so.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Id, or a unique beginning of one.
    pub id: String,
    /// Only the last BYTES bytes.
    #[arg(long, value_name = "BYTES", value_parser = super::values::size)]
    pub tail: Option<u64>,
}

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown task and where there is no log.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let board = context.board()?;
    let mut pool = context.pool(Access::Read)?;
    let id = pool.read(|conn| {
        schema::require_board(conn)?;
        task::resolve(conn, &args.id)
    })?;
    pool.close()?;
    let Some(slug) = &board.slug else {
        return Err(Failure::not_found("the board does not lie under the root, so its logs are not known.")
            .hint("Hermes keeps logs in `kanban/logs` under its root; name the board with --board."));
    };
    let path = location::files_folder(&location::root(context.env)?, slug, "logs").join(format!("{id}.log"));
    let log = read(&path, &id, args.tail)?;
    if !context.ui.format().is_json() && !context.ui.settings().stdout_terminal {
        context.ui.raw_bytes(&log.bytes)?;
        return Ok(Exit::Ok);
    }
    context.ui.emit(&log)?;
    Ok(Exit::Ok)
}

fn read(path: &Path, id: &str, tail: Option<u64>) -> Outcome<WorkerLog> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::not_found(format!("there is no log of {id}."))
            .hint("Its worker has not started yet.")
            .at(path),
        _ => Failure::io(error, format!("reading {}", path.display())).at(path),
    })?;
    let mut bytes = Vec::new();
    let mut fetch = || {
        let length = file.metadata()?.len();
        if let Some(tail) = tail.filter(|tail| *tail < length) {
            file.seek(SeekFrom::Start(length - tail))?;
        }
        file.read_to_end(&mut bytes)
    };
    fetch().map_err(|error| Failure::io(error, format!("reading {}", path.display())).at(path))?;
    Ok(WorkerLog {
        task: id.to_owned(),
        path: path.display().to_string(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
        bytes,
    })
}

#[derive(Serialize)]
struct WorkerLog {
    task: String,
    path: String,
    /// What is not UTF-8 is U+FFFD here.
    text: String,
    #[serde(skip)]
    bytes: Vec<u8>,
}

impl Report for WorkerLog {
    fn kind(&self) -> &'static str {
        "log"
    }

    fn human(&self, page: &mut Document<'_>) {
        for line in self.text.lines() {
            page.line(line);
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for line in self.text.lines() {
            records.record(&[line]);
        }
    }
}
