//! Evidence: the board's files as they were, put aside before anything is written over them.
//!
//! ```text
//!   kanban.db.evidence.20261124T093000Z/
//!     kanban.db  kanban.db-wal  kanban.db-shm  kanban.db-journal    what was there, byte for byte, with mode and owner
//!     manifest.json                                                 sizes, sha256, why, and what was to be installed
//!     outcome.json                                                  how that ended; missing: it was interrupted
//! ```
//!
//! Responsible for making such a folder whole or not at all (`take`), and for finding the folders again. A folder without an
//! outcome holds what an interrupted install may have had in its hands, so the next recovery reads it too.

mod take;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::take::take;
use super::target;
use crate::board::files::with_suffix;
use crate::board::folder::OpenFolder;
use crate::board::trust;
use crate::failure::{Failure, Outcome};
use crate::newfile::hex;
use crate::process::clock;
use crate::process::clock::Clock;
use crate::work::holes;

/// What stands between a board's name and the moment in a folder's name.
const MARK: &str = ".evidence.";
const MANIFEST: &str = "manifest.json";
const OUTCOME: &str = "outcome.json";
/// Stands in the folder once the board's own files begin to change.
const BEGUN: &str = "begun.json";
/// The outcome of a folder whose work never came to its end.
const INTERRUPTED: &str = "interrupted";
const PIECE: usize = 1 << 20;

/// The verb that put something in the board's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstallOperation {
    /// `recover`.
    Recover,
    /// `restore`.
    Restore,
    /// `repair`.
    Repair,
    /// `recover --undo`.
    Undo,
}

impl InstallOperation {
    /// What it has done when it came to its end.
    pub fn past(self) -> &'static str {
        match self {
            Self::Recover | Self::Restore => "installed",
            Self::Repair => "repaired",
            Self::Undo => "put back",
        }
    }
}

/// One file of the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceFile {
    /// What stands behind the board's name: nothing, `-wal`, `-shm` or `-journal`.
    pub suffix: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Permission bits, in octal.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last modification, in nanoseconds since 1970.
    pub modified_ns: i128,
}

impl EvidenceFile {
    /// What the file is to the board, for people.
    pub fn name(&self) -> &str {
        self.suffix.strip_prefix('-').unwrap_or("database")
    }
}

/// What was to come in the board's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coming {
    /// SHA-256 of the new file, in hex.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The files that it was made of.
    pub from: Vec<PathBuf>,
}

/// Why the folder is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The verb.
    pub operation: InstallOperation,
    /// What was wrong, or what was asked for, for people.
    pub reasons: Vec<String>,
    /// What was to be installed; nothing where the board is changed in place.
    pub installing: Option<Coming>,
}

/// What `manifest.json` holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout: 1.
    pub schema_version: u32,
    /// The board's file.
    pub board: PathBuf,
    /// When, RFC 3339 in UTC.
    pub taken_at: String,
    /// Version of kanbanctl.
    pub kanbanctl: String,
    /// Why, and what for.
    #[serde(flatten)]
    pub about: About,
    /// The files, those that were there.
    pub files: Vec<EvidenceFile>,
}

/// A folder that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The folder.
    pub folder: PathBuf,
    /// What its manifest says.
    pub manifest: Manifest,
    /// Whether what it was taken for came to an end.
    pub finished: bool,
    /// Whether that end was the change itself, not a word that it had been interrupted.
    pub carried_out: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct RecordedEnd {
    schema_version: u32,
    outcome: String,
    ended_at: Option<String>,
}

/// The folders of the board at `database`, the newest first. What is no whole folder of ours is not among them.
///
/// # Errors
/// When the directory cannot be listed.
pub fn list(database: &Path) -> Outcome<Vec<Evidence>> {
    let directory = crate::newfile::directory(database);
    let listing = |error| Failure::io(error, format!("listing {}", directory.display())).at(directory);
    let owner = trust::owner_of(database);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(listing)? {
        let entry = entry.map_err(listing)?;
        let Some(order) = order(database.file_name().unwrap_or_default(), &entry.file_name()) else {
            continue;
        };
        let folder = entry.path();
        // A planted folder would be installed as what was here before.
        if trust::objection(&folder, owner).is_some()
            || trust::objection(&folder.join(MANIFEST), owner).is_some()
        {
            continue;
        }
        let Ok(bytes) = fs::read(folder.join(MANIFEST)) else { continue };
        let Ok(manifest) = serde_json::from_slice(&bytes) else { continue };
        let end = fs::read(folder.join(OUTCOME))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<RecordedEnd>(&bytes).ok());
        let finished = end.is_some();
        let carried_out = end.is_some_and(|end| end.outcome != INTERRUPTED);
        found.push((order, Evidence { folder, manifest, finished, carried_out }));
    }
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(found.into_iter().map(|(_, evidence)| evidence).collect())
}

impl Evidence {
    /// The copy of the board's file with `suffix` behind its name, where there was one.
    pub fn copy_of(&self, suffix: &str) -> Option<PathBuf> {
        let piece = self.piece(suffix)?;
        Some(with_suffix(&self.folder.join(self.manifest.board.file_name()?), &piece.suffix))
    }

    /// What the manifest says of that copy.
    pub fn piece(&self, suffix: &str) -> Option<&EvidenceFile> {
        self.manifest.files.iter().find(|piece| piece.suffix == suffix)
    }

    /// Whether database, WAL and journal of the other folder had the same bytes.
    pub fn is_equal(&self, other: &Self) -> bool {
        let digest = |evidence: &Self, suffix| evidence.piece(suffix).map(|piece| piece.sha256.clone());
        ["", "-wal", "-journal"].into_iter().all(|suffix| digest(self, suffix) == digest(other, suffix))
    }

    /// Whether the board's files have these very bytes now. Only while this process has no handle on them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn is_in_place(&self) -> Outcome<bool> {
        for suffix in ["", "-wal", "-journal"] {
            let path = with_suffix(&self.manifest.board, suffix);
            let now = digest(&path)?;
            // An empty log and none are the same to SQLite.
            let same = match (now, self.piece(suffix)) {
                (Some((bytes, sha256)), Some(piece)) => bytes == piece.bytes && sha256 == piece.sha256,
                (None, None) => true,
                (Some((0, _)), None) => !suffix.is_empty(),
                (None, Some(piece)) => !suffix.is_empty() && piece.bytes == 0,
                _ => false,
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes down, before it happens, that the board's own files begin to change.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&self) -> Outcome<()> {
        let path = self.folder.join(BEGUN);
        let begun = RecordedEnd { schema_version: 1, outcome: "begun".to_owned(), ended_at: None };
        if fs::symlink_metadata(&path).is_err() {
            let folder = open_folder(&self.folder)?;
            write_json(&folder, BEGUN, &begun, owner_of(&folder))?;
        }
        target::sync_directory(&path)
    }

    /// Whether the board's own files may have begun to change. Before that the folder is a copy that nobody needs.
    pub fn has_begun(&self) -> bool {
        fs::symlink_metadata(self.folder.join(BEGUN)).is_ok()
    }

    /// Writes down how it ended: `installed`, or what else was done.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self, outcome: &str, clock: Clock) -> Outcome<()> {
        let end = RecordedEnd {
            schema_version: 1,
            outcome: outcome.to_owned(),
            ended_at: clock::rfc3339(clock.epoch()),
        };
        let path = self.folder.join(OUTCOME);
        let folder = open_folder(&self.folder)?;
        // What an interrupted call left is no outcome yet.
        folder.remove_file(OsStr::new(OUTCOME));
        write_json(&folder, OUTCOME, &end, owner_of(&folder))?;
        target::sync_directory(&path)?;
        self.finished = true;
        self.carried_out = outcome != INTERRUPTED;
        Ok(())
    }

    /// Closes the folder of work that never came to its end and is of no further use to a recovery.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn give_up(&mut self, clock: Clock) -> Outcome<()> {
        self.finish(INTERRUPTED, clock)
    }

    /// Removes the folder: nothing was changed, and nothing can have been.
    pub fn discard(self) {
        // What stays behind is a true copy under a name that says so.
        if let Ok(folder) = OpenFolder::open(&self.folder) {
            folder.remove();
        }
    }
}

/// Refuses where folders under the names of evidence lie beside `database` and none of them is believed.
///
/// # Errors
/// Exit 12, naming one.
pub(super) fn refuse_planted(database: &Path) -> Outcome<()> {
    let directory = crate::newfile::directory(database);
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if order(database.file_name().unwrap_or_default(), &entry.file_name()).is_some() {
            trust::require(&entry.path(), database)?;
            trust::require(&entry.path().join(MANIFEST), database)?;
        }
    }
    Ok(())
}

/// The moment and the number in the folder's name.
fn order(board: &OsStr, name: &OsStr) -> Option<(String, u32)> {
    let rest = name.as_bytes().strip_prefix(board.as_bytes())?.strip_prefix(MARK.as_bytes())?;
    let rest = std::str::from_utf8(rest).ok()?;
    let (moment, number) = rest.split_once('.').unwrap_or((rest, "0"));
    Some((moment.to_owned(), number.parse().ok()?))
}

/// Opens a file for reading, never through a symbolic link; nothing when it is not there.
fn open(path: &Path) -> Outcome<Option<File>> {
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    match OpenOptions::new().read(true).custom_flags(no_follow).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(error, format!("reading {}", path.display())).at(path)),
    }
}

/// Length and SHA-256 of a file; nothing when it is not there.
pub(super) fn digest(path: &Path) -> Outcome<Option<(u64, String)>> {
    let Some(file) = open(path)? else { return Ok(None) };
    let (mut hash, mut behind) = (Sha256::new(), 0);
    let bytes = holes::each_piece(&file, &mut vec![0; PIECE], |at, part| {
        holes::zeros(at - behind, |zeros| hash.update(zeros));
        hash.update(part);
        behind = at + part.len() as u64;
        Ok(())
    })
    .map_err(|error| Failure::io(error, format!("reading {}", path.display())).at(path))?;
    holes::zeros(bytes - behind, |zeros| hash.update(zeros));
    Ok(Some((bytes, hex(&hash.finalize()))))
}

fn write_json(
    folder: &OpenFolder,
    name: &str,
    value: &impl Serialize,
    owner: Option<(u32, u32)>,
) -> Outcome<()> {
    let path = folder.path().join(name);
    let writing = |error: std::io::Error| Failure::io(error, format!("writing {}", path.display())).at(&path);
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| writing(error.into()))?;
    text.push(b'\n');
    let mut file = folder.create_file(OsStr::new(name)).map_err(writing)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(writing)?;
    if let Some((uid, gid)) = owner {
        // Only root can; for anybody else it is the same.
        let _ = fchown(&file, Some(uid), Some(gid));
    }
    Ok(())
}

fn open_folder(path: &Path) -> Outcome<OpenFolder> {
    OpenFolder::open(path).map_err(|error| Failure::io(error, format!("opening {}", path.display())).at(path))
}

fn owner_of(folder: &OpenFolder) -> Option<(u32, u32)> {
    folder.file().metadata().ok().map(|meta| (meta.uid(), meta.gid()))
}
