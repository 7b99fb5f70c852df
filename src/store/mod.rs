//! All SQL text of the tool: what Hermes' tables are, and how their rows are read and written.
//!
//! Free functions over a connection that somebody else opened, began and will commit (`pool`); nothing here
//! prints, opens a file or keeps state. One file per table, `schema` for their shape, `query` for reads across tables.

pub mod acceptance;
pub mod attachment;
pub mod audit;
pub mod candidates;
pub mod cascade;
pub mod comment;
pub mod complete;
pub mod create;
pub mod diagnostics;
pub mod draft;
pub mod encoding;
pub mod event;
pub mod feed;
pub mod field;
pub mod graph;
pub mod id;
pub mod json;
pub mod link;
pub mod mend_cells;
pub mod odd_values;
pub mod pickup;
pub mod query;
pub mod run;
pub mod schema;
pub mod search;
pub mod subscription;
pub mod task;
#[cfg(test)]
mod tests;
pub mod text;
pub mod transfer;
pub mod verbs;
pub mod vocabulary;
pub mod worker_context;
pub mod writer;
