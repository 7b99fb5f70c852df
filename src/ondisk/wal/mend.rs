//! Repairs bytes in frames where the checksum proves the repair.
//!
//! A frame's checksum runs from the value of the frame before it to its own, eight bytes at a time, and can run from either
//! end. The bad bytes lie between the two runs. Words put in their place are right if the runs meet, which wrong words do once
//! in 2^64. Two kinds of words are tried: those of an earlier version of the page, and those that differ in a few bytes.

use std::borrow::Cow;

use super::{Checksum, FRAME_HEADER_LEN, FRAME_SUMMED, Frame, Wal, spoilt, word};
use crate::ondisk::field::u32_at;
use crate::ondisk::store::Store;

/// What the checksum reads at a time.
const BLOCK: usize = 8;
/// So many bytes of two words may differ: eight that are computed from the sums look like that once in 2^32.
const FEW: usize = 4;
/// Blocks that are summed to find stretches of earlier versions, in all: a log with more wounds is no log with wounds.
const MOST: usize = 1 << 27;

/// Bytes of the log that were others before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// From the start of the log, in bytes.
    pub offset: u64,
    /// What was there.
    pub bytes: Vec<u8>,
}

impl Wal {
    /// Undoes the wounds of this generation's frames in `log`, and restores what hung on them. `older` gives earlier versions of a page
    /// that are not in the log. Gives what the log's bytes were; the frames are verified from then on.
    pub fn mend(&mut self, log: &dyn Store, older: &dyn Fn(u32) -> Option<Vec<u8>>) -> Vec<Mend> {
        let mut mends = Vec::new();
        let spoilt: Vec<usize> = (0..self.frames.len())
            .filter(|&at| self.frames.get(at).is_some_and(|frame| !frame.verified))
            .collect();
        if spoilt.is_empty() {
            return mends;
        }
        let mut left = MOST;
        for at in spoilt {
            if let Some((mended, bytes)) = self.mended(at, log, older, &mut left)
                && let Some(frame) = self.frames.get_mut(at)
            {
                *frame = mended;
                mends.push(Mend { offset: mended.offset, bytes });
            }
        }
        let (page_size, big_endian, header) = (self.page_size, self.big_endian, self.header);
        spoilt::FrameLog { store: log, page_size, big_endian, header }.restore(&mut self.frames);
        self.committed = super::committed(&self.frames, self.salts);
        mends
    }

    fn mended(
        &self,
        at: usize,
        log: &dyn Store,
        older: &dyn Fn(u32) -> Option<Vec<u8>>,
        left: &mut usize,
    ) -> Option<(Frame, Vec<u8>)> {
        let frame = self.frames.get(at).filter(|frame| !frame.verified && frame.salts == self.salts)?;
        let (salts, before) = match at.checked_sub(1).and_then(|at| self.frames.get(at)) {
            Some(previous) if previous.index + 1 == frame.index => (previous.salts, previous.checksum),
            None if frame.index == 0 => self.header.map(|header| (header.salts, header.checksum))?,
            _ => return None,
        };
        if salts != self.salts {
            return None;
        }
        let start = frame.offset.checked_sub(FRAME_HEADER_LEN as u64)?;
        let bytes = log.read(start, FRAME_HEADER_LEN + self.page_size)?;
        let (head, image) = bytes.split_at_checked(FRAME_HEADER_LEN)?;
        let summed = [head.get(..FRAME_SUMMED)?, image].concat();
        let sums = Sums::of(self.big_endian, &summed, before, frame.checksum);
        let image = sums.few().or_else(|| {
            self.earlier(at, frame, log, older).iter().find_map(|older| {
                let version = [head.get(..FRAME_SUMMED)?, older].concat();
                sums.with(&version, left)
            })
        })?;
        let (head, image) = image.split_at_checked(FRAME_SUMMED)?;
        let (page, commit) = (u32_at(head, 0)?, u32_at(head, 4)?);
        Some((Frame { page, commit, verified: true, ..*frame }, image.to_vec()))
    }

    /// Earlier versions of the page of `frame`, the newest first.
    fn earlier(
        &self,
        at: usize,
        frame: &Frame,
        log: &dyn Store,
        older: &dyn Fn(u32) -> Option<Vec<u8>>,
    ) -> Vec<Vec<u8>> {
        let before = self.frames.iter().take(at).rev().filter(|earlier| earlier.page == frame.page);
        let images = before.filter_map(|earlier| log.read(earlier.offset, self.page_size));
        let images = images.map(Cow::into_owned).take(FEW);
        images.chain(older(frame.page)).filter(|image| image.len() == self.page_size).collect()
    }
}

/// The checksum of a frame in front of each of its blocks, run from both ends.
struct Sums<'s> {
    big_endian: bool,
    summed: &'s [u8],
    forth: Vec<Checksum>,
    back: Vec<Checksum>,
}

impl<'s> Sums<'s> {
    fn of(big_endian: bool, summed: &'s [u8], before: Checksum, after: Checksum) -> Self {
        let words = |block: &[u8]| words(big_endian, block);
        let mut forth = vec![before];
        let mut sum = before;
        for block in summed.chunks_exact(BLOCK) {
            sum = step(sum, words(block));
            forth.push(sum);
        }
        let mut back = vec![after];
        let mut sum = after;
        for block in summed.chunks_exact(BLOCK).rev() {
            sum = step_back(sum, words(block));
            back.push(sum);
        }
        back.reverse();
        Self { big_endian, summed, forth, back }
    }

    /// The bytes as they were, if only a few of them differ.
    fn few(&self) -> Option<Vec<u8>> {
        let mut found = None;
        for at in 0..self.forth.len().saturating_sub(1) {
            let there = block(self.summed, at)?;
            for (offset, were) in [self.within(at), self.across(at)].into_iter().flatten() {
                let there = self.summed.get(offset..offset + BLOCK).unwrap_or(there);
                let differing = were.iter().zip(there).filter(|(were, is)| were != is).count();
                if (1..=FEW).contains(&differing) {
                    let mut bytes = self.summed.to_vec();
                    bytes.get_mut(offset..offset + BLOCK)?.copy_from_slice(&were);
                    if found.as_ref().is_some_and(|known| *known != bytes) {
                        return None;
                    }
                    found = Some(bytes);
                }
            }
        }
        found
    }

    /// The two words of block `at` with which the runs meet.
    fn within(&self, at: usize) -> Option<(usize, [u8; BLOCK])> {
        let (&[first, second], &[to_first, to_second]) = (self.forth.get(at)?, self.back.get(at + 1)?);
        let one = to_first.wrapping_sub(first).wrapping_sub(second);
        let other = to_second.wrapping_sub(second).wrapping_sub(to_first);
        Some((at * BLOCK, self.bytes(one, other)))
    }

    /// The second word of block `at` and the first of the next with which the runs meet.
    fn across(&self, at: usize) -> Option<(usize, [u8; BLOCK])> {
        let [one, _] = words(self.big_endian, block(self.summed, at)?);
        let [_, other] = words(self.big_endian, block(self.summed, at + 1)?);
        let (&[first, second], &[to_first, to_second]) = (self.forth.get(at)?, self.back.get(at + 2)?);
        // What stands between the two blocks: its first half follows from the front, its second from behind.
        let middle_first = first.wrapping_add(one).wrapping_add(second);
        let middle_second = to_second.wrapping_sub(other).wrapping_sub(to_first);
        let left = middle_second.wrapping_sub(second).wrapping_sub(middle_first);
        let right = to_first.wrapping_sub(middle_first).wrapping_sub(middle_second);
        Some((at * BLOCK + BLOCK / 2, self.bytes(left, right)))
    }

    fn bytes(&self, one: u32, other: u32) -> [u8; BLOCK] {
        let word = |word: u32| if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        let mut bytes = [0; BLOCK];
        for (byte, of_word) in bytes.iter_mut().zip(word(one).into_iter().chain(word(other))) {
            *byte = of_word;
        }
        bytes
    }

    /// The bytes with a stretch of `version` in them that makes the runs meet; no more blocks than are `left` are summed.
    fn with(&self, version: &[u8], left: &mut usize) -> Option<Vec<u8>> {
        let blocks = self.forth.len() - 1;
        let differs = |at: usize| block(self.summed, at) != block(version, at);
        for from in (0..blocks).filter(|&at| differs(at)) {
            *left = left.checked_sub(blocks - from)?;
            let mut sum = *self.forth.get(from)?;
            for to in from..blocks {
                sum = step(sum, words(self.big_endian, block(version, to)?));
                if Some(&sum) == self.back.get(to + 1) {
                    let mut bytes = self.summed.to_vec();
                    let stretch = from * BLOCK..(to + 1) * BLOCK;
                    bytes.get_mut(stretch.clone())?.copy_from_slice(version.get(stretch)?);
                    return Some(bytes);
                }
            }
        }
        None
    }
}

fn block(bytes: &[u8], at: usize) -> Option<&[u8]> {
    bytes.get(at * BLOCK..(at + 1) * BLOCK)
}

fn words(big_endian: bool, block: &[u8]) -> [u32; 2] {
    let (words, _) = block.as_chunks::<4>();
    match words {
        [one, other] => [word(big_endian, *one), word(big_endian, *other)],
        _ => [0, 0],
    }
}

fn step([first, second]: Checksum, [one, other]: [u32; 2]) -> Checksum {
    let first = first.wrapping_add(one).wrapping_add(second);
    [first, second.wrapping_add(other).wrapping_add(first)]
}

fn step_back([first, second]: Checksum, [one, other]: [u32; 2]) -> Checksum {
    let second = second.wrapping_sub(other).wrapping_sub(first);
    [first.wrapping_sub(one).wrapping_sub(second), second]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::wal::checksum;

    const BEFORE: Checksum = [7, 9];

    fn page() -> Vec<u8> {
        (0..520_u32).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 24).to_le_bytes()[0]).collect()
    }

    #[test]
    fn steps_are_the_checksum() {
        let page = page();
        for big_endian in [false, true] {
            let sums = Sums::of(big_endian, &page, BEFORE, [3, 4]);
            assert_eq!(sums.forth.last(), Some(&checksum(big_endian, BEFORE, &page)));
            assert_eq!(checksum(big_endian, sums.back[0], &page), [3, 4]);
        }
    }

    #[test]
    fn a_few_bytes_follow_from_the_sums() {
        let page = page();
        for big_endian in [false, true] {
            let after = checksum(big_endian, BEFORE, &page);
            for at in [0, 3, 6, 7, 260, 516] {
                let mut hurt = page.clone();
                for byte in &mut hurt[at..at + 4] {
                    *byte ^= 0x40;
                }
                let sums = Sums::of(big_endian, &hurt, BEFORE, after);
                // More than a word and a half is beyond what two words tell.
                let mended = sums.few();
                assert_eq!(mended.as_ref(), Some(&page), "{at}");
            }
            assert_eq!(Sums::of(big_endian, &page, BEFORE, [1, 2]).few(), None);
        }
    }

    #[test]
    fn a_stretch_of_an_earlier_version_is_proven_or_not_taken() {
        let page = page();
        let after = checksum(false, BEFORE, &page);
        let mut earlier = page.clone();
        earlier[..40].fill(0);
        let mut hurt = page.clone();
        hurt[203..390].fill(0xee);
        let sums = Sums::of(false, &hurt, BEFORE, after);
        assert_eq!(sums.few(), None);
        assert_eq!(sums.with(&earlier, &mut MOST.clone()), Some(page.clone()));
        // The earlier version is not that of the wound.
        earlier[250] ^= 1;
        assert_eq!(sums.with(&earlier, &mut MOST.clone()), None);
    }
}
