//! Files in a board's place that are no database: which kind, and the command that helps.

use std::path::Path;

use super::files::with_suffix;
use crate::failure::hint;

/// A kind of file that was found in a board's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignFile {
    /// gzip, bzip2, xz or zstd.
    Packed {
        /// What unpacks it to stdout.
        program: &'static str,
    },
    /// A zip archive.
    Zip,
    /// A database in base64.
    Base64,
    /// A page of a web server, often an error message.
    Html,
    /// The SQL text of a database.
    SqlDump,
    /// A pointer of Git LFS.
    LfsPointer,
}

/// What begins a file, and its kind.
const BEGINNINGS: [(&[u8], ForeignFile); 6] = [
    (&[0x1f, 0x8b], ForeignFile::Packed { program: "gzip" }),
    (b"BZh", ForeignFile::Packed { program: "bzip2" }),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], ForeignFile::Packed { program: "xz" }),
    (&[0x28, 0xb5, 0x2f, 0xfd], ForeignFile::Packed { program: "zstd" }),
    (b"PK\x03\x04", ForeignFile::Zip),
    // "SQLite format 3" in base64, without its last letter, which depends on what follows.
    (b"U1FMaXRlIGZvcm1hdCAz", ForeignFile::Base64),
];
/// What begins a text, in lower case and without spaces before it.
const TEXTS: [(&str, ForeignFile); 9] = [
    ("<!doctype", ForeignFile::Html),
    ("<html", ForeignFile::Html),
    ("<?xml", ForeignFile::Html),
    ("version https://git-lfs", ForeignFile::LfsPointer),
    ("pragma foreign_keys", ForeignFile::SqlDump),
    ("begin transaction", ForeignFile::SqlDump),
    ("begin;", ForeignFile::SqlDump),
    ("create table", ForeignFile::SqlDump),
    ("-- sqlite", ForeignFile::SqlDump),
];

impl ForeignFile {
    /// The kind of a file by its first bytes.
    pub fn of(first: &[u8]) -> Option<Self> {
        if let Some((_, kind)) = BEGINNINGS.iter().find(|(begin, _)| first.starts_with(begin)) {
            return Some(*kind);
        }
        let text = String::from_utf8_lossy(first)
            .trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
            .to_lowercase();
        TEXTS.iter().find(|(begin, _)| text.starts_with(begin)).map(|(_, kind)| *kind)
    }

    /// The kind in a few words.
    pub fn words(self) -> String {
        match self {
            Self::Packed { program } => format!("a file that {program} has packed"),
            Self::Zip => "a zip archive".to_owned(),
            Self::Base64 => "a database in base64".to_owned(),
            Self::Html => "a page of a web server".to_owned(),
            Self::SqlDump => "the SQL text of a database".to_owned(),
            Self::LfsPointer => "a pointer of Git LFS, not the file itself".to_owned(),
        }
    }

    /// The command that helps. It makes a new file beside `path`, which `restore` can then put in the board's place.
    pub fn next(self, path: &Path) -> String {
        let (from, to) = (hint::quoted(path), hint::quoted(with_suffix(path, ".unpacked.db")));
        match self {
            Self::Packed { program } => format!("{program} -dc < {from} > {to}"),
            Self::Zip => format!("unzip -p {from} > {to}"),
            Self::Base64 => format!("base64 -d {from} > {to}"),
            Self::Html => "kanbanctl backups list".to_owned(),
            Self::SqlDump => format!("sqlite3 {to} < {from}"),
            Self::LfsPointer => {
                let dir = path.parent().unwrap_or(Path::new("."));
                format!("git -C {} lfs pull", hint::quoted(dir))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        for (first, kind) in [
            (&b"\x1f\x8b\x08\x00"[..], Some(ForeignFile::Packed { program: "gzip" })),
            (b"U1FMaXRlIGZvcm1hdCAzABAAAgIAQCAg", Some(ForeignFile::Base64)),
            (b"\n <!DOCTYPE html>", Some(ForeignFile::Html)),
            (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;", Some(ForeignFile::SqlDump)),
            (b"version https://git-lfs.github.com/spec/v1", Some(ForeignFile::LfsPointer)),
            (b"a letter, not a board", None),
            (&[0; 32], None),
        ] {
            assert_eq!(ForeignFile::of(first), kind);
        }
        let next = ForeignFile::Packed { program: "gzip" }.next(Path::new("/b/kanban.db"));
        assert_eq!(next, "gzip -dc < /b/kanban.db > /b/kanban.db.unpacked.db");
    }
}
