//! Rows of `task_links`: which task waits for which.

use rusqlite::{Connection, params};

use crate::failure::Outcome;

/// Makes `child` wait for `parent`; already so is fine.
pub fn insert(conn: &Connection, parent: &str, child: &str) -> Outcome<()> {
    conn.prepare_cached("INSERT OR IGNORE INTO task_links (parent_id, child_id) VALUES (?1, ?2)")?
        .execute(params![parent, child])?;
    Ok(())
}

/// The tasks that `task` waits for, by id.
pub fn parents(conn: &Connection, task: &str) -> Outcome<Vec<String>> {
    ids(conn, "SELECT parent_id FROM task_links WHERE child_id = ?1 ORDER BY parent_id", task)
}

/// The tasks that wait for `task`, by id.
pub fn children(conn: &Connection, task: &str) -> Outcome<Vec<String>> {
    ids(conn, "SELECT child_id FROM task_links WHERE parent_id = ?1 ORDER BY child_id", task)
}

/// True in a query over `tasks` for a row with a parent that is neither `done` nor `archived`, as [`satisfied`] has it.
pub(super) const HAS_OPEN_PARENT: &str = "EXISTS (SELECT 1 FROM task_links AS of_child JOIN tasks AS parent \
     ON parent.id = of_child.parent_id WHERE of_child.child_id = tasks.id \
     AND parent.status NOT IN ('done', 'archived'))";

/// Whether every parent that exists is `done` or `archived`; a link to a task that is gone does not count.
pub fn satisfied(conn: &Connection, child: &str) -> Outcome<bool> {
    let open = conn
        .prepare_cached(
            "SELECT 1 FROM task_links l JOIN tasks t ON t.id = l.parent_id \
             WHERE l.child_id = ?1 AND t.status NOT IN ('done', 'archived') LIMIT 1",
        )?
        .exists([child])?;
    Ok(!open)
}

/// True if every parent is `done`: for some verbs of Hermes 0.19.0 an archived one counts as open.
pub fn all_done(conn: &Connection, child: &str) -> Outcome<bool> {
    let open = conn
        .prepare_cached(
            "SELECT 1 FROM task_links l JOIN tasks t ON t.id = l.parent_id \
             WHERE l.child_id = ?1 AND t.status != 'done' LIMIT 1",
        )?
        .exists([child])?;
    Ok(!open)
}

/// Return the parents that are neither `done` nor `archived`, in the order of Hermes' query.
pub fn open_parents(conn: &Connection, child: &str) -> Outcome<Vec<String>> {
    let sql = "SELECT t.id FROM tasks t JOIN task_links l ON l.parent_id = t.id \
               WHERE l.child_id = ?1 AND t.status NOT IN ('done', 'archived')";
    ids(conn, sql, child)
}

fn ids(conn: &Connection, sql: &str, task: &str) -> Outcome<Vec<String>> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([task], |row| row.get::<_, super::field::Field>(0).map(|id| id.show()))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
