//! Which bytes of a file stand where in the database: for files that lost or gained bytes, or whose parts stand in another
//! order.
//!
//! ```text
//!   file      [ aaaaaaaa | bbbbbbbb | cccc ]           extents: to, from, len
//!   database  [ bbbbbbbb | .. | aaaaaaaa | cccc ]      what no extent covers reads as zeros, and is not whole
//! ```
//!
//! Not here: how the extents are found. That is recovery's work.

use std::borrow::Cow;
use std::ops::Range;

use super::store::Store;

/// Bytes that stand together in the file and in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Where they belong in the database.
    pub to: u64,
    /// Where they are in the file.
    pub from: u64,
    /// How many there are.
    pub len: u64,
}

impl Extent {
    const fn end(&self) -> u64 {
        self.to + self.len
    }

    /// The part of it that belongs into `range` of the database.
    fn within(&self, range: &Range<u64>) -> Option<Self> {
        let (start, end) = (self.to.max(range.start), self.end().min(range.end));
        (start < end).then(|| Self { to: start, from: self.from + (start - self.to), len: end - start })
    }
}

/// The bytes of a database by their places in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ByteMap {
    /// By place in the database, without overlap.
    extents: Vec<Extent>,
    /// Parts of the database, in order, whose bytes may be others than those that stood there.
    doubtful: Vec<Range<u64>>,
    /// Parts that were moved one by one.
    moved: Vec<Range<u64>>,
    size: u64,
}

impl ByteMap {
    /// A map of a database of `size` bytes that has no bytes yet.
    pub fn new(size: u64) -> Self {
        Self { size, ..Self::default() }
    }

    /// Every one of `size` bytes in its place.
    pub fn identity(size: u64) -> Self {
        Self { extents: vec![Extent { to: 0, from: 0, len: size }], size, ..Self::default() }
    }

    /// Add those bytes of `extent` whose place is not taken.
    pub fn add(&mut self, extent: Extent) {
        let mut start = extent.to;
        let mut free = Vec::new();
        for taken in self.extents.iter().filter(|taken| taken.end() > extent.to && taken.to < extent.end()) {
            free.extend(extent.within(&(start..taken.to.max(start))));
            start = start.max(taken.end());
        }
        free.extend(extent.within(&(start..extent.end())));
        self.extents.extend(free);
        self.extents.sort_unstable_by_key(|extent| extent.to);
        self.size = self.size.max(extent.end());
    }

    /// Those bytes of `extent` whose place is taken.
    pub fn refused(&self, extent: &Extent) -> Vec<Extent> {
        let range = extent.to..extent.end();
        self.touching(&range).filter_map(|taken| extent.within(&(taken.to..taken.end()))).collect()
    }

    /// How many whole pages of `size` bytes have no byte.
    pub fn missing(&self, size: usize) -> u64 {
        let size = size.max(1) as u64;
        let (mut missing, mut end) = (0, 0_u64);
        for (start, next) in
            self.extents.iter().map(|extent| (extent.to, extent.end())).chain([(self.size, self.size)])
        {
            missing += (start / size).saturating_sub(end.div_ceil(size));
            end = next;
        }
        missing
    }

    /// Mark the bytes in `range` of the database as doubtful.
    pub fn doubt(&mut self, range: Range<u64>) {
        if !range.is_empty() {
            self.doubtful.push(range);
            self.doubtful.sort_unstable_by_key(|range| range.start);
        }
    }

    /// Bytes of the database.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// True if every byte in `range` of the database is there and in its place.
    pub fn is_whole(&self, range: &Range<u64>) -> bool {
        let there: u64 =
            self.touching(range).filter_map(|extent| extent.within(range)).map(|part| part.len).sum();
        let doubtful = |doubtful: &Range<u64>| doubtful.start < range.end && range.start < doubtful.end;
        there == range.end.saturating_sub(range.start) && !self.doubtful.iter().any(doubtful)
    }

    /// True if a byte in `range` of the database was moved by [`ByteMap::moved`].
    pub fn is_moved(&self, range: &Range<u64>) -> bool {
        self.moved.iter().any(|moved| moved.start < range.end && range.start < moved.end)
    }

    /// True if some bytes may be others than those that stood there.
    pub fn has_doubts(&self) -> bool {
        !self.doubtful.is_empty()
    }

    /// How many parts were moved one by one.
    pub fn moved_count(&self) -> usize {
        self.moved.len()
    }

    /// The same bytes with those of the database moved: for each pair the place that `len` bytes are moved to, and the one
    /// from which they come.
    #[must_use]
    pub fn moved(&self, moves: &[(u64, u64)], len: u64) -> Self {
        let mut map = Self::new(self.size);
        for &(to, from) in moves {
            let range = from..from.saturating_add(len);
            for part in self.touching(&range).filter_map(|extent| extent.within(&range)) {
                map.add(Extent { to: part.to - from + to, ..part });
            }
        }
        let mut taken: Vec<Range<u64>> = moves.iter().map(|(to, _)| *to..to.saturating_add(len)).collect();
        taken.sort_unstable_by_key(|range| range.start);
        let mut start = 0;
        for range in taken.into_iter().chain(std::iter::once(self.size..self.size)) {
            let gap = start..range.start;
            start = range.end;
            for part in self.touching(&gap).filter_map(|extent| extent.within(&gap)) {
                map.add(part);
            }
        }
        map.doubtful.clone_from(&self.doubtful);
        map.moved = moves.iter().map(|(to, _)| *to..to.saturating_add(len)).collect();
        map.size = self.size;
        map
    }

    /// The extents that have bytes in `range` of the database.
    fn touching(&self, range: &Range<u64>) -> impl Iterator<Item = &Extent> + use<'_> {
        let end = range.end;
        let first = self.extents.partition_point(|extent| extent.end() <= range.start);
        self.extents.get(first..).unwrap_or_default().iter().take_while(move |extent| extent.to < end)
    }

    /// Read the `len` bytes from `offset` of the database out of `file`, zeros where there are none.
    pub fn read<'f>(&self, file: &'f dyn Store, offset: u64, len: usize) -> Option<Cow<'f, [u8]>> {
        let end = offset.saturating_add(len as u64).min(self.size);
        let range = offset.min(end)..end;
        let mut parts = self.touching(&range).filter_map(|extent| extent.within(&range)).peekable();
        if let Some(part) = parts.next_if(|part| part.to == range.start && part.end() == range.end) {
            return file.read(part.from, usize::try_from(part.len).ok()?);
        }
        let mut bytes = vec![0; usize::try_from(range.end - range.start).ok()?];
        for part in parts {
            let at = usize::try_from(part.to - range.start).ok()?;
            let read = file.read(part.from, usize::try_from(part.len).ok()?)?;
            bytes.get_mut(at..at + read.len())?.copy_from_slice(&read);
        }
        Some(Cow::Owned(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_from_where_they_stand() {
        let file: Vec<u8> = (0..20).collect();
        let mut map = ByteMap::new(0);
        map.add(Extent { to: 0, from: 10, len: 5 });
        map.add(Extent { to: 8, from: 0, len: 4 });
        // The first three have their places taken.
        map.add(Extent { to: 9, from: 1, len: 6 });
        assert_eq!(map.size(), 15);
        assert_eq!(&*map.read(&file, 0, 99).unwrap(), &[10, 11, 12, 13, 14, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(&*map.read(&file, 9, 2).unwrap(), &[1, 2]);
        assert!(map.is_whole(&(8..15)) && !map.is_whole(&(4..9)) && !map.is_whole(&(14..16)));
        map.doubt(9..10);
        assert!(!map.is_whole(&(8..15)) && map.is_whole(&(10..15)));
    }

    #[test]
    fn moved_pages_change_places() {
        let file: Vec<u8> = (0..12).collect();
        let map = ByteMap::identity(12).moved(&[(0, 8), (8, 0)], 4);
        assert_eq!(&*map.read(&file, 0, 12).unwrap(), &[8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]);
        assert!(!map.is_moved(&(4..8)) && map.is_moved(&(4..9)));
        let again = map.moved(&[(0, 8), (8, 0)], 4);
        assert_eq!(&*again.read(&file, 0, 12).unwrap(), &file[..]);
    }
}
