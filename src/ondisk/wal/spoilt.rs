//! Frames whose header is damaged: its fields follow from the frames beside it.
//!
//! The checksum runs backwards from the next frame over this one's page to its value behind the page number and commit mark. The
//! frame before gives the value in front of them. The two words between are the fields. They are believed when they can be a
//! page number and a database size.

use std::collections::HashMap;

use super::{Checksum, FRAME_HEADER_LEN, FRAME_SUMMED, Frame, WalHeader, word};
use crate::ondisk::MAX_PAGES;
use crate::ondisk::store::Store;

/// A log restarts with the next number for its first salt; so far back a frame is of an earlier generation.
const GENERATIONS: u32 = 1 << 20;

/// The log that is being read.
pub(super) struct FrameLog<'l> {
    pub(super) store: &'l dyn Store,
    pub(super) page_size: usize,
    pub(super) big_endian: bool,
    pub(super) header: Option<WalHeader>,
}

impl FrameLog<'_> {
    /// Restore the headers of those of `frames` that the frames beside them tell of.
    ///
    /// A frame counts only where its generation commits behind it. A transaction that outgrew memory writes over images of
    /// its own frames and corrects their checksums when it commits. Until then such frames look like spoilt ones, and the
    /// few bytes by which the images differ turn one page number into another.
    pub(super) fn restore(&self, frames: &mut [Frame]) {
        self.restore_salts(frames);
        let commits = frames.iter().filter(|frame| frame.commit != 0);
        let last_commits: HashMap<[u32; 2], usize> =
            commits.map(|frame| (frame.salts, frame.index)).collect();
        for at in 0..frames.len() {
            let Some((spoilt, next)) = frames.get(at).copied().zip(frames.get(at + 1).copied()) else {
                return;
            };
            if spoilt.verified || next.verified || next.index != spoilt.index + 1 {
                continue;
            }
            let before = match at.checked_sub(1).and_then(|at| frames.get(at)) {
                // Read as what it is not, a log has frames enough for two words that look right; but none that verify, and none
                // that its header knows.
                Some(frame) => Some((frame.salts, frame.checksum)).filter(|(salts, _)| {
                    let is_known = frame.verified || self.header.is_some_and(|header| header.salts == *salts);
                    is_known && frame.index + 1 == spoilt.index
                }),
                None => self.header.map(|header| (header.salts, header.checksum)),
            };
            let is_committed = last_commits.get(&next.salts).is_some_and(|&last| last >= next.index);
            let before = before.filter(|(salts, _)| is_committed && *salts == next.salts);
            let restored = before.and_then(|(_, sum)| self.restored(sum, spoilt, next));
            if let Some(restored) = restored
                && let Some([one, other]) = frames.get_mut(at..at + 2)
            {
                *one = restored;
                other.verified = true;
            }
        }
    }

    /// Restores the salts of frames that go on from the one before them in everything else: the checksum leaves salts out.
    fn restore_salts(&self, frames: &mut [Frame]) {
        let mut before = self.header.map(|header| (0, header.salts, header.checksum));
        for at in 0..frames.len() {
            let Some(frame) = frames.get_mut(at) else { return };
            let previous = before.filter(|(index, ..)| *index == frame.index);
            if let Some((_, salts, sum)) = previous
                && !frame.verified
                && frame.page != 0
                && self.follows(*frame, sum)
            {
                (frame.salts, frame.verified) = (salts, true);
            }
            before = frame.verified.then_some((frame.index + 1, frame.salts, frame.checksum));
        }
    }

    fn follows(&self, frame: Frame, sum: Checksum) -> bool {
        self.read(frame).is_some_and(|(head, image)| {
            let head = head.get(..FRAME_SUMMED).unwrap_or_default();
            let sum = super::checksum(self.big_endian, sum, head);
            super::checksum(self.big_endian, sum, &image) == frame.checksum
        })
    }

    /// The frame that `spoilt` was, if the one before it states the sum `before` and `next` the one behind it.
    fn restored(&self, before: Checksum, spoilt: Frame, next: Frame) -> Option<Frame> {
        let (head, image) = self.read(next)?;
        let sum = self.back(self.back(next.checksum, &image), head.get(..FRAME_SUMMED)?);
        let (_, image) = self.read(spoilt)?;
        let [first, second] = self.back(sum, &image);
        let number = |sum: u32| u32::from_be_bytes(self.bytes(sum));
        let page = number(first.wrapping_sub(before[0]).wrapping_sub(before[1]));
        let commit = number(second.wrapping_sub(before[1]).wrapping_sub(first));
        let likely = (1..=MAX_PAGES).contains(&page) && commit <= MAX_PAGES;
        likely.then_some(Frame { page, commit, salts: next.salts, checksum: sum, verified: true, ..spoilt })
    }

    fn read(&self, frame: Frame) -> Option<(Vec<u8>, Vec<u8>)> {
        let start = frame.offset.checked_sub(FRAME_HEADER_LEN as u64)?;
        let bytes = self.store.read(start, FRAME_HEADER_LEN + self.page_size)?;
        let (head, image) = bytes.split_at_checked(FRAME_HEADER_LEN)?;
        Some((head.to_vec(), image.to_vec()))
    }

    /// The sum from which [`super::checksum`] runs on to `sum` over `bytes`.
    fn back(&self, sum: Checksum, bytes: &[u8]) -> Checksum {
        let [mut first, mut second] = sum;
        for chunk in bytes.chunks_exact(8).rev() {
            if let &[a, b, c, d, e, f, g, h] = chunk {
                second = second.wrapping_sub(word(self.big_endian, [e, f, g, h])).wrapping_sub(first);
                first = first.wrapping_sub(word(self.big_endian, [a, b, c, d])).wrapping_sub(second);
            }
        }
        [first, second]
    }

    fn bytes(&self, word: u32) -> [u8; 4] {
        if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() }
    }
}

/// How many of `frames` there are up to a commit that is spoilt: the last of the generation with these `salts`, which says
/// that it is one, or whose header is lost and which stands where the frames end without one. What is in a log without
/// being committed got there because a transaction outgrew memory, which is rarer.
pub(super) fn spoilt_commit(frames: &[Frame], salts: [u32; 2]) -> Option<usize> {
    let own = frames.iter().take_while(|frame| !is_older(frame, salts)).count();
    let [.., before, last] = frames.get(..own)? else { return None };
    if last.is_unsummed() {
        return None;
    }
    let follows = before.verified && before.salts == salts && !last.verified;
    let is_one = if last.salts == salts { last.commit != 0 } else { before.commit == 0 };
    (follows && is_one).then_some(own)
}

/// Whether `frame` is of an earlier generation than that with these `salts`.
fn is_older(frame: &Frame, salts: [u32; 2]) -> bool {
    (1..GENERATIONS).contains(&salts[0].wrapping_sub(frame.salts[0]))
}

/// How many of the frames `behind` the last commit of the generation with these `salts` may have been a commit: they are
/// not what their checksum says, or their own header is spoilt. Zeros are what a file is extended with.
pub(super) fn torn_commits(behind: &[Frame], salts: [u32; 2]) -> usize {
    let own = behind.iter().take_while(|frame| !is_older(frame, salts) && !frame.is_unsummed());
    own.filter(|frame| !frame.verified && frame.page != 0 && (frame.salts != salts || frame.commit != 0))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::wal::{HEADER_LEN, Wal, checksum};

    const PAGE: usize = 512;

    /// A log of one transaction over the pages 2, 3, ...
    fn log(frames: u32, big_endian: bool) -> Vec<u8> {
        let size = u32::try_from(PAGE).unwrap();
        let head = [super::super::MAGIC | u32::from(big_endian), super::super::FORMAT, size, 0, 7, 9];
        let mut log: Vec<u8> = head.iter().flat_map(|word| word.to_be_bytes()).collect();
        let mut sum = checksum(big_endian, [0, 0], &log);
        log.extend(sum.iter().flat_map(|word| word.to_be_bytes()));
        for index in 0..frames {
            let commit = if index + 1 == frames { 100 } else { 0 };
            let start = [(index + 2).to_be_bytes(), u32::to_be_bytes(commit)].concat();
            let image: Vec<u8> =
                (0..PAGE).map(|at| u8::try_from((at * 7 + index as usize) % 251).unwrap()).collect();
            sum = checksum(big_endian, checksum(big_endian, sum, &start), &image);
            log.extend(start);
            log.extend([7, 9, sum[0], sum[1]].iter().flat_map(|word| word.to_be_bytes()));
            log.extend(image);
        }
        log
    }

    fn start(frame: usize) -> usize {
        HEADER_LEN + frame * (FRAME_HEADER_LEN + PAGE)
    }

    #[test]
    fn a_transaction_that_has_written_over_itself_is_not_a_torn_commit() {
        let mut bytes = log(2, false);
        let more = log(6, false);
        // Frames 2 to 5 never were committed, 3 was written over, 5 has no salts yet.
        bytes.extend(&more[start(2)..]);
        let wal = |bytes: &Vec<u8>| Wal::read(bytes, None).unwrap();
        bytes[start(5) + 4..start(5) + 8].fill(0);
        bytes[start(3) + FRAME_HEADER_LEN + 9] ^= 0x55;
        bytes[start(5) + 8..start(5) + FRAME_HEADER_LEN].fill(0);
        let open = wal(&bytes);
        assert_eq!((open.committed, open.torn_commits(), open.visible()), (2, 0, 2));
        assert_eq!(open.uncommitted().map(|frame| frame.index).collect::<Vec<_>>(), [2, 3, 4, 5]);
    }

    #[test]
    fn a_spoilt_header_follows_from_its_neighbours() {
        for big_endian in [false, true] {
            let good = Wal::read(&log(5, big_endian), None).unwrap();
            for spoilt in 0..4 {
                let mut log = log(5, big_endian);
                log[start(spoilt)..start(spoilt) + FRAME_HEADER_LEN].fill(0xa7);
                let read = Wal::read(&log, None).unwrap();
                assert_eq!(read.frames, good.frames, "frame {spoilt}");
                // The only commit is behind it, where SQLite does not look.
                assert_eq!((read.visible(), read.hidden()), (0, 5), "frame {spoilt}");
            }
        }
    }

    #[test]
    fn spoilt_salts_are_those_of_the_frame_before() {
        for spoilt in 0..5 {
            let mut log = log(5, false);
            log[start(spoilt) + 13] ^= 0x20;
            let read = Wal::read(&log, None).unwrap();
            assert!(
                read.frames.iter().all(|frame| frame.verified && frame.salts == [7, 9]),
                "frame {spoilt}"
            );
            assert_eq!((read.visible(), read.hidden()), (0, 5), "frame {spoilt}");
        }
    }

    #[test]
    fn a_spoilt_page_is_no_spoilt_header() {
        let mut log = log(5, false);
        log[start(2) + FRAME_HEADER_LEN + 40] ^= 1;
        let wal = Wal::read(&log, None).unwrap();
        let verified: Vec<bool> = wal.frames.iter().map(|frame| frame.verified).collect();
        assert_eq!(verified, [true, true, false, true, true]);
    }

    #[test]
    fn nothing_is_restored_where_nothing_verifies() {
        let log: Vec<u8> =
            (0..1_u32 << 22).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 21).to_le_bytes()[0]).collect();
        assert!(Wal::read(&log, None).is_none());
    }

    #[test]
    fn the_last_frame_was_the_commit_unless_it_is_older() {
        let mut log = log(5, false);
        log[start(4)..start(4) + FRAME_HEADER_LEN].fill(0xa7);
        let wal = Wal::read(&log, None).unwrap();
        assert_eq!((wal.committed, wal.page_count()), (5, None));
        // The salts of the generation before.
        log[start(4) + 8..start(4) + 12].copy_from_slice(&6_u32.to_be_bytes());
        assert_eq!(Wal::read(&log, None).unwrap().committed, 0);
        // A transaction that goes on into nothing.
        log.truncate(start(4));
        assert_eq!(Wal::read(&log, None).unwrap().committed, 0);
    }
}
