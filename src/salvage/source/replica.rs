//! Replicas that Litestream 0.3 writes, read without Litestream.
//!
//! ```text
//!   REPLICA/generations/ID/snapshots/INDEX.snapshot.lz4     the main file at the beginning of log INDEX
//!   REPLICA/generations/ID/wal/INDEX_OFFSET.wal.lz4         a piece of log INDEX, from byte OFFSET on
//!   .kanban.db-litestream/generations/ID/wal/INDEX.wal      the same log beside the board, whole and not compressed
//! ```
//!
//! A state is the newest snapshot, and over it the committed frames of one log after the other, as SQLite would play them
//! back. It ends at the last piece that is whole; what is missing behind that is said. (Nothing tells that the last piece of a
//! log is missing where a later log is there: the check of the result finds it, as far as it shows.) A restored state is a file without a
//! name, which a source reads through `/proc/self/fd`.
//!
//! Not here: replicas of Litestream 0.5, whose LTX files are refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use lz4_flex::frame::FrameDecoder;

use super::open::SourceBytes;
use super::{Member, Source, SourceKind, SourcePart, Unread};
use crate::board::belonging::{self, Relation};
use crate::board::files::with_suffix;
use crate::board::litestream;
use crate::board::trust;
use crate::failure::count::counted;
use crate::failure::{Failure, Outcome};
use crate::ondisk::store::Store;
use crate::ondisk::wal::Wal;
use crate::work::unnamed::nameless;

const GENERATIONS: &str = "generations";
const SNAPSHOT_END: &str = ".snapshot.lz4";
const SEGMENT_END: &str = ".wal.lz4";
const SHADOW_END: &str = ".wal";
const PIECE: usize = 1 << 20;

/// A state of a board that a replica holds.
#[derive(Debug, Clone)]
pub struct ReplicaState {
    /// The database: a file without a name, there as long as this is.
    file: Arc<File>,
    /// The folder of its generation.
    pub generation: PathBuf,
    /// When its last piece was written, Unix seconds.
    pub written: i64,
    /// The log with its last piece, and the end of that piece in it.
    pub position: (u32, u64),
    /// What is missing or damaged behind it, as sentences.
    pub gaps: Vec<String>,
}

/// What a replica gives to a recovery.
#[derive(Debug, Default)]
pub struct ReplicaSources {
    /// A source of each generation, with the state that it is read from, the newest first.
    pub found: Vec<(Source, ReplicaState)>,
    /// What could not be restored.
    pub unread: Vec<Unread>,
}

/// The files of a generation.
#[derive(Debug, Default)]
struct GenerationFiles {
    folder: PathBuf,
    /// By index.
    snapshots: BTreeMap<u32, PathBuf>,
    /// By index and offset.
    segments: BTreeMap<(u32, u64), PathBuf>,
    /// When the newest of them was written.
    newest: i64,
}

/// True if `path` is a directory with a replica in it, of whatever version.
pub fn is_replica(path: &Path) -> bool {
    path.join(GENERATIONS).is_dir() || has_ltx(path)
}

/// True if there are LTX files: one folder for each level, `0000` for the lowest.
fn has_ltx(path: &Path) -> bool {
    let is_ltx = |path: &Path| path.extension().is_some_and(|end| end == "ltx");
    let folders = [
        path.to_path_buf(),
        path.join("ltx"),
        path.join("0000"),
        path.join("ltx/0"),
        path.join("ltx/0000"),
        path.join("0"),
    ];
    folders.iter().any(|folder| {
        std::fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(|entry| is_ltx(&entry.path())))
    })
}

/// Return the newest state of the replica at `root`, or the newest that was written until `until`, in Unix seconds.
///
/// # Errors
/// Exit 12 for a replica of Litestream 0.5, 13 where nothing reaches back that far, 4 where every snapshot is damaged.
pub fn newest(root: &Path, until: Option<i64>, scratch: &Path) -> Outcome<ReplicaState> {
    let mut failed = None;
    for generation in generations(root, until)? {
        match generation.state(scratch) {
            Ok(state) => return Ok(state),
            Err(failure) if failure.is_damage() => failed = failed.or(Some(failure)),
            Err(failure) => return Err(failure),
        }
    }
    Err(failed.unwrap_or_else(|| nothing_there(root, until)))
}

/// Sources of every generation of the replica at `root`, and what of it could not be restored. The states have to be kept as
/// long as the sources are read.
///
/// # Errors
/// As [`newest`], but that damage is no failure where another generation is sound.
pub fn sources(root: &Path, until: Option<i64>, scratch: &Path) -> Outcome<ReplicaSources> {
    let mut sources = ReplicaSources::default();
    let generations = generations(root, until)?;
    if generations.is_empty() {
        return Err(nothing_there(root, until));
    }
    for generation in generations {
        match generation.state(scratch) {
            Ok(state) => {
                for gap in &state.gaps {
                    sources.unread.push(Unread { path: generation.folder.clone(), reason: gap.clone() });
                }
                sources.found.push((state.source()?, state));
            }
            Err(failure) if failure.is_damage() => {
                sources.unread.push(Unread::new(generation.folder, &failure));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(sources)
}

fn nothing_there(root: &Path, until: Option<i64>) -> Failure {
    let failure = match until {
        None => Failure::not_found(format!("there is no snapshot in the replica {}.", root.display())),
        Some(_) => Failure::not_found(format!(
            "the replica {} does not reach back that far: no snapshot was written until then.",
            root.display()
        ))
        .hint("Name a later time with --at, or none for the newest state."),
    };
    failure.at(root)
}

/// The generations with a snapshot until `until`, the one that was written to last first.
fn generations(root: &Path, until: Option<i64>) -> Outcome<Vec<GenerationFiles>> {
    let folder = root.join(GENERATIONS);
    if !folder.is_dir() && has_ltx(root) {
        return Err(Failure::refused(format!(
            "{} is a replica of Litestream 0.5 (LTX files); kanbanctl reads those of Litestream 0.3.",
            root.display()
        ))
        .hint("Restore it to a file with `litestream restore -o rescued.db` of that version, then name the file.")
        .at(root));
    }
    let mut found = Vec::new();
    for (name, path) in listed(&folder)? {
        if !path.is_dir() || name.len() != 16 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            continue;
        }
        let mut generation = GenerationFiles { folder: path.clone(), ..GenerationFiles::default() };
        for (name, file) in listed(&path.join("snapshots"))? {
            let index = name.strip_suffix(SNAPSHOT_END).and_then(hex);
            if let (Some(index), Some(written)) = (index, written_until(&file, until)) {
                generation.newest = generation.newest.max(written);
                generation.snapshots.insert(index, file);
            }
        }
        for (name, file) in listed(&path.join("wal"))? {
            let place = name.strip_suffix(SEGMENT_END).and_then(|name| name.split_once('_'));
            let place = place.and_then(|(index, offset)| Some((hex(index)?, u64::from(hex(offset)?))));
            if let (Some(place), Some(written)) = (place, written_until(&file, until)) {
                generation.newest = generation.newest.max(written);
                generation.segments.insert(place, file);
            }
        }
        if !generation.snapshots.is_empty() {
            found.push(generation);
        }
    }
    found.sort_by(|one, other| (other.newest, &other.folder).cmp(&(one.newest, &one.folder)));
    Ok(found)
}

/// The entries of a folder by name; none where there is no folder.
fn listed(folder: &Path) -> Outcome<Vec<(String, PathBuf)>> {
    let listing =
        |error: std::io::Error| Failure::io(error, format!("listing {}", folder.display())).at(folder);
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(listing)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(listing)?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    Ok(found)
}

/// The number that eight hexadecimal digits are.
fn hex(digits: &str) -> Option<u32> {
    (digits.len() == 8).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// When the file was written, Unix seconds, unless that is after `until`. Litestream takes the same time for its own.
fn written_until(path: &Path, until: Option<i64>) -> Option<i64> {
    let modified = std::fs::metadata(path).and_then(|meta| meta.modified()).unwrap_or(UNIX_EPOCH);
    let written = seconds(modified);
    until.is_none_or(|until| written <= until).then_some(written)
}

fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

impl GenerationFiles {
    /// The state that the newest whole snapshot and the logs behind it give.
    fn state(&self, scratch: &Path) -> Outcome<ReplicaState> {
        let mut gaps = Vec::new();
        for (&index, snapshot) in self.snapshots.iter().rev() {
            let file = new_file(scratch)?;
            match inflate(snapshot, &file, 0, scratch)? {
                Ok(_) => {}
                Err(reason) => {
                    gaps.push(format!("the snapshot {} is damaged ({reason})", name_of(snapshot)));
                    continue;
                }
            }
            let mut state = ReplicaState {
                file: Arc::new(file),
                generation: self.folder.clone(),
                written: written_until(snapshot, None).unwrap_or(0),
                position: (index, 0),
                gaps,
            };
            self.play(&mut state, scratch)?;
            return Ok(state);
        }
        let failure = Failure::damaged(format!(
            "no snapshot of {} is whole: {}.",
            self.folder.display(),
            gaps.join("; ")
        ));
        Err(failure.hint("Name another replica, or a later copy of this one.").at(&self.folder))
    }

    /// Plays the logs from the state's position on into its file, up to the first piece that is missing or damaged.
    fn play(&self, state: &mut ReplicaState, scratch: &Path) -> Outcome<()> {
        let first = state.position.0;
        let mut index = first;
        loop {
            let pieces: Vec<(u64, &PathBuf)> = self
                .segments
                .range((index, 0)..=(index, u64::MAX))
                .map(|((_, offset), path)| (*offset, path))
                .collect();
            if pieces.is_empty() {
                break;
            }
            let log = new_file(scratch)?;
            let mut end = 0;
            let mut broken = None;
            for (offset, path) in pieces {
                if offset != end {
                    broken =
                        Some(format!("the log {index:08x} has nothing from byte {end} to byte {offset}"));
                    break;
                }
                match inflate(path, &log, end, scratch)? {
                    Ok(len) => end += len,
                    Err(reason) => {
                        broken = Some(format!("{} is damaged ({reason})", name_of(path)));
                        log.set_len(end).map_err(|error| scratch_failed(error, scratch))?;
                        break;
                    }
                }
                state.written = state.written.max(written_until(path, None).unwrap_or(0));
            }
            let frames = apply(&log, end, &state.file).map_err(|error| scratch_failed(error, scratch))?;
            state.position = (index, end);
            if let (None, LogEnd::Torn(lost)) = (&broken, frames) {
                broken = Some(format!(
                    "{} of the log {index:08x} not what the checksum says",
                    counted(lost as u64, "frame is", "frames are")
                ));
            }
            if let Some(broken) = broken {
                self.note_gap(state, &broken);
                return Ok(());
            }
            let Some(next) = index.checked_add(1) else { break };
            index = next;
        }
        // Logs go on behind one that is missing.
        if self.segments.range((index, 0)..).next().is_some() {
            self.note_gap(state, &format!("the log {index:08x} is missing"));
        }
        Ok(())
    }

    fn note_gap(&self, state: &mut ReplicaState, what: &str) {
        let (index, end) = state.position;
        let behind = self.segments.range((index, end)..).count();
        let pieces = counted(behind as u64, "piece from there on is", "pieces from there on are");
        state.gaps.push(format!("{what}: {pieces} not in the state, which ends before it"));
    }
}

/// How the frames of a log end.
enum LogEnd {
    /// Each is what its checksum says.
    Whole,
    /// This many at the end are not.
    Torn(usize),
}

/// Writes the committed frames of `log`, which has `size` bytes, to `database`, as a checkpoint would.
fn apply(log: &File, size: u64, database: &File) -> std::io::Result<LogEnd> {
    let bytes = SourceBytes::File { file: log.try_clone()?, size };
    let Some(wal) = Wal::read(&bytes, None) else {
        return Ok(if size == 0 { LogEnd::Whole } else { LogEnd::Torn(1) });
    };
    let visible = wal.visible();
    let mut newest: BTreeMap<u32, u64> = BTreeMap::new();
    let mut pages = 0;
    for frame in wal.frames.iter().take(visible) {
        newest.insert(frame.page, frame.offset);
        if frame.commit != 0 {
            pages = frame.commit;
        }
    }
    for (page, offset) in newest.range(..=pages) {
        if let Some(image) = bytes.read(*offset, wal.page_size) {
            database.write_all_at(&image, u64::from(page.saturating_sub(1)) * wal.page_size as u64)?;
        }
    }
    if pages > 0 {
        database.set_len(u64::from(pages) * wal.page_size as u64)?;
    }
    // Litestream cuts its pieces behind commits; what follows the last one was not written by it.
    let behind = wal.frames.len().saturating_sub(visible);
    Ok(if behind == 0 { LogEnd::Whole } else { LogEnd::Torn(behind) })
}

/// Writes the content of the LZ4 frames in `path` to `to` from `at` on. Return its length, or why it cannot be read whole.
fn inflate(path: &Path, to: &File, at: u64, scratch: &Path) -> Outcome<Result<u64, String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Err("it has gone".to_owned()));
        }
        Err(error) => return Err(Failure::io(error, format!("reading {}", path.display())).at(path)),
    };
    if file.metadata().is_ok_and(|meta| meta.len() == 0) {
        return Ok(Err("it is empty".to_owned()));
    }
    let mut from = FrameDecoder::new(file);
    let (mut piece, mut len) = (vec![0; PIECE], 0);
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok(Ok(len)),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let bytes = piece.get(..read).unwrap_or_default();
        to.write_all_at(bytes, at + len).map_err(|error| scratch_failed(error, scratch))?;
        len += read as u64;
    }
}

fn new_file(scratch: &Path) -> Outcome<File> {
    nameless(scratch).map_err(|error| scratch_failed(error, scratch))
}

fn scratch_failed(error: std::io::Error, scratch: &Path) -> Failure {
    Failure::making(error, format!("restoring a replica in {}", scratch.display()))
        .hint("TMPDIR names the directory for it; it takes as much room as the board.")
        .at(scratch)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl ReplicaState {
    /// The way to the restored database, as long as this state is kept.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// The state as a source of a recovery.
    fn source(&self) -> Outcome<Source> {
        let place = self.path();
        let member = Member::held(&self.generation, &place, None)?;
        Ok(Source {
            range: None,
            path: self.generation.clone(),
            kind: SourceKind::Named,
            base: Some(place),
            digest: None,
            wal_digest: None,
            size: member.main_size(),
            wal_size: 0,
            copies: vec![member],
            part: SourcePart::Whole,
            relation: Relation::OtherMoment,
            log: None,
            is_invited: true,
        })
    }
}

/// Sources of the logs that Litestream keeps beside the board at `database`. One that the board's own log begins with is left
/// out. A log that continues the main file is read over it, another alone.
///
/// # Errors
/// When the folder cannot be listed, or a log in it not be read.
pub fn shadow_logs(database: &Path) -> Outcome<Vec<Source>> {
    let folder = litestream::folder(database);
    let owner = trust::owner_of(database);
    let mut sources = Vec::new();
    for (_, generation) in listed(&folder.join(GENERATIONS))? {
        for (name, path) in listed(&generation.join("wal"))? {
            let is_log = name.strip_suffix(SHADOW_END).and_then(hex).is_some();
            // What others planted is not read unasked.
            let objected =
                [&folder, &generation, &path].iter().any(|path| trust::objection(path, owner).is_some());
            if !is_log || objected || is_in_own_log(&path, database)? {
                continue;
            }
            let bytes = |path: &Path| {
                let file = super::open(path)?;
                let reading = |error| Failure::io(error, format!("reading {}", path.display())).at(path);
                let Some(file) = file else { return Ok(SourceBytes::Memory(Vec::new())) };
                let size = file.metadata().map_err(reading)?.len();
                Ok::<_, Failure>(SourceBytes::File { file, size })
            };
            let (main, log) = (bytes(database)?, bytes(&path)?);
            let continues = main.size() > 0 && belonging::of_log(&main, &log).is_same_moment();
            let member =
                Member::held(&path, if continues { database } else { &path }, continues.then_some(&path))?;
            sources.push(Source {
                range: None,
                path: path.clone(),
                kind: SourceKind::Replica,
                base: continues.then(|| database.to_path_buf()),
                digest: None,
                wal_digest: None,
                size: member.main_size(),
                wal_size: member.wal_size(),
                copies: vec![member],
                part: if continues { SourcePart::Whole } else { SourcePart::Log },
                relation: if continues { Relation::SameMoment } else { Relation::OtherMoment },
                log: None,
                is_invited: false,
            });
        }
    }
    Ok(sources)
}

/// True if the board's own log begins with all bytes of the log at `shadow`.
fn is_in_own_log(shadow: &Path, database: &Path) -> Outcome<bool> {
    let (Some(shadow), Some(own)) = (super::open(shadow)?, super::open(&with_suffix(database, "-wal"))?)
    else {
        return Ok(false);
    };
    let (mut one, mut other) = (vec![0; PIECE], vec![0; PIECE]);
    let size = |file: &File| file.metadata().map_or(0, |meta| meta.len());
    let (len, mut at) = (size(&shadow), 0);
    if len > size(&own) {
        return Ok(false);
    }
    while at < len {
        let part = usize::try_from(len - at).unwrap_or(PIECE).min(PIECE);
        let (Some(one), Some(other)) = (one.get_mut(..part), other.get_mut(..part)) else { break };
        if shadow.read_exact_at(one, at).is_err() || own.read_exact_at(other, at).is_err() || one != other {
            return Ok(false);
        }
        at += part as u64;
    }
    Ok(true)
}
