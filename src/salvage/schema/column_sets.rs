//! The `CREATE TABLE` texts that a table of Hermes can have had, where its own is lost.
//!
//! Not here: the orders of columns themselves ([`crate::hermes`]).

use crate::hermes::{self, ColumnFacts, Release, TableFacts};
use crate::store::schema;

/// Return the `CREATE TABLE` texts that give the table `name` each order of columns that it can have had, that of a new
/// board first. Empty for a table that is not Hermes'.
pub(crate) fn texts(name: &str) -> Vec<String> {
    let Some(facts) = hermes::table(name) else { return Vec::new() };
    hermes::orders(facts).iter().map(|order| text(facts, order)).collect()
}

/// Return the text of the table `name` as a new board gets it, with `more` columns of unknown name behind.
pub(crate) fn text_with_unknown(name: &str, more: usize) -> Option<String> {
    let facts = hermes::table(name)?;
    let known: Vec<_> = facts.created(Release::CREATED).collect();
    let unknown = (1..=more).map(|number| format!("unknown_{}", known.len() + number));
    Some(schema::create_table_of(facts, known.iter().map(|column| declared(column)).chain(unknown)))
}

fn text(facts: &TableFacts, order: &[&ColumnFacts]) -> String {
    schema::create_table_of(facts, order.iter().map(|column| declared(column)))
}

fn declared(column: &ColumnFacts) -> String {
    format!("{} {}", column.name, column.declaration)
}
