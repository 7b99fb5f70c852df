//! `version`: what this binary is, and with `-v` which SQLite it carries.
//!
//! The SQLite version decides which incidents are possible (tests/incidents.md F12, F13), so it can be asked for without a
//! board; none is touched.

use rusqlite::Connection;
use serde::Serialize;

use super::Context;
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::ui::{Document, Records, Report};

/// Print the version; with -v also SQLite's, and what it was built with.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// What the binary is made of.
#[derive(Debug, Serialize)]
struct VersionReport {
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sqlite: Option<Sqlite>,
}

/// The SQLite that is linked in.
#[derive(Debug, Serialize)]
struct Sqlite {
    version: &'static str,
    source_id: String,
    options: Vec<String>,
}

impl Report for VersionReport {
    fn kind(&self) -> &'static str {
        "version"
    }

    fn human(&self, page: &mut Document<'_>) {
        page.line(&format!("kanbanctl {}", self.version));
        if let Some(sqlite) = &self.sqlite {
            page.line(&format!("SQLite {} ({})", sqlite.version, sqlite.source_id));
            for option in &sqlite.options {
                page.line(&format!("  {option}"));
            }
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&["kanbanctl", self.version]);
        if let Some(sqlite) = &self.sqlite {
            records.record(&["sqlite", sqlite.version]);
            records.record(&["sqlite-source", &sqlite.source_id]);
            for option in &sqlite.options {
                records.record(&["sqlite-option", option]);
            }
        }
    }
}

/// Runs the verb.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(context: &mut Context<'_>, _args: &Args) -> Outcome<Exit> {
    let sqlite = if context.globals.verbose > 0 { Some(sqlite()?) } else { None };
    context.ui.emit(&VersionReport { version: env!("CARGO_PKG_VERSION"), sqlite })?;
    Ok(Exit::Ok)
}

fn sqlite() -> Outcome<Sqlite> {
    let memory = Connection::open_in_memory()?;
    let source_id = memory.query_row("SELECT sqlite_source_id()", [], |row| row.get(0))?;
    let mut statement = memory.prepare("PRAGMA compile_options")?;
    let options = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(Sqlite { version: rusqlite::version(), source_id, options })
}
