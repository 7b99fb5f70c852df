//! A board's rows, asked and changed behind kanbanctl's back.

use rusqlite::Connection;
use serde_json::Value;

use super::Sandbox;
use super::sandbox::Output;

/// The `data` of the JSON envelope, whose version is the known one.
pub(crate) fn data(output: &Output) -> Value {
    assert_eq!(output.json()["schema_version"], 1);
    output.data()
}

/// The one number that a query answers.
pub(crate) fn count(sandbox: &Sandbox, sql: &str) -> i64 {
    let connection = Connection::open(sandbox.board()).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Runs statements on the board as any program could.
pub(crate) fn change(sandbox: &Sandbox, sql: &str) {
    Connection::open(sandbox.board()).unwrap().execute_batch(sql).unwrap();
}

/// `kanbanctl create ARGS`; the new task's id.
pub(crate) fn create(sandbox: &Sandbox, args: &[&str]) -> String {
    let args: Vec<&str> = ["create"].iter().chain(args).copied().collect();
    sandbox.run(&args).success().line().to_owned()
}

/// The task's status.
pub(crate) fn status(sandbox: &Sandbox, id: &str) -> String {
    data(&sandbox.run(&["show", id, "--json"]).success())["task"]["status"].as_str().unwrap().to_owned()
}
