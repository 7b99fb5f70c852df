//! The scratch board afterwards: whether it is sound and has every acknowledged commit.
//!
//! Opens it as the next user would, which also rolls back what a killed worker left.

use std::collections::HashMap;
use std::path::Path;

use super::tally::OperationTally;
use crate::board::{Board, Origin, copies};
use crate::failure::Outcome;
use crate::pool::{Access, Budget, Pool};
use crate::process::signals::Signals;
use crate::store::audit::{self, Integrity};
use crate::store::query::{self, Filter};

/// Messages of an integrity check that are worth repeating.
const MOST_MESSAGES: usize = 3;

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// `ok`, or what SQLite says.
    pub integrity: String,
    /// Tasks told as created or completed that are not there, or not done.
    pub lost: Vec<String>,
    /// Copies that somebody put aside as corrupt.
    pub corrupt_copies: usize,
}

/// The board named by its path.
pub fn board(path: &Path) -> Board {
    Board { slug: None, path: path.to_path_buf(), origin: Origin::DbOption }
}

/// Looks at the board for what the workers told. One that cannot be read has lost everything.
///
/// # Errors
/// Exit 11 when somebody is in the way for the whole budget, 12 when there is no room to open it; the signal's.
pub fn examine(path: &Path, told: &OperationTally, budget: Budget, signals: &Signals) -> Outcome<Findings> {
    let corrupt_copies = copies::count(path).count;
    let read = || -> Outcome<(Vec<String>, HashMap<String, String>)> {
        let inspection = board(path).inspect()?;
        let mut pool = Pool::new(inspection, Access::Write, budget, signals.clone())?;
        let said = pool.read(|conn| audit::integrity(conn, Integrity::Full))?;
        let everything = Filter { archived: true, ..Filter::default() };
        let tasks = pool.read(|conn| query::list(conn, &everything, &["id", "status"]))?;
        pool.close()?;
        Ok((said, tasks.iter().map(|task| (task.id(), task.field("status").show())).collect()))
    };
    let (said, tasks) = match read() {
        Ok(found) => found,
        Err(failure) if failure.is_damage() => (vec![failure.to_string()], HashMap::new()),
        Err(failure) => return Err(failure),
    };
    let mut lost: Vec<String> = told.created.iter().filter(|id| !tasks.contains_key(*id)).cloned().collect();
    lost.extend(told.completed.iter().filter(|id| tasks.get(*id).is_some_and(|is| is != "done")).cloned());
    lost.sort();
    let integrity = if said.is_empty() {
        "ok".to_owned()
    } else {
        said.iter().take(MOST_MESSAGES).cloned().collect::<Vec<_>>().join("; ")
    };
    Ok(Findings { integrity, lost, corrupt_copies })
}
