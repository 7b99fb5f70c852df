//! The projects of a Hermes profile, which lie in a database of their own: `projects.db` in the profile's home.
//!
//! Only read, and before the board is opened: this process has one database open at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use super::Context;
use super::draft::DraftLine;
use crate::board::home::expanded;
use crate::board::location::Metadata;
use crate::failure::{Failure, Outcome};
use crate::pool::{immutable_uri, protect};
use crate::store::draft::{Draft, Project};

/// The projects that new tasks name, each looked up once.
pub(super) struct Projects {
    /// By the name that was given.
    named: BTreeMap<String, Project>,
    /// What the command line names for every task; an empty name means none, not even the board's.
    option: Option<String>,
    board: Option<Project>,
}

impl Projects {
    /// Look up every project that the command line, a line or the board names.
    ///
    /// # Errors
    /// Exit 13 for a named one that is not there. A board's project that is not there is left out, with a warning.
    pub(super) fn of(
        context: &mut Context<'_>,
        option: Option<&str>,
        lines: &[DraftLine],
        metadata: &Metadata,
    ) -> Outcome<Self> {
        let lines = lines.iter().filter_map(|line| line.project.as_deref());
        let names: Vec<&str> =
            option.into_iter().chain(lines).map(str::trim).filter(|name| !name.is_empty()).collect();
        let of_board = metadata.project_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
        let mut projects = Self { named: BTreeMap::new(), option: option.map(str::to_owned), board: None };
        if names.is_empty() && of_board.is_none() {
            return Ok(projects);
        }
        let path = database(context);
        let connection = open(&path)?;
        for name in names {
            let found = connection.as_ref().map(|connection| find(connection, name)).transpose()?.flatten();
            let Some(project) = found else {
                return Err(Failure::not_found(format!("there is no project {name} in {}.", path.display()))
                    .hint("`hermes project list` shows the projects of the profile; HERMES_HOME says which profile."));
            };
            projects.named.insert(name.to_owned(), project);
        }
        if let Some(id) = of_board {
            projects.board =
                connection.as_ref().map(|connection| find(connection, id)).transpose()?.flatten();
            if projects.board.is_none() {
                context.ui.warning(format_args!(
                    "The board belongs to the project {id}, which is not in {}; the tasks get no project.",
                    path.display()
                ));
            }
        }
        Ok(projects)
    }

    /// Give a task its project.
    pub(super) fn assign(&self, line: Option<&str>, draft: &mut Draft) {
        let name = line.or(self.option.as_deref()).map(str::trim);
        match name {
            Some(name) => draft.project = self.named.get(name).cloned(),
            None => draft.board_project.clone_from(&self.board),
        }
    }
}

/// Return the file of the profile's projects.
fn database(context: &Context<'_>) -> PathBuf {
    let home = context.env.get("HERMES_HOME").filter(|home| !home.is_empty());
    let home = home.map_or_else(|| PathBuf::from(expanded("~/.hermes", context.env)), PathBuf::from);
    home.join("projects.db")
}

/// Open the file for reading; nothing where there is none. Without a log beside it nothing is made beside it either.
fn open(path: &Path) -> Outcome<Option<Connection>> {
    if !path.exists() {
        return Ok(None);
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let has_log = std::fs::metadata(PathBuf::from(log)).is_ok_and(|log| log.len() > 0);
    let connection = if has_log {
        Connection::open_with_flags(path, flags)
    } else {
        Connection::open_with_flags(immutable_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)
    };
    let connection = connection.map_err(|error| Failure::from(error).at(path))?;
    protect(&connection)?;
    Ok(Some(connection))
}

/// Return a project by its id, else by its slug.
fn find(connection: &Connection, name: &str) -> Outcome<Option<Project>> {
    let read = |row: &Row<'_>| Ok(Project { id: row.get(0)?, slug: row.get(1)?, primary_path: row.get(2)? });
    for (column, value) in [("id", name.to_owned()), ("slug", name.to_lowercase())] {
        let sql = format!("SELECT id, slug, primary_path FROM projects WHERE {column} = ?1");
        let found = connection.prepare(&sql)?.query_row([value], read).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
