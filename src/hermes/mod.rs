//! What Hermes' own versions put into a board, as data: tables, columns and their orders on disk, indexes.
//!
//! Every order was recorded from boards that the versions 0.13.0 to 0.22.2 made and migrated.
//! Not here: how a board differs from this ([`crate::store::schema`]), what a lost schema was
//! ([`crate::salvage`]).

mod orders;
mod tables;

pub use orders::{SchemaVersion, orders};
pub use tables::{APPEND_ONLY_TABLES, ColumnFacts, INDEXES, TABLES, TableFacts, UNRELEASED_COLUMNS, table};
