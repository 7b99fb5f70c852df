//! The bytes of a source, open for reading: in memory where they are few, otherwise read in place.
//!
//! Responsible for that every read of one recovery sees the same bytes. What rests is read where it lies, and asked at the
//! end whether it is still the same. The live board is whole only as of one moment: unless it rests too, it is copied, into
//! memory or into a file that has no name. A sector that cannot be read costs the pages that it is in, not the source.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::mapped::{MappedMain, Places};
use super::torn_journal::torn_pages;
use super::transfer::TextTransfer;
use super::wal_repairs::{RepairedWal, WalRepairs};
use super::{Fingerprint, Source, SourceKind, SourcePart, fingerprint, moving, open, tries};
use crate::board::Stamp;
use crate::board::belonging;
use crate::board::files::with_suffix;
use crate::failure::{Failure, Outcome};
use crate::ondisk::byte_map::{ByteMap, Extent};
use crate::ondisk::journal::Journal;
use crate::ondisk::store::Store;
use crate::ondisk::wal::Mend;
use crate::ondisk::wal::index::HEAD;
use crate::work::holes;
use crate::work::unnamed::nameless;

/// Up to this many bytes of a live board are copied into memory.
const MEMORY_LIVE: u64 = 32 << 20;
/// Up to this many bytes of any other source are read at once.
const MEMORY: u64 = 4 << 20;
/// A live board that was written to more recently than this does not rest. Longer than the clock of any filesystem takes
/// to tell two moments apart.
const REST: Duration = Duration::from_secs(2);
const PIECE: usize = 1 << 20;
/// What is given up together where the disk does not give its bytes.
const SECTOR: usize = 4096;

/// Main file and WAL of one source.
#[derive(Debug)]
pub struct OpenSource {
    main: MappedMain,
    /// What was undone of what a transfer did to the main file.
    transfer: Option<TextTransfer>,
    /// Records of the rollback journal that are not what their checksum says.
    lost_records: u64,
    wal: RepairedWal,
    /// What the files were when they were opened; none for a copy, which cannot change.
    seen: Option<Fingerprint>,
    /// The head of the log's index, where it is a live board's.
    index: Vec<u8>,
    /// Whether the log counts whatever the main file says: it is one that a process still holds, and the file has gone on.
    log_counts: bool,
}

/// The bytes of a file.
#[derive(Debug)]
pub(crate) enum SourceBytes {
    /// All of them.
    Memory(Vec<u8>),
    /// Where they lie, and how many count.
    File { file: File, size: u64 },
}

impl Store for SourceBytes {
    fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.size(),
            Self::File { size, .. } => *size,
        }
    }

    fn read(&self, offset: u64, len: usize) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Memory(bytes) => bytes.read(offset, len),
            Self::File { file, size } => {
                let there = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
                let mut bytes = vec![0; len.min(there)];
                file.read_exact_at(&mut bytes, offset).ok()?;
                Some(Cow::Owned(bytes))
            }
        }
    }

    fn is_hole(&self, offset: u64, len: usize) -> bool {
        match self {
            Self::Memory(_) => false,
            Self::File { file, .. } => holes::is_hole(file, offset, len as u64),
        }
    }
}

impl SourceBytes {
    /// Put the pages of a transaction that was cut short back into this copy. Return what of it may be other bytes than those
    /// that stood there, and how many pages were lost with their records.
    fn roll_back(&mut self, journal: &Journal, records: &Self) -> std::io::Result<(Vec<Range<u64>>, u64)> {
        let before = self.size();
        let (torn, mut lost) = torn_pages(journal, records, self);
        for (offset, image) in journal.pages(records, before) {
            self.put(offset, &image)?;
        }
        let mut doubtful = Vec::new();
        for page in torn {
            self.put(page.offset, &page.image)?;
            doubtful
                .extend(page.doubtful.iter().map(|range| page.offset + range.start..page.offset + range.end));
            lost += 1;
        }
        match self {
            Self::Memory(bytes) => {
                bytes.truncate(usize::try_from(journal.size_before()).unwrap_or(usize::MAX));
            }
            Self::File { size, .. } => *size = (*size).min(journal.size_before()),
        }
        Ok((doubtful, lost))
    }

    /// Write `image` at `offset` of this copy.
    fn put(&mut self, offset: u64, image: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let end = start.saturating_add(image.len());
                bytes.resize(bytes.len().max(end), 0);
                if let Some(page) = bytes.get_mut(start..end) {
                    page.copy_from_slice(image);
                }
            }
            Self::File { file, size } => {
                file.write_all_at(image, offset)?;
                *size = (*size).max(offset + image.len() as u64);
            }
        }
        Ok(())
    }
}

/// The journal in `file` and its bytes, where it is hot.
fn hot(file: Option<File>) -> std::io::Result<Option<(Journal, SourceBytes)>> {
    let Some(file) = file else { return Ok(None) };
    let size = file.metadata()?.len();
    let bytes = SourceBytes::File { file, size };
    Ok(Journal::read(&bytes).map(|journal| (journal, bytes)))
}

/// What files were opened from.
struct OpenedFrom {
    index: Vec<u8>,
    seen: Option<Fingerprint>,
}

impl Source {
    /// Opens main file and WAL. A live board that does not fit memory is read `in_place` if that is wanted and it rests; the
    /// caller then has to ask at the end whether it still is what it was. What has to be copied into a file goes to the directory `scratch`. Where a transaction was
    /// cut short, the pages of its rollback journal are put back.
    ///
    /// # Errors
    /// Exit 11 when a live board changes under every try, 12 when there is no room for its copy, otherwise the reading error.
    pub fn open(&self, scratch: &Path, in_place: bool) -> Outcome<OpenSource> {
        if self.part != SourcePart::Whole {
            return self.open_alone(scratch);
        }
        let (main, wal) = self.files();
        let journal = with_suffix(&main, "-journal");
        for _ in tries() {
            let seen = fingerprint(&main, &wal)?;
            let seen_journal = Stamp::of(&journal)?;
            // The index first: what it names as the log's end then is not beyond what is read afterwards.
            let mut index = if self.kind == SourceKind::Live {
                head(open(&with_suffix(&main, "-shm"))?)
            } else {
                Vec::new()
            };
            let (file, log) = (open(&main)?, open(&wal)?);
            let gone = if self.base.is_some() { log.is_none() } else { file.is_none() };
            if self.kind == SourceKind::Held && gone {
                return Err(Failure::busy("the process that held this file has ended meanwhile.")
                    .at(&self.path)
                    .hint("Its uncommitted data is lost. Run the command again to recover the rest."));
            }
            let hot = hot(open(&journal)?).map_err(|error| reading(error, &journal))?;
            let size = |file: &Option<File>| {
                file.as_ref().map_or(Ok(0), |file| file.metadata().map(|meta| meta.len()))
            };
            let sizes = size(&file).and_then(|size_of_file| Ok((size_of_file, size(&log)?)));
            let (main_size, log_size) = sizes.map_err(|error| reading(error, &self.path))?;
            let live = matches!(self.kind, SourceKind::Live | SourceKind::Held | SourceKind::Replica)
                || hot.is_some();
            let small = main_size + log_size <= if live { MEMORY_LIVE } else { MEMORY };
            let rests = in_place
                && self.kind == SourceKind::Live
                && hot.is_none()
                && rests(file.as_ref())
                && rests(log.as_ref());
            let copied = live && (small || !rests);
            let take = |file: Option<File>, size: u64| match file {
                None => Ok(SourceBytes::Memory(Vec::new())),
                Some(file) if small => Ok(SourceBytes::Memory(in_memory(&file, size))),
                Some(file) if copied => set_aside(&file, size, scratch),
                Some(file) => Ok(SourceBytes::File { file, size }),
            };
            let (mut bytes, mut log) = (take(file, main_size)?, take(log, log_size)?);
            let is_held = self.kind == SourceKind::Held;
            if !is_held && !belonging::of_log(&bytes, &log).is_same_moment() {
                log = SourceBytes::Memory(Vec::new());
                index.clear();
            }
            let mut torn = (Vec::new(), 0);
            if let Some((journal, records)) = &hot
                && belonging::of_journal(&bytes, records).is_same_moment()
            {
                torn = bytes.roll_back(journal, records).map_err(|error| reading(error, &self.path))?;
            }
            if seen == fingerprint(&main, &wal)? && seen_journal == Stamp::of(&journal)? {
                let seen = (!copied).then_some(seen);
                return self.opened(bytes, log, torn, scratch, OpenedFrom { index, seen });
            }
        }
        Err(moving(&self.path))
    }

    /// Put the bytes of main file and log where they belong: what a transfer did is undone, of a file with two boards this one is
    /// read, and what of `torn` journal records may be other bytes is marked.
    fn opened(
        &self,
        bytes: SourceBytes,
        log: SourceBytes,
        (doubtful, lost_records): (Vec<Range<u64>>, u64),
        scratch: &Path,
        OpenedFrom { index, seen }: OpenedFrom,
    ) -> Outcome<OpenSource> {
        let failed = |error| reading(error, &self.path);
        let (bytes, transfer) = undone(bytes, scratch).map_err(failed)?;
        let (log, _) = undone(log, scratch).map_err(failed)?;
        let main = MappedMain::new(bytes);
        if let Some(part) = &self.range {
            let mut map = ByteMap::new(0);
            map.add(Extent { to: 0, from: part.start, len: part.end - part.start });
            main.place(Places::Mapped(Arc::new(map)));
        }
        if !doubtful.is_empty() {
            let mut map = ByteMap::identity(main.size());
            for range in doubtful {
                map.doubt(range);
            }
            main.place(Places::Mapped(Arc::new(map)));
        }
        Ok(OpenSource {
            main,
            transfer,
            lost_records,
            wal: RepairedWal::new(log),
            index,
            seen,
            log_counts: self.kind == SourceKind::Held,
        })
    }

    /// Opens a log or a journal without the file that it lies beside.
    fn open_alone(&self, scratch: &Path) -> Outcome<OpenSource> {
        for _ in tries() {
            let seen = Stamp::of(&self.path)?;
            let Some(file) = open(&self.path)? else { break };
            let size = file.metadata().map_err(|error| reading(error, &self.path))?.len();
            let bytes = set_aside(&file, size, scratch)?;
            if seen != Stamp::of(&self.path)? {
                continue;
            }
            let empty = SourceBytes::Memory(Vec::new());
            let (main, log) = match self.part {
                SourcePart::Journal => (pages_of_journal(&bytes, scratch)?, empty),
                SourcePart::Whole | SourcePart::Log => (empty, bytes),
            };
            let wal = RepairedWal::new(log);
            // A log that is read alone has no newer main file to give way to.
            let main = MappedMain::new(main);
            return Ok(OpenSource {
                main,
                transfer: None,
                lost_records: 0,
                wal,
                index: Vec::new(),
                seen: None,
                log_counts: true,
            });
        }
        Err(moving(&self.path))
    }
}

/// The pages that a journal holds, at their places in a file that has nothing else.
fn pages_of_journal(records: &SourceBytes, scratch: &Path) -> Outcome<SourceBytes> {
    let Some(journal) = Journal::read(records) else { return Ok(SourceBytes::Memory(Vec::new())) };
    let failed = |error: std::io::Error| Failure::making(error, "reading the journal's pages").at(scratch);
    let file = nameless(scratch).map_err(failed)?;
    let mut size = 0;
    for (number, at) in journal.images() {
        let Some(page) = records.read(at, journal.page_size) else { continue };
        let offset = u64::from(number.saturating_sub(1)) * journal.page_size as u64;
        file.write_all_at(&page, offset).map_err(failed)?;
        size = size.max(offset + page.len() as u64);
    }
    Ok(SourceBytes::File { file, size })
}

impl OpenSource {
    /// A source that is in memory already.
    pub fn in_memory(main: Vec<u8>, wal: Vec<u8>) -> Self {
        let wal = RepairedWal::new(SourceBytes::Memory(wal));
        Self {
            main: MappedMain::new(SourceBytes::Memory(main)),
            transfer: None,
            lost_records: 0,
            wal,
            index: Vec::new(),
            seen: None,
            log_counts: false,
        }
    }

    /// Whether the log counts even where the main file is newer.
    pub(crate) fn log_counts(&self) -> bool {
        self.log_counts
    }

    /// The main file, read at the places of its bytes in the database.
    pub fn main(&self) -> &dyn Store {
        &self.main
    }

    /// The main file as it lies there.
    pub(crate) fn raw_main(&self) -> &dyn Store {
        self.main.bytes()
    }

    /// Records of the rollback journal that are not what their checksum says.
    pub(crate) fn lost_records(&self) -> u64 {
        self.lost_records
    }

    /// What was undone of what a transfer did to the main file.
    pub(crate) fn transfer(&self) -> Option<TextTransfer> {
        self.transfer
    }

    /// The map of the places of the main file's bytes, if they stand elsewhere.
    pub(crate) fn map(&self) -> Option<Arc<ByteMap>> {
        self.main.map()
    }

    /// What is known of the places of the main file's bytes.
    pub(crate) fn places(&self) -> Places {
        self.main.places()
    }

    /// Read the main file's bytes at `places` from now on.
    pub(crate) fn place(&self, places: Places) {
        self.main.place(places);
    }

    /// The WAL as it lies there, wounds and all.
    pub(crate) fn raw_wal(&self) -> &dyn Store {
        self.wal.bytes()
    }

    /// The WAL, empty for none.
    pub fn wal(&self) -> &dyn Store {
        &self.wal
    }

    /// The head of the log's index; empty where there is none to believe.
    pub(crate) fn index(&self) -> &[u8] {
        &self.index
    }

    /// What is undone of the wounds of the log, if that has been found out.
    pub(crate) fn mends(&self) -> Option<&WalRepairs> {
        self.wal.mends()
    }

    /// Undoes wounds of the log: its reads give `mends` from now on.
    pub(crate) fn mend(&self, mends: Vec<Mend>) {
        self.wal.mend(mends);
    }

    /// The same for a source that was opened before.
    pub(crate) fn mend_again(&self, mends: &WalRepairs) {
        self.wal.mend_again(Arc::clone(mends));
    }

    /// What they hold in memory, in bytes.
    pub(crate) fn in_memory_bytes(&self) -> usize {
        let held = |bytes: &SourceBytes| match bytes {
            SourceBytes::Memory(bytes) => bytes.len(),
            SourceBytes::File { .. } => 0,
        };
        held(self.main.bytes()) + held(self.wal.bytes())
    }

    /// Whether these are copies, which nothing can change or take away.
    pub(crate) fn is_copy(&self) -> bool {
        self.seen.is_none()
    }

    /// What the files were when they were opened.
    pub(crate) fn seen(&self) -> Option<Fingerprint> {
        self.seen
    }
}

/// The first bytes of an index.
fn head(file: Option<File>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD);
    let read = file.map(|file| file.take(HEAD as u64).read_to_end(&mut bytes));
    if let Some(Ok(_)) = read { bytes } else { Vec::new() }
}

/// Whether nobody has written to `file` for a while.
fn rests(file: Option<&File>) -> bool {
    let Some(file) = file else { return true };
    let written = file.metadata().and_then(|meta| meta.modified());
    written.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|since| since > REST))
}

fn reading(error: std::io::Error, path: &Path) -> Failure {
    Failure::io(error, "reading the file").at(path)
}

/// The first `size` bytes of `file`; zeros for those that cannot be read.
fn in_memory(file: &File, size: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    for (index, piece) in bytes.chunks_mut(PIECE).enumerate() {
        read_what_can_be(file, piece, index as u64 * PIECE as u64);
    }
    bytes
}

fn read_what_can_be(file: &File, piece: &mut [u8], offset: u64) {
    if file.read_exact_at(piece, offset).is_ok() {
        return;
    }
    for (index, sector) in piece.chunks_mut(SECTOR).enumerate() {
        if file.read_exact_at(sector, offset + (index * SECTOR) as u64).is_err() {
            sector.fill(0);
        }
    }
}

/// Return `bytes` as they were before they were sent as text, and what that did to them; `bytes` themselves where it was not.
fn undone(bytes: SourceBytes, scratch: &Path) -> std::io::Result<(SourceBytes, Option<TextTransfer>)> {
    let Some(transfer) = TextTransfer::of(&bytes) else { return Ok((bytes, None)) };
    let was_exact;
    let before = if bytes.size() <= MEMORY_LIVE {
        let mut before = Vec::new();
        was_exact = transfer.undo(&bytes, &mut |piece| before.extend_from_slice(piece)).is_some();
        SourceBytes::Memory(before)
    } else {
        let mut file = std::io::BufWriter::new(nameless(scratch)?);
        let mut written = Ok(());
        was_exact = transfer
            .undo(&bytes, &mut |piece| {
                written = std::mem::replace(&mut written, Ok(())).and_then(|()| file.write_all(piece));
            })
            .is_some();
        written?;
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        let size = file.metadata()?.len();
        SourceBytes::File { file, size }
    };
    Ok(if was_exact { (before, Some(transfer)) } else { (bytes, None) })
}

/// Copies the first `size` bytes of `file` into a file without a name in `scratch`.
fn set_aside(file: &File, size: u64, scratch: &Path) -> Outcome<SourceBytes> {
    let failed = |error: std::io::Error| {
        Failure::making(error, "copying the live board for reading").at(scratch).hint(
            "Name a folder with room for the board in TMPDIR, or a destination on a filesystem that has it.",
        )
    };
    let copy = nameless(scratch).map_err(failed)?;
    let mut piece = vec![0; PIECE];
    let mut offset = 0;
    while let Some(data) = holes::next_data(file, offset).filter(|data| *data < size) {
        offset = data;
        let len = usize::try_from(size - offset).map_or(PIECE, |left| left.min(PIECE));
        let Some(piece) = piece.get_mut(..len) else { break };
        read_what_can_be(file, piece, offset);
        copy.write_all_at(piece, offset).map_err(failed)?;
        offset += len as u64;
    }
    copy.set_len(size).map_err(failed)?;
    Ok(SourceBytes::File { file: copy, size })
}
