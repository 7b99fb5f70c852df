//! The page-level reader: bytes in, values out.
//!
//! No I/O, no SQLite, no panics, no endless loops, whatever the bytes are: everything here is a function of slices, or of
//! a [`store::Store`] that gives slices. Which reading is believed, and what becomes of what could not be read, is `recover/`'s business. One structure of
//! the file format a module:
//!
//! ```text
//!   board.db                                      board.db-wal
//!   +--------------------------+  header          +------------------+  wal::WalHeader (32 bytes)
//!   | page 1: 100 byte header  |                  | frame header (24)|  wal::Frame
//!   |         b-tree page      |  page            | page image       |
//!   +--------------------------+                  +------------------+
//!   | page 2: b-tree page      |  page, btree     | frame header     |
//!   |   cell -> record         |  record, varint  | page image       |
//!   |        -> overflow page  |  overflow        |  ...             |
//!   +--------------------------+                  +------------------+
//!   | page 3: freelist trunk   |  freelist
//!   |  ...                     |                  main file + committed frames = image
//!   +--------------------------+
//! ```
//!
//! Numbers are big-endian. Facts are from "Database File Format" (sqlite.org/fileformat2.html), named by section.

pub mod btree;
pub mod byte_map;
mod field;
pub mod freelist;
pub mod geometry;
pub mod header;
pub mod image;
pub mod journal;
pub mod overflow;
pub mod page;
pub mod record;
pub mod store;
pub mod text;
pub mod varint;
pub mod wal;

use std::fmt;

/// No more pages than this are believed on the word of a page number (16 GiB of the usual 4096 bytes); it bounds what a
/// hostile WAL frame can ask for.
const MAX_PAGES: u32 = 1 << 22;

/// Why some bytes are not the structure that was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt {
    /// What is wrong, as half a sentence ("a cell points outside its page").
    pub reason: &'static str,
    /// Where, in bytes from the start of the slice that was read.
    pub offset: usize,
}

impl Corrupt {
    /// The fault `reason` at `offset`.
    pub(crate) const fn new(reason: &'static str, offset: usize) -> Self {
        Self { reason, offset }
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.offset)
    }
}

impl std::error::Error for Corrupt {}
