//! The write-ahead log ("Database File Format", section 4).
//!
//! ```text
//!   0  magic, format, page size, checkpoint sequence, salt 1, salt 2, checksum 1, checksum 2   (32 bytes)
//!  32  frame: page number, pages after commit (0: no commit), salt 1, salt 2, checksum 1, 2    (24 bytes)
//!      page image
//!      frame ...
//! ```
//!
//! Checksums run on from frame to frame, so a frame verifies from the checksum that is stored in the frame before it: one
//! spoilt frame costs itself and not its followers, and a lost header costs nothing but the check of the first frame.

pub mod index;
mod mend;
mod spoilt;

pub use self::mend::Mend;
use std::collections::BTreeMap;

use super::field::u32_at;
use super::store::Store;

/// Length of the log's header in bytes.
pub const HEADER_LEN: usize = 32;
/// Length of a frame's header in bytes.
pub const FRAME_HEADER_LEN: usize = 24;
/// The magic number without its last bit, which says whether checksums read words big-endian.
const MAGIC: u32 = 0x377f_0682;
const FORMAT: u32 = 3_007_000;
/// What a header's or frame's checksum covers of its own header.
const HEADER_SUMMED: usize = 24;
const FRAME_SUMMED: usize = 8;

/// How much of the log is read at once, in bytes.
const PIECE: usize = 1 << 20;

/// A checksum: two running sums.
pub type Checksum = [u32; 2];

/// The log's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalHeader {
    /// Whether checksums read words big-endian.
    pub big_endian: bool,
    /// Bytes per page.
    pub page_size: usize,
    /// Counts checkpoints.
    pub sequence: u32,
    /// Stand in every frame of this generation.
    pub salts: [u32; 2],
    /// From which the first frame's checksum runs on.
    pub checksum: Checksum,
}

impl WalHeader {
    /// The header at the start of `bytes`; `None` when it is not there or its checksum is not right.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let magic = u32_at(bytes, 0)?;
        let page_size = u32_at(bytes, 8)? as usize;
        if magic & !1 != MAGIC || u32_at(bytes, 4)? != FORMAT || !is_page_size(page_size) {
            return None;
        }
        let header = Self {
            big_endian: magic & 1 == 1,
            page_size,
            sequence: u32_at(bytes, 12)?,
            salts: [u32_at(bytes, 16)?, u32_at(bytes, 20)?],
            checksum: [u32_at(bytes, 24)?, u32_at(bytes, 28)?],
        };
        let sum = checksum(header.big_endian, [0, 0], bytes.get(..HEADER_SUMMED)?);
        (sum == header.checksum).then_some(header)
    }
}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Its place in the log, from 0.
    pub index: usize,
    /// The page that it is a version of.
    pub page: u32,
    /// Pages of the database after this commit, 0 when the transaction goes on.
    pub commit: u32,
    /// The generation that it was written in.
    pub salts: [u32; 2],
    /// The checksum that it states.
    pub checksum: Checksum,
    /// Whether its checksum follows from the one before it.
    pub verified: bool,
    /// Where its page image begins, in bytes from the start of the log.
    pub offset: u64,
}

impl Frame {
    /// Whether SQLite wrote it and left its salts and checksum for later: a transaction that outgrew memory and has written
    /// over a frame of its own does so with every frame from there on, and puts them in before it commits.
    fn is_unsummed(&self) -> bool {
        self.page != 0 && self.commit == 0 && (self.salts, self.checksum) == ([0; 2], [0; 2])
    }

    /// Its page image, of `page_size` bytes, in the log that is `log`.
    pub fn image<'l>(&self, log: &'l [u8], page_size: usize) -> Option<&'l [u8]> {
        log.get(usize::try_from(self.offset).ok()?..)?.get(..page_size)
    }
}

/// A log, read as far as it goes: where its frames are, not their pages.
#[derive(Debug, Clone)]
pub struct Wal {
    /// The header, if it is whole.
    pub header: Option<WalHeader>,
    /// Bytes per page.
    pub page_size: usize,
    /// All frames that can be read, of whatever generation.
    pub frames: Vec<Frame>,
    /// The salts of the current generation.
    pub salts: [u32; 2],
    /// How many frames, counted from the first, go up to the last commit of the current generation.
    pub committed: usize,
    /// How many frames from the first on verify as they stand in a log with a whole header.
    unbroken: usize,
    big_endian: bool,
}

impl Wal {
    /// The log in `log`. `page_size` is what the main file says and is used when the log's header is lost; without it the
    /// size follows from the frames. `None` when there is no frame.
    pub fn read(log: &dyn Store, page_size: Option<usize>) -> Option<Self> {
        let header = log.read(0, HEADER_LEN).as_deref().and_then(WalHeader::read);
        let stated = header.map(|header| header.page_size);
        let sizes: Vec<usize> = match stated {
            Some(size) => vec![size],
            None => page_size.into_iter().chain((9..=16).map(|bit| 1 << bit)).collect(),
        };
        let mut best: Option<Self> = None;
        for size in sizes {
            let orders = header.map_or(vec![false, true], |header| vec![header.big_endian]);
            for big_endian in orders {
                let wal = Self::read_as(log, header, size, big_endian);
                let verified = wal.verified();
                if verified > best.as_ref().map_or(0, Self::verified) {
                    best = Some(wal);
                }
            }
            if best.is_some() {
                break;
            }
        }
        best
    }

    fn verified(&self) -> usize {
        self.frames.iter().filter(|frame| frame.verified).count()
    }

    fn read_as(log: &dyn Store, header: Option<WalHeader>, page_size: usize, big_endian: bool) -> Self {
        let len = FRAME_HEADER_LEN + page_size;
        let at_once = (PIECE / len).max(1);
        let total =
            usize::try_from(log.size().saturating_sub(HEADER_LEN as u64) / len as u64).unwrap_or(usize::MAX);
        let mut frames = Vec::new();
        let mut before = header.map(|header| (header.salts, header.checksum));
        for first in (0..total).step_by(at_once) {
            let start = |index: usize| HEADER_LEN as u64 + index as u64 * len as u64;
            let pieces = match log.read(start(first), at_once * len) {
                Some(piece) => vec![(first, piece)],
                // A bad sector costs the frame that it is in.
                None => (first..total.min(first + at_once))
                    .filter_map(|index| Some((index, log.read(start(index), len)?)))
                    .collect(),
            };
            for (number, chunk) in
                pieces.iter().flat_map(|(first, piece)| (*first..).zip(piece.chunks_exact(len)))
            {
                let Some(mut frame) = frame(number, start(number) + FRAME_HEADER_LEN as u64, chunk) else {
                    break;
                };
                let previous = before.take().filter(|_| frames.last().map_or(0, next_index) == number);
                // Zeros check out against zeros, but there is no page 0.
                frame.verified = frame.page != 0
                    && previous.is_some_and(|(salts, sum)| {
                        salts == frame.salts && follows(big_endian, sum, chunk) == Some(frame.checksum)
                    });
                before = Some((frame.salts, frame.checksum));
                frames.push(frame);
            }
        }
        // SQLite restores nothing: it ends the log where the first frame is not as its checksum says.
        let unbroken = header.map_or(0, |_| frames.iter().take_while(|frame| frame.verified).count());
        spoilt::FrameLog { store: log, page_size, big_endian, header }.restore(&mut frames);
        vouch_for_first(&mut frames, header.is_some());
        let salts = header
            .map(|header| header.salts)
            .or_else(|| frames.iter().find(|frame| frame.verified).map(|frame| frame.salts))
            .unwrap_or_default();
        let committed = committed(&frames, salts);
        Self { header, page_size, frames, salts, committed, unbroken, big_endian }
    }

    /// The frames up to the last commit, oldest first. Those whose checksum is wrong are among them, marked; SQLite would
    /// end the log there.
    pub fn committed(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter().take(self.committed).filter(|frame| frame.salts == self.salts)
    }

    /// Frames up to the last commit whose own header is spoilt, so that nothing says of which page they are.
    pub fn nameless(&self) -> impl Iterator<Item = &Frame> {
        let committed = self.frames.iter().take(self.committed);
        committed.filter(|frame| !frame.verified && frame.salts != self.salts)
    }

    /// How many frames SQLite sees: an unbroken chain from a whole header to a commit.
    pub fn visible(&self) -> usize {
        let chain = self.frames.iter().take(self.unbroken).take_while(|frame| frame.salts == self.salts);
        chain.filter(|frame| frame.commit != 0).last().map_or(0, next_index)
    }

    /// How many committed frames SQLite does not see and would overwrite.
    pub fn hidden(&self) -> usize {
        self.committed.saturating_sub(self.visible())
    }

    /// Frames behind the last commit with this generation's salts, or with none yet: a transaction that never ended. It may
    /// have written over a frame of its own, whose checksum then is wrong.
    pub fn uncommitted(&self) -> impl Iterator<Item = &Frame> {
        let behind = self.frames.iter().skip(self.committed);
        behind.filter(|frame| frame.salts == self.salts || frame.is_unsummed())
    }

    /// How many frames behind the last commit may have been one themselves, and cannot be believed.
    pub fn torn_commits(&self) -> usize {
        spoilt::torn_commits(self.frames.get(self.committed..).unwrap_or_default(), self.salts)
    }

    /// Frames of older generations that were not overwritten yet: earlier versions of their pages.
    pub fn older(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter().filter(|frame| frame.salts != self.salts && frame.verified)
    }

    /// The newest committed frame for each page in the generation before this one, as far as it was not overwritten. All of
    /// them were written into the main file before this generation began.
    pub fn checkpointed(&self) -> BTreeMap<u32, &Frame> {
        let is_previous = |frame: &&Frame| frame.salts[0].wrapping_add(1) == self.salts[0];
        let frames: Vec<&Frame> = self.older().filter(is_previous).collect();
        let committed = frames.iter().rposition(|frame| frame.commit != 0).map_or(0, |last| last + 1);
        frames.into_iter().take(committed).map(|frame| (frame.page, frame)).collect()
    }

    /// Pages of the database after the last commit, if its frame says so.
    pub fn page_count(&self) -> Option<u32> {
        let last = self.frames.get(self.committed.checked_sub(1)?)?;
        last.verified.then_some(last.commit)
    }
}

/// How many of `frames`, counted from the first, go up to the last commit of the generation with these `salts`.
fn committed(frames: &[Frame], salts: [u32; 2]) -> usize {
    if let Some(committed) = spoilt::spoilt_commit(frames, salts) {
        return committed;
    }
    let generation = frames.iter().take_while(|frame| frame.salts == salts || !frame.verified);
    let commits = generation
        .enumerate()
        .filter(|(_, frame)| frame.salts == salts && frame.verified && frame.commit != 0);
    commits.last().map_or(0, |(place, _)| place + 1)
}

/// The place of the frame behind `frame`.
fn next_index(frame: &Frame) -> usize {
    frame.index + 1
}

/// The first frame of a log without a header, and of each older generation, has nothing to be checked from. It counts when
/// the frame behind it follows from it.
fn vouch_for_first(frames: &mut [Frame], has_header: bool) {
    for index in 0..frames.len() {
        let previous = index.checked_sub(1).and_then(|index| frames.get(index)).map(|frame| frame.salts);
        let next = frames.get(index + 1).map(|frame| (frame.salts, frame.verified));
        let Some(frame) = frames.get_mut(index) else { return };
        let starts = previous.map_or(!has_header, |salts| salts != frame.salts);
        if starts && frame.page != 0 && next == Some((frame.salts, true)) {
            frame.verified = true;
        }
    }
}

fn frame(index: usize, offset: u64, chunk: &[u8]) -> Option<Frame> {
    Some(Frame {
        index,
        page: u32_at(chunk, 0)?,
        commit: u32_at(chunk, 4)?,
        salts: [u32_at(chunk, 8)?, u32_at(chunk, 12)?],
        checksum: [u32_at(chunk, 16)?, u32_at(chunk, 20)?],
        verified: false,
        offset,
    })
}

/// The checksum of the frame in `chunk` when the one before it states `sum`.
fn follows(big_endian: bool, sum: Checksum, chunk: &[u8]) -> Option<Checksum> {
    let sum = checksum(big_endian, sum, chunk.get(..FRAME_SUMMED)?);
    Some(checksum(big_endian, sum, chunk.get(FRAME_HEADER_LEN..)?))
}

/// The checksum that runs on from `sum` over `bytes`, eight at a time ("Database File Format", section 4.2).
pub fn checksum(big_endian: bool, sum: Checksum, bytes: &[u8]) -> Checksum {
    let [mut first, mut second] = sum;
    for chunk in bytes.chunks_exact(8) {
        if let &[a, b, c, d, e, f, g, h] = chunk {
            first = first.wrapping_add(word(big_endian, [a, b, c, d])).wrapping_add(second);
            second = second.wrapping_add(word(big_endian, [e, f, g, h])).wrapping_add(first);
        }
    }
    [first, second]
}

fn word(big_endian: bool, bytes: [u8; 4]) -> u32 {
    if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

fn is_page_size(size: usize) -> bool {
    (512..=65_536).contains(&size) && size.is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_short_logs_hold_nothing() {
        assert!(Wal::read(&Vec::new(), None).is_none());
        assert!(Wal::read(&vec![0; 5000], Some(4096)).is_none());
    }

    #[test]
    fn checksums_chain() {
        let bytes = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0];
        let whole = checksum(false, [0, 0], &bytes);
        let half = checksum(false, [0, 0], &bytes[..8]);
        assert_eq!(checksum(false, half, &bytes[8..]), whole);
        assert_ne!(checksum(true, [0, 0], &bytes), whole);
    }
}
