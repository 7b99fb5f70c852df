//! Where the bytes of a file are: in memory, or read on demand by the caller.
//!
//! The reader asks for bytes by offset, so a file need not be in memory whole. Not here: I/O and its errors.

use std::borrow::Cow;
use std::fmt::Debug;

/// Bytes that can be read at any offset and do not change while they are read.
pub trait Store: Debug + Sync {
    /// How many there are.
    fn size(&self) -> u64;

    /// The `len` bytes from `offset`, fewer (or none) where the store ends; `None` when they cannot be read.
    fn read(&self, offset: u64, len: usize) -> Option<Cow<'_, [u8]>>;

    /// True if the `len` bytes from `offset` are known to be those that were written there.
    fn is_whole(&self, _offset: u64, _len: usize) -> bool {
        true
    }

    /// True if the `len` bytes from `offset` are known to be zeros that were never written.
    fn is_hole(&self, _offset: u64, _len: usize) -> bool {
        false
    }

    /// True if some of the `len` bytes from `offset` were put there because of what rows say that go on in them.
    fn is_moved(&self, _offset: u64, _len: usize) -> bool {
        false
    }
}

impl Store for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, offset: u64, len: usize) -> Option<Cow<'_, [u8]>> {
        piece(self, offset, len).map(Cow::Borrowed)
    }
}

impl Store for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, offset: u64, len: usize) -> Option<Cow<'_, [u8]>> {
        piece(self, offset, len).map(Cow::Borrowed)
    }
}

/// What there is of the `len` bytes from `offset`.
fn piece(bytes: &[u8], offset: u64, len: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
    bytes.get(start..start.saturating_add(len).min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_ends_with_the_store() {
        let bytes = vec![1, 2, 3, 4];
        assert_eq!(bytes.read(1, 2).unwrap(), &[2, 3][..]);
        assert_eq!(bytes.read(3, 9).unwrap(), &[4][..]);
        assert!(bytes.read(u64::MAX, 9).unwrap().is_empty());
        assert_eq!(bytes.as_slice().read(2, 1).unwrap(), &[3][..]);
    }
}
