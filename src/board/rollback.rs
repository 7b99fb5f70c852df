//! The board's rollback journal, before SQLite opens the board: tests whether it is hot.
//!
//! Asks SQLite's own question ("Atomic Commit In SQLite", section 4.2) without SQLite: a journal is hot when its header is
//! valid and no living writer has the board. Not here: its content ([`crate::ondisk::journal`]).

use std::fs::File;
use std::io::{ErrorKind, Read};

use super::Inspection;
use super::getlk;
use crate::failure::{Failure, Outcome};

/// Where a journal's transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollback {
    /// A living process is at work on it.
    UnderWay,
    /// Its writer has gone: whoever writes next puts back what was there before.
    Interrupted,
}

/// The transaction whose journal lies beside the board; nothing where there is none, or where one that ended left it there.
///
/// # Errors
/// When the journal cannot be read.
pub fn of(inspection: &Inspection) -> Outcome<Option<Rollback>> {
    let Some(journal) = inspection.sidecars.journal.as_ref().filter(|journal| journal.stamp.len > 0) else {
        return Ok(None);
    };
    let mut first = [0];
    match File::open(&journal.path).and_then(|mut file| file.read(&mut first)) {
        // One that ended is gone, cut to nothing or begins with zeros.
        Ok(_) if first == [0] => Ok(None),
        Ok(_) if getlk::is_written_to(&inspection.resolved) => Ok(Some(Rollback::UnderWay)),
        Ok(_) => Ok(Some(Rollback::Interrupted)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Failure::io(error, format!("reading {}", journal.path.display())).at(&journal.path))
        }
    }
}

/// Whether a transaction was cut short.
///
/// # Errors
/// As [`of`].
pub fn is_interrupted(inspection: &Inspection) -> Outcome<bool> {
    Ok(of(inspection)? == Some(Rollback::Interrupted))
}
