//! One content among the copies of a board, as every verb of the group shows it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::process::clock;
use crate::salvage::source::{Member, Source, SourceKind};

/// Digits of a SHA-256 that are shown: enough to tell a storm's contents apart.
const DIGITS: usize = 12;
/// Digits of the log's.
const LOG_DIGITS: usize = 4;

/// One content.
#[derive(Debug, Serialize)]
pub(super) struct CopyContent {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) copies: usize,
    pub(super) bytes: u64,
    pub(super) bytes_each: u64,
    pub(super) wal_bytes: u64,
    pub(super) modified: Option<i64>,
    pub(super) modified_utc: Option<String>,
    pub(super) oldest: Option<i64>,
    pub(super) oldest_utc: Option<String>,
    pub(super) sha256: String,
    pub(super) wal_sha256: Option<String>,
    pub(super) paths: Vec<String>,
    #[serde(skip)]
    pub(super) source: Source,
}

impl CopyContent {
    /// The content of `source`, whose hash is known.
    pub(super) fn of(source: Source) -> Self {
        let seconds = |ns: i128| i64::try_from(ns.div_euclid(1_000_000_000)).ok();
        let written = || source.copies.iter().map(Member::written_ns);
        let (newest, oldest) = (written().max().and_then(seconds), written().min().and_then(seconds));
        let each = source.size + source.wal_size;
        let copies = u64::try_from(source.copies.len()).unwrap_or(u64::MAX);
        let digest = source.digest.map(|digest| digest.to_string()).unwrap_or_default();
        let wal_digest = source.wal_digest.map(|digest| digest.to_string());
        let main = digest.get(..DIGITS).unwrap_or_default();
        let wal = wal_digest.as_deref().and_then(|digest| digest.get(..LOG_DIGITS));
        Self {
            id: wal.map_or_else(|| main.to_owned(), |wal| format!("{main}+{wal}")),
            kind: kind(source.kind),
            copies: source.copies.len(),
            bytes: each.saturating_mul(copies),
            bytes_each: each,
            wal_bytes: source.wal_size,
            modified: newest,
            modified_utc: newest.and_then(clock::rfc3339),
            oldest,
            oldest_utc: oldest.and_then(clock::rfc3339),
            sha256: digest,
            wal_sha256: wal_digest,
            paths: source.copies.iter().map(|copy| copy.path.display().to_string()).collect(),
            source,
        }
    }

    /// The name of its first file.
    pub(super) fn file_name(&self) -> String {
        self.source.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Whether one of its copies is this file, by whatever path.
    pub(super) fn has(&self, file: (u64, u64)) -> bool {
        self.source.copies.iter().any(|copy| copy.main.is_some_and(|main| (main.dev, main.ino) == file))
    }

    fn is_called(&self, wanted: &str) -> bool {
        let path = Path::new(wanted);
        let is = |known: &PathBuf| known == path || known.file_name() == Some(path.as_os_str());
        self.id.starts_with(wanted)
            || self.sha256 == wanted
            || self.source.copies.iter().any(|copy| is(&copy.path))
    }
}

/// What the copies of one kind are called in the reports of this group.
fn kind(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Own => "backup",
        SourceKind::Named => "named",
        SourceKind::Namesake => "copy",
        SourceKind::Live | SourceKind::Backup | SourceKind::Held | SourceKind::Replica => "corrupt",
    }
}

/// The one content that is called `wanted`: by the first digits of its id, by its whole hash, or by a path.
pub(super) fn choose(contents: Vec<CopyContent>, wanted: &str) -> Outcome<CopyContent> {
    let mut fitting: Vec<CopyContent> =
        contents.into_iter().filter(|content| !wanted.is_empty() && content.is_called(wanted)).collect();
    match (fitting.len(), fitting.pop()) {
        (1, Some(content)) => Ok(content),
        (0, _) | (_, None) => {
            Err(Failure::not_found(format!("there is no file and no backup called {wanted}."))
                .hint("See them with `kanbanctl backups list`."))
        }
        (several, Some(_)) => Err(Failure::conflict(format!("{several} backups begin with {wanted}."))
            .hint("Give more digits; see them with `kanbanctl backups list`.")),
    }
}
