//! The database header: the first 100 bytes of page 1 ("Database File Format", section 1.3).
//!
//! On a damaged board every field is a hint. [`Header::read`] takes them all; [`Header::faults`] says which cannot be.
//!
//! ```text
//!   0  "SQLite format 3\0"      28 page count            56 text encoding
//!  16  page size (1 = 65536)    32 first freelist trunk  60 user_version
//!  18  write, read version      36 freelist pages        68 application_id
//!  20  reserved bytes per page  40 schema cookie         92 version-valid-for
//!  21  64, 32, 32               44 schema format         96 SQLite version
//!  24  change counter          52 highest root page
//! ```

use super::field::{u8_at, u16_at, u32_at};

/// Length of the header in bytes.
pub const LEN: usize = 100;

/// Where SQLite's lock bytes begin, PENDING first: the page that holds them is never used, nor logged ("Database File
/// Format", section 1.3).
pub const LOCK_BYTES_AT: u64 = 0x4000_0000;
/// What every database starts with.
pub const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Header byte 18 or 19 of a board in WAL mode.
pub const VERSION_WAL: u8 = 2;

const PAGE_SIZE: usize = 16;
const WRITE_VERSION: usize = 18;
const READ_VERSION: usize = 19;
const RESERVED: usize = 20;
const FRACTIONS: usize = 21;
const CHANGE_COUNTER: usize = 24;
const PAGE_COUNT: usize = 28;
const FREELIST_TRUNK: usize = 32;
const FREELIST_COUNT: usize = 36;
const SCHEMA_COOKIE: usize = 40;
const SCHEMA_FORMAT: usize = 44;
const LARGEST_ROOT: usize = 52;
const ENCODING: usize = 56;
const USER_VERSION: usize = 60;
const APPLICATION_ID: usize = 68;
const VALID_FOR: usize = 92;
const SQLITE_VERSION: usize = 96;

/// The fields of the header, as they stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whether the sixteen magic bytes are there.
    pub magic: bool,
    /// Bytes per page; `None` when the field holds no power of two from 512 to 65536.
    pub page_size: Option<usize>,
    /// Write version: 1 rollback journal, 2 WAL.
    pub write_version: u8,
    /// Read version: 1 rollback journal, 2 WAL.
    pub read_version: u8,
    /// Bytes at the end of each page that SQLite does not use.
    pub reserved: u8,
    /// Whether the three payload fractions are the only values that exist (64, 32, 32).
    pub fractions: bool,
    /// Counts transactions, in WAL mode checkpoints.
    pub change_counter: u32,
    /// Pages in the database.
    pub page_count: u32,
    /// First freelist trunk page, 0 for none.
    pub freelist_trunk: u32,
    /// Freelist pages in all.
    pub freelist_count: u32,
    /// Counts schema changes.
    pub schema_cookie: u32,
    /// Schema format, 1 to 4.
    pub schema_format: u32,
    /// The highest root page, 0 in a database without auto-vacuum.
    pub largest_root: u32,
    /// Text encoding: 1 UTF-8, 2 UTF-16le, 3 UTF-16be.
    pub encoding: u32,
    /// `PRAGMA user_version`.
    pub user_version: i32,
    /// `PRAGMA application_id`.
    pub application_id: i32,
    /// The change counter for which `page_count` holds.
    pub valid_for: u32,
    /// Version number of the SQLite that wrote last.
    pub sqlite_version: u32,
}

impl Header {
    /// The header at the start of `bytes`, or `None` if there are fewer than 100.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..LEN)?;
        Some(Self {
            magic: bytes.starts_with(MAGIC),
            page_size: page_size(u16_at(bytes, PAGE_SIZE)?),
            write_version: u8_at(bytes, WRITE_VERSION)?,
            read_version: u8_at(bytes, READ_VERSION)?,
            reserved: u8_at(bytes, RESERVED)?,
            fractions: bytes.get(FRACTIONS..CHANGE_COUNTER)? == [64, 32, 32],
            change_counter: u32_at(bytes, CHANGE_COUNTER)?,
            page_count: u32_at(bytes, PAGE_COUNT)?,
            freelist_trunk: u32_at(bytes, FREELIST_TRUNK)?,
            freelist_count: u32_at(bytes, FREELIST_COUNT)?,
            schema_cookie: u32_at(bytes, SCHEMA_COOKIE)?,
            schema_format: u32_at(bytes, SCHEMA_FORMAT)?,
            largest_root: u32_at(bytes, LARGEST_ROOT)?,
            encoding: u32_at(bytes, ENCODING)?,
            user_version: u32_at(bytes, USER_VERSION)?.cast_signed(),
            application_id: u32_at(bytes, APPLICATION_ID)?.cast_signed(),
            valid_for: u32_at(bytes, VALID_FOR)?,
            sqlite_version: u32_at(bytes, SQLITE_VERSION)?,
        })
    }

    /// The fields that no SQLite writes so, each as half a sentence; empty for a credible header.
    ///
    /// Schema format and encoding are 0 until the first table is made, and in the file until the first checkpoint: a
    /// young board in WAL mode has them only in its WAL.
    pub fn faults(&self) -> Vec<&'static str> {
        let checks = [
            (self.magic, "the magic string is not there"),
            (self.page_size.is_some(), "the page size is no power of two from 512 to 65536"),
            (matches!(self.write_version, 1 | 2), "the write version is neither 1 nor 2"),
            (matches!(self.read_version, 1 | 2), "the read version is neither 1 nor 2"),
            (self.fractions, "the payload fractions are not 64, 32, 32"),
            (self.schema_format <= 4, "the schema format is above 4"),
            (self.encoding <= 3, "the text encoding is above 3"),
        ];
        checks.iter().filter(|(sound, _)| !sound).map(|(_, fault)| *fault).collect()
    }

    /// Whether the fields can be trusted as far as they can be checked.
    pub fn is_credible(&self) -> bool {
        self.faults().is_empty()
    }

    /// Whether the recorded journal mode is WAL.
    pub fn is_wal(&self) -> bool {
        self.write_version == VERSION_WAL && self.read_version == VERSION_WAL
    }

    /// Whether `bytes` start like a TLS record (type 0x14 to 0x17, version 3.x) at the byte where the incidents
    /// had one: 5 (tests/incidents.md: a recycled socket descriptor).
    pub fn has_tls_record(bytes: &[u8]) -> bool {
        const AT: usize = 5;
        matches!(bytes.get(AT..AT + 3), Some([0x14..=0x17, 3, 0..=4]))
    }
}

/// The page size that the field `raw` stands for.
fn page_size(raw: u16) -> Option<usize> {
    match raw {
        1 => Some(65_536),
        size if size >= 512 && size.is_power_of_two() => Some(usize::from(size)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_sizes() {
        assert_eq!(page_size(1), Some(65_536));
        assert_eq!(page_size(4096), Some(4096));
        assert_eq!(page_size(256), None);
        assert_eq!(page_size(4097), None);
    }

    #[test]
    fn a_short_file_has_no_header() {
        assert_eq!(Header::read(&[0; 99]), None);
        assert!(!Header::read(&[0; 100]).unwrap().is_credible());
    }
}
