//! What a board brings along that reading it would run: generated columns, views and virtual tables under Hermes' names,
//! comparisons by functions that nobody knows, indexes on expressions.
//!
//! Responsible for saying so before any statement touches them. Triggers and views are switched off on every connection
//! (docs/architecture.md, rule 9); SQLite has no switch for the rest. What a board may not have to be written is judged in
//! [`mod@super::check`].

use rusqlite::Connection;

use super::check::lossy;
use super::text::{foreign_collation, says_as};
use crate::failure::{Failure, Outcome};
use crate::hermes;

/// SQLite's patterns for a word that stands alone, in any case.
const SAYS_AS: &str = "*[^A-Za-z0-9_][Aa][Ss][^A-Za-z0-9_]*";
const SAYS_WHERE: &str = "*[^A-Za-z0-9_][Ww][Hh][Ee][Rr][Ee][^A-Za-z0-9_]*";

/// Refuses a database that holds no tasks, and one whose tables cannot be read without running what it brings along.
/// One pass over `sqlite_master`.
///
/// # Errors
/// Exit 10 without tasks; 12 with code.
pub fn require_board(conn: &Connection) -> Outcome<()> {
    let mut statement = conn
        .prepare("SELECT name, type, rootpage > 0, sql FROM sqlite_master WHERE type IN ('table', 'view')")?;
    let mut rows = statement.query([])?;
    let (mut tasks, mut why) = (false, Vec::new());
    while let Some(row) = rows.next()? {
        let name = lossy(row, 0)?;
        let Some(facts) = hermes::table(&name) else {
            continue;
        };
        let stored = row.get::<_, bool>(2).unwrap_or(false);
        match row.get_ref(1)?.as_bytes() {
            Ok(b"table") if stored => {
                tasks |= facts.name == "tasks";
                let sql = lossy(row, 3)?;
                why.extend(foreign_collation(facts.name, &sql));
                if says_as(&sql) {
                    why.extend(generated_columns(conn, facts.name)?);
                }
            }
            Ok(b"table") => why.push(format!("{} is a virtual table", facts.name)),
            _ => why.push(format!("{} is a view", facts.name)),
        }
    }
    if let Some(first) = why.first() {
        return Err(Failure::refused(format!(
            "reading this board would run code that it brings along: {first}."
        ))
        .hint("`kanbanctl health` lists what differs; nothing was run.")
        .hint("Take its rows out with `kanbanctl recover --output NEW.db`, which runs nothing."));
    }
    if tasks { Ok(()) } else { Err(super::no_board()) }
}

/// Tables that SQLite's own check cannot look at without evaluating what they bring along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carriers {
    /// Tables with generated columns; every check evaluates those.
    pub generated: Vec<String>,
    /// Tables with indexes on expressions or under a condition; the full check evaluates those.
    pub indexed: Vec<String>,
    /// Virtual tables; every check of the whole file starts their modules.
    pub modules: Vec<String>,
}

/// Looks for them in the whole schema, tables of others included.
///
/// # Errors
/// What SQLite says.
pub fn carriers(conn: &Connection) -> Outcome<Carriers> {
    let names = |sql: &str| -> Outcome<Vec<String>> {
        let mut statement = conn.prepare(sql)?;
        let rows = statement.query_map([], |row| lossy(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    Ok(Carriers {
        generated: names(&format!(
            "SELECT name FROM sqlite_master AS m WHERE type = 'table' AND rootpage > 0 AND sql GLOB '{SAYS_AS}'
             AND EXISTS (SELECT 1 FROM pragma_table_xinfo(m.name) WHERE hidden IN (2, 3)) ORDER BY name"
        ))?,
        indexed: names(&format!(
            "SELECT DISTINCT tbl_name FROM sqlite_master AS m WHERE type = 'index' AND sql IS NOT NULL
             AND (sql GLOB '{SAYS_WHERE}' OR EXISTS (SELECT 1 FROM pragma_index_xinfo(m.name) WHERE cid = -2))
             ORDER BY 1"
        ))?,
        modules: names(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND (rootpage IS NULL OR rootpage <= 0) ORDER BY name",
        )?,
    })
}

fn generated_columns(conn: &Connection, table: &str) -> Outcome<Vec<String>> {
    let mut statement = conn.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden IN (2, 3)")?;
    let rows = statement.query_map([table], |row| lossy(row, 0))?;
    Ok(rows
        .map(|name| Ok(format!("{table}.{} is a generated column", name?)))
        .collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_of_hermes_carries_nothing() {
        let conn = Connection::open_in_memory().unwrap();
        super::super::create(&conn).unwrap();
        assert_eq!(carriers(&conn).unwrap(), Carriers::default());
        require_board(&conn).unwrap();
        conn.execute_batch("CREATE TABLE x(a, b AS (a + 1)); CREATE INDEX i ON tasks(body) WHERE body > 1")
            .unwrap();
        let found = carriers(&conn).unwrap();
        assert_eq!((found.generated, found.indexed), (vec!["x".to_owned()], vec!["tasks".to_owned()]));
    }
}
