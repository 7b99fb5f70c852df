//! A log as it was before it was wounded: its bytes, and over them what its own checksums prove ([`Wal::mend`]).

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::open::SourceBytes;
use crate::ondisk::store::Store;
use crate::ondisk::wal::Mend;
#[cfg(doc)]
use crate::ondisk::wal::Wal;

/// What was undone, in the order of the log.
pub(crate) type WalRepairs = Arc<[Mend]>;

/// A log whose wounds can be undone once.
#[derive(Debug)]
pub(crate) struct RepairedWal {
    bytes: SourceBytes,
    mends: OnceLock<WalRepairs>,
}

impl RepairedWal {
    pub(crate) fn new(bytes: SourceBytes) -> Self {
        Self { bytes, mends: OnceLock::new() }
    }

    /// What lies there, wounds and all.
    pub(crate) fn bytes(&self) -> &SourceBytes {
        &self.bytes
    }

    /// What is undone, if that has been found out.
    pub(crate) fn mends(&self) -> Option<&WalRepairs> {
        self.mends.get()
    }

    /// Undoes `mends`, unless that was done before.
    pub(crate) fn mend(&self, mut mends: Vec<Mend>) {
        mends.sort_unstable_by_key(|mend| mend.offset);
        self.mend_again(mends.into());
    }

    /// The same, as it was found out before.
    pub(crate) fn mend_again(&self, mends: WalRepairs) {
        // Whoever comes second found the same.
        drop(self.mends.set(mends));
    }
}

impl Store for RepairedWal {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read(&self, offset: u64, len: usize) -> Option<Cow<'_, [u8]>> {
        let mut bytes = self.bytes.read(offset, len)?;
        for mend in self.mends.get().into_iter().flat_map(|mends| mends.iter()) {
            let end = offset + bytes.len() as u64;
            if mend.offset >= end || mend.offset + mend.bytes.len() as u64 <= offset {
                continue;
            }
            let skipped = usize::try_from(offset.saturating_sub(mend.offset)).unwrap_or(usize::MAX);
            let at = usize::try_from(mend.offset.saturating_sub(offset)).unwrap_or(usize::MAX);
            let were = mend.bytes.iter().skip(skipped);
            for (byte, were) in bytes.to_mut().iter_mut().skip(at).zip(were) {
                *byte = *were;
            }
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_see_what_was_there() {
        let log = RepairedWal::new(SourceBytes::Memory((0..20).collect()));
        log.mend(vec![Mend { offset: 4, bytes: vec![90, 91, 92, 93] }]);
        assert_eq!(log.read(0, 20).unwrap()[3..9], [3, 90, 91, 92, 93, 8]);
        assert_eq!(log.read(6, 4).unwrap(), &[92, 93, 8, 9][..]);
        assert_eq!(log.read(2, 3).unwrap(), &[2, 3, 90][..]);
        assert_eq!(log.read(8, 3).unwrap(), &[8, 9, 10][..]);
    }
}
