//! The smallest repair: rebuilds indexes that disagree with sound tables (F04).
//!
//! Tells this damage from every other kind and ends it in one transaction. SQLite's check must name nothing but indexes, with
//! no limit on its rows: many index rows can hide a worse one.

use std::collections::BTreeSet;

use rusqlite::{Connection, ffi};

use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::rest_between_looks;
use crate::store::audit::{self, Integrity, quoted};

/// What a board's check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// Nothing is wrong.
    Sound,
    /// These indexes are wrong, and nothing else.
    Indexes(BTreeSet<String>),
    /// Something else is wrong; the first such finding.
    Worse(String),
}

/// The diagnosis of what SQLite's full check `said`.
pub fn diagnose(said: &[String]) -> Diagnosis {
    let mut names = BTreeSet::new();
    for finding in said {
        match audit::index_at_fault(finding) {
            Some(name) => names.insert(name.to_owned()),
            None => return Diagnosis::Worse(finding.clone()),
        };
    }
    if names.is_empty() { Diagnosis::Sound } else { Diagnosis::Indexes(names) }
}

/// Rebuilds the named indexes from their tables, and checks the board whole before the transaction may end.
///
/// # Errors
/// Exit 4 when that does not make it sound, for instance because rows of the table are not unique; nothing is changed then.
pub fn reindex(connection: &Connection, names: &BTreeSet<String>) -> Outcome<()> {
    for name in names {
        connection.execute_batch(&format!("REINDEX main.{}", quoted(name))).map_err(|error| {
            let failure = Failure::from(error);
            let unfit = failure.sqlite_code().is_some_and(|code| code & 0xff == ffi::SQLITE_CONSTRAINT);
            let failure = failure.context(format!("the index {name} cannot be rebuilt"));
            if unfit { failure.with_exit(Exit::Damaged) } else { failure }
        })?;
    }
    let mut said = audit::integrity(connection, Integrity::Full)?;
    if !said.is_empty() {
        rest_between_looks(connection);
        said = audit::integrity(connection, Integrity::Full)?;
    }
    match said.first() {
        None => Ok(()),
        Some(finding) => Err(Failure::damaged(format!("the board would still be damaged: {finding}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(findings: &[&str]) -> Diagnosis {
        diagnose(&findings.iter().map(|finding| (*finding).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_findings_about_indexes_are_repaired() {
        let names =
            |names: &[&str]| Diagnosis::Indexes(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(said(&[]), Diagnosis::Sound);
        assert_eq!(
            said(&[
                "wrong # of entries in index a",
                "row 418 missing from index b c",
                "row 7 values differ from index a",
                "rowid not at end-of-record for row 3 of index d",
                "non-unique entry in index a",
            ]),
            names(&["a", "b c", "d"])
        );
        for worse in [
            "Tree 2 page 175 cell 1: invalid page number 196",
            "NULL value in tasks.title",
            "Page 149: never used",
            "Tree 9 page 9: btreeInitPage() returns error code 11",
            "NULL value in x missing from index y",
        ] {
            assert_eq!(said(&["row 1 missing from index a", worse]), Diagnosis::Worse(worse.to_owned()));
        }
    }
}
