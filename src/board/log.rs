//! The board's WAL, counted in frames and not in bytes (F15), before SQLite opens the board.
//!
//! Reports what the log and its index say, and the states in which a write would destroy rows that only the log holds. Not
//! here: whether frames are sound pages ([`crate::health`]) and reading their rows ([`crate::salvage`]).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::belonging;
use super::wal_index::has_what_it_claims;
use super::{Inspection, Sidecar, Stamp};
use crate::failure::count::counted;
use crate::failure::hint;
use crate::failure::{Failure, Outcome};
use crate::ondisk::header::{self, Header, LOCK_BYTES_AT};
use crate::ondisk::store::Store;
use crate::ondisk::wal::index::{BACKFILL, HEAD, HEADER_LEN, LAST_FRAME, LAST_SUM, missing_frames, number};
use crate::ondisk::wal::{self, Frame, Wal};

/// The longest log whose frames are counted, in bytes; 228 MB were seen in the field (tests/incidents.md F15).
const LONGEST_LOG: u64 = 4 << 30;

/// The most looks at a log that seems torn, and the pause between them. It is believed when two looks in a row agree.
const LOOKS: usize = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// How many frames the log holds and how many of them only the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingFrames {
    /// Frames up to the last commit.
    pub frames: u64,
    /// Frames not yet written back to the database.
    pub pending: u64,
    /// Committed frames that SQLite does not see, because the chain of checksums is broken before them or the log's
    /// header is gone. The next writer overwrites them.
    pub hidden: u64,
    /// Frames that the index names and that the log lacks: it was cut.
    pub missing: u64,
    /// Pages of the board that neither the database file nor the log has.
    pub absent: u64,
    /// Whether SQLite takes the first page from the log, with a header that can be right and says that there is one.
    pub has_header: bool,
    /// The log's length in bytes.
    pub bytes: u64,
    /// False where the log seemed torn and never rested: `hidden`, `missing` and `absent` say nothing then.
    pub settled: bool,
}

impl WaitingFrames {
    /// True if rows seem to be in danger.
    fn seems_torn(&self) -> bool {
        self.hidden > 0 || self.absent > 0 || self.missing > 0
    }
}

/// One look: what was counted, and the state in which log, index and database file were then.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    seen: WaitingFrames,
    /// The index's two headers, the log's header and both files' identity and length; nothing where they changed during
    /// the look.
    state: Option<LogState>,
}

/// What a commit, a restart of the log or its removal changes.
#[derive(Debug, PartialEq, Eq)]
struct LogState {
    index: Vec<u8>,
    header: Vec<u8>,
    log: Option<(u64, u64, u64)>,
    database: Option<(u64, u64, u64)>,
}

/// Counts the frames of the board's WAL; nothing when there is none.
pub fn waiting(inspection: &Inspection) -> Outcome<Option<WaitingFrames>> {
    count(inspection, true)
}

/// Look until the log does not seem torn, or two looks in a row find the same in the same state. Whether the frames are in
/// the database is asked only with `ask_pages`: it reads the pages.
fn count(inspection: &Inspection, ask_pages: bool) -> Outcome<Option<WaitingFrames>> {
    let Some(sidecar) = &inspection.sidecars.wal else {
        return Ok(None);
    };
    let mut before = look(inspection, sidecar, ask_pages)?;
    for _ in 1..LOOKS {
        if !before.seen.seems_torn() {
            return Ok(Some(before.seen));
        }
        sleep(BETWEEN_LOOKS);
        let again = look(inspection, sidecar, ask_pages)?;
        if again.state.is_some() && again == before {
            return Ok(Some(again.seen));
        }
        before = again;
    }
    let settled = !before.seen.seems_torn();
    Ok(Some(WaitingFrames { settled, ..before.seen }))
}

/// Look once: lengths, index and frames together. A process that has the board open writes frames first and names them in
/// the index then, so the index is read before the log and again behind it.
fn look(inspection: &Inspection, sidecar: &Sidecar, ask_pages: bool) -> Outcome<Look> {
    let named = || inspection.sidecars.shm.as_ref().map_or(Ok(Vec::new()), read_index);
    let index = named()?;
    let bytes = LogBytes::open(sidecar)?;
    let before = bytes.state(index.get(..2 * HEADER_LEN), &sidecar.path, &inspection.resolved);
    let page_size = inspection.header().and_then(|header| header.page_size);
    let log = Wal::read(&bytes, page_size);
    let count = |frames: usize| u64::try_from(frames).unwrap_or(u64::MAX);
    let frames = log.as_ref().map_or(0, |log| count(log.visible()));
    let hidden = log.as_ref().filter(|log| !is_abandoned(log, &index)).map_or(0, |log| count(log.hidden()));
    let missing = missing_frames(&index, log.as_ref());
    let has_header = log.as_ref().is_some_and(|log| has_header(log, &bytes));
    // The file after the log: what was written back meanwhile is in it.
    let absent = log.as_ref().map_or(0, |log| absent(log, &inspection.resolved));
    let after = bytes.state(named()?.get(..2 * HEADER_LEN), &sidecar.path, &inspection.resolved);
    let claimed = backfilled(&index, frames);
    let believed = claimed == 0 || !ask_pages || has_what_it_claims(inspection) == Some(true);
    let mut pending = frames.saturating_sub(if believed { claimed } else { 0 });
    if ask_pages && pending > 0 && log.is_some_and(|log| is_written_back(&log, &bytes, &inspection.resolved))
    {
        pending = 0;
    }
    let bytes = bytes.size;
    let seen = WaitingFrames { frames, pending, hidden, missing, absent, has_header, bytes, settled: true };
    Ok(Look { seen, state: Some(before).filter(|before| *before == after) })
}

/// Whether what lies beyond the log's end are remains of transactions that never ended: their writer was killed after it
/// had written its last frame and before it told the index, and a shorter transaction has begun at the same place since.
/// The index then ends at a frame of the unbroken chain, and each run of remains has one commit, its last frame.
fn is_abandoned(log: &Wal, index: &[u8]) -> bool {
    let visible = log.visible();
    let last = number(index, LAST_FRAME).and_then(|last| usize::try_from(last).ok()).unwrap_or(0);
    let sum = index.get(LAST_SUM).map(<[u8]>::to_vec);
    let ends_there = (1..=visible).contains(&last)
        && log
            .frames
            .get(last - 1)
            .is_some_and(|frame| Some(frame.checksum.map(u32::to_ne_bytes).concat()) == sum);
    let mut commits = 0;
    ends_there
        && log.frames.iter().take(log.committed).skip(visible).all(|frame| {
            if !frame.verified {
                commits = 0;
            }
            let goes_on = commits == 0;
            commits += usize::from(frame.commit != 0);
            goes_on
        })
}

/// How many pages of the board are neither in the file nor in the log. In WAL mode the file may lawfully be short of pages
/// that the log has, and of no others.
fn absent(log: &Wal, database: &Path) -> u64 {
    let visible = log.frames.get(..log.visible()).unwrap_or_default();
    let page_size = u64::try_from(log.page_size).unwrap_or(u64::MAX);
    let (Some(last), Ok(Some(file))) = (visible.last(), Stamp::of(database)) else {
        return 0;
    };
    let beyond = file.len / page_size + 1..=u64::from(last.commit);
    let mut there: HashSet<u64> =
        visible.iter().map(|frame| u64::from(frame.page)).filter(|page| beyond.contains(page)).collect();
    there.extend(Some(LOCK_BYTES_AT / page_size + 1).filter(|page| beyond.contains(page)));
    let there = u64::try_from(there.len()).unwrap_or(u64::MAX);
    (beyond.end() + 1).saturating_sub(*beyond.start()).saturating_sub(there)
}

/// Whether the database file has the last image of every page in the log. The index forgets how far it was written back
/// when its last user closes, so the pages themselves are asked.
fn is_written_back(log: &Wal, bytes: &LogBytes, database: &Path) -> bool {
    let last: HashMap<u32, &Frame> =
        log.committed().take(log.visible()).map(|frame| (frame.page, frame)).collect();
    let Ok(file) = File::open(database) else {
        return false;
    };
    let mut page = vec![0; log.page_size];
    last.iter().all(|(&number, frame)| {
        let index = u64::from(number).saturating_sub(1);
        let offset = index.saturating_mul(u64::try_from(log.page_size).unwrap_or(u64::MAX));
        file.read_exact_at(&mut page, offset).is_ok()
            && bytes.read(frame.offset, log.page_size).as_deref() == Some(page.as_slice())
    })
}

/// Whether the newest first page that SQLite sees in `log` begins with the header of a board in WAL mode.
fn has_header(log: &Wal, bytes: &LogBytes) -> bool {
    let visible = log.frames.get(..log.visible()).unwrap_or_default();
    let first = visible.iter().rfind(|frame| frame.page == 1);
    let header = first.and_then(|frame| Header::read(&bytes.read(frame.offset, header::LEN)?));
    header.is_some_and(|header| header.is_credible() && header.is_wal())
}

/// Frames written back, where the index speaks of this log and not of an earlier one.
fn backfilled(index: &[u8], frames: u64) -> u64 {
    match (number(index, LAST_FRAME).map(u64::from), number(index, BACKFILL).map(u64::from)) {
        (Some(last), Some(done)) if last == frames => done.min(frames),
        _ => 0,
    }
}

/// True if a log of `size` bytes is short enough for its frames to be listed in memory.
pub(crate) fn is_countable(size: u64) -> bool {
    size <= LONGEST_LOG
}

/// The log in place, read piece by piece; empty when the last user of the board has removed it meanwhile.
#[derive(Debug)]
pub(crate) struct LogBytes {
    file: Option<File>,
    size: u64,
}

impl LogBytes {
    /// Those of a file that does not change, `size` in number.
    pub(crate) fn of(file: File, size: u64) -> Self {
        Self { file: Some(file), size }
    }

    /// Those of the file at `path` as it is now. None where there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn at(path: &Path) -> Outcome<Option<Self>> {
        match File::open(path).and_then(|file| Ok((file.metadata()?.len(), file))) {
            Ok((size, file)) => Ok(Some(Self::of(file, size))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::io(error, format!("reading {}", path.display())).at(path)),
        }
    }

    fn open(sidecar: &Sidecar) -> Outcome<Self> {
        let opened = File::open(&sidecar.path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = match opened {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self { file: None, size: 0 }),
            Err(error) => return Err(Failure::io(error, format!("reading {}", sidecar.path.display()))),
        };
        if !is_countable(size) {
            return Err(Failure::refused(format!(
                "{} has {size} bytes, far more than a log of this board can need; what waits in it was not counted.",
                sidecar.path.display()
            ))
            .hint(format_args!("See which processes hold it back with `fuser -v {}`.", hint::quoted(&sidecar.path)))
            .hint("See what it holds with `kanbanctl recover --dry-run`."));
        }
        Ok(Self { file: Some(file), size })
    }

    /// The state of the log that is open and of the files under their names, beside what the index says.
    fn state(&self, index: Option<&[u8]>, log: &Path, database: &Path) -> LogState {
        let of = |path: &Path| {
            let stamp = Stamp::of(path).ok().flatten();
            stamp.map(|stamp| (stamp.dev, stamp.ino, stamp.len))
        };
        LogState {
            index: index.unwrap_or_default().to_vec(),
            header: self.read(0, wal::HEADER_LEN).unwrap_or_default().to_vec(),
            log: of(log),
            database: of(database),
        }
    }
}

impl Store for LogBytes {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, offset: u64, len: usize) -> Option<Cow<'_, [u8]>> {
        let there = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; len.min(there)];
        self.file.as_ref()?.read_exact_at(&mut bytes, offset).ok()?;
        Some(Cow::Owned(bytes))
    }
}

/// The part of the index that is asked about; nothing when it was removed meanwhile.
fn read_index(sidecar: &Sidecar) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEAD);
    let head = u64::try_from(HEAD).unwrap_or(u64::MAX);
    match File::open(&sidecar.path).and_then(|file| file.take(head).read_to_end(&mut bytes)) {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::io(error, format!("reading {}", sidecar.path.display()))),
    }
}

/// Refuse to touch a board beside which a log or a journal lies that does not belong to it: SQLite would lay it over the
/// file.
///
/// # Errors
/// Exit 4; reading errors.
pub fn require_belonging(inspection: &Inspection) -> Outcome<()> {
    let beside = &inspection.sidecars;
    if beside.wal.as_ref().is_none_or(|wal| wal.stamp.len == 0)
        && beside.journal.as_ref().is_none_or(|journal| journal.stamp.len == 0)
    {
        return Ok(());
    }
    let relations = belonging::beside(&inspection.resolved)?;
    let Some((suffix, relation)) = relations.stray() else {
        return require_whole_journal(inspection, relations.torn_records);
    };
    Err(Failure::damaged(format!(
        "the {suffix} beside the board {}: SQLite would play it back over the board, and rows would be gone. Nothing was \
         opened.",
        relation.words()
    ))
    .hint("See what both hold with `kanbanctl recover --dry-run`: it reads the two apart.")
    .hint("`kanbanctl health` names the finding; do not open the board with anything else.")
    .at(&inspection.resolved))
}

/// Refuse to touch a board whose journal has `torn` records: SQLite ends its playback at the first, and removes the journal.
fn require_whole_journal(inspection: &Inspection, torn: u64) -> Outcome<()> {
    if torn == 0 {
        return Ok(());
    }
    Err(Failure::damaged(format!(
        "{torn} of the records of the -journal beside the board are damaged. SQLite would put back the pages before the first \
         of them, and remove the journal with all others. Nothing was opened."
    ))
    .hint("See what comes back with `kanbanctl recover --dry-run`: it reads each record for itself.")
    .at(&inspection.resolved))
}

/// Refuses to write where that would destroy rows: over frames that SQLite does not see, into a file that is cut, through a
/// log that does not belong to the board's mode, or under one of several names of the file.
///
/// # Errors
/// Exit 4 for the logs, 12 for the names; reading errors.
pub fn require_writable(inspection: &Inspection) -> Outcome<()> {
    let names = inspection.stamp.map_or(1, |stamp| stamp.nlink);
    if names > 1 {
        return Err(Failure::refused(format!(
            "the board's file has {names} names (hard links). SQLite keeps one WAL per name: rows would part."
        ))
        .hint(hint::OF_SEVERAL_NAMES)
        .at(&inspection.resolved));
    }
    if !inspection.is_wal() && inspection.sidecars.wal_has_bytes() {
        return Err(Failure::damaged(
            "a -wal lies beside a board that is not in WAL mode: SQLite would replay it over the board.",
        )
        .hint("See what it holds with `kanbanctl recover --dry-run`.")
        .at(&inspection.resolved));
    }
    require_belonging(inspection)?;
    let Some(WaitingFrames { hidden, absent, settled, .. }) = count(inspection, false)? else {
        return Ok(());
    };
    if !settled {
        return Err(Failure::busy(
            "the WAL seems torn and other processes keep changing it, so that no look at it could be believed. Nothing was \
             written.",
        )
        .hint("Try again when they pause; `kanbanctl health` names them.")
        .at(&inspection.resolved));
    }
    if absent > 0 {
        return Err(Failure::damaged(format!(
            "the file is cut: {} neither in it nor in its WAL. Nothing was written.",
            counted(absent, "page of the board is", "pages of the board are")
        ))
        .hint("See what can be brought back with `kanbanctl recover --dry-run`.")
        .at(&inspection.resolved));
    }
    if hidden > 0 {
        return Err(Failure::damaged(format!(
            "the WAL is torn: {hidden} committed frames lie where SQLite does not look, and writing would overwrite them."
        ))
        .hint("Save them first with `kanbanctl recover --output NEW.db`.")
        .at(&inspection.resolved));
    }
    Ok(())
}
