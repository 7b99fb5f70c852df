//! What is odd about rows, packed: some ten bytes for a row with a chain, where a list each would take ninety.
//!
//! A row names its entry by where that begins. Entries are numbers of seven bits a byte, so that most take one or two.

use super::row::{ByteRun, Flip, Odd};
use crate::ondisk::image::Site;

/// The bit of a byte that says that its number goes on.
const MORE: u8 = 0x80;

/// Entries one behind the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowExtras {
    bytes: Vec<u8>,
}

impl RowExtras {
    /// The entries whose [`RowExtras::as_bytes`] are `bytes`.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// All of them, for a file of our own.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Keeps `odd`, and returns what a row names it by: a number above 0. Behind four gigabytes that is one that names nothing,
    /// so that reading the row's chain fails.
    pub(crate) fn push(&mut self, odd: &Odd) -> u32 {
        let name = u32::try_from(self.bytes.len() + 1).unwrap_or(u32::MAX);
        self.number(odd.flip.map_or(0, Flip::code).into());
        self.number(odd.chain.len() as u64);
        for run in &odd.chain {
            self.number(run.source.into());
            self.number(run.site.offset << 1 | u64::from(run.site.in_log));
            self.number(run.pages.into());
        }
        let payload = odd.payload.as_deref();
        self.number(payload.map_or(0, |payload| payload.len() as u64 + 1));
        self.bytes.extend_from_slice(payload.unwrap_or_default());
        name
    }

    fn number(&mut self, mut number: u64) {
        while number >= MORE.into() {
            self.bytes.push(number.to_le_bytes()[0] | MORE);
            number >>= 7;
        }
        self.bytes.push(number.to_le_bytes()[0]);
    }

    /// The entry that a row names by `name`; none for 0.
    pub(crate) fn get(&self, name: u32) -> Option<Odd> {
        let start = usize::try_from(name).ok()?.checked_sub(1)?;
        ExtrasReader(self.bytes.get(start..)?).odd()
    }

    /// All of them, in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Odd> + '_ {
        let mut eye = ExtrasReader(&self.bytes);
        std::iter::from_fn(move || eye.odd())
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.len()
    }
}

/// Reads entries.
struct ExtrasReader<'e>(&'e [u8]);

impl ExtrasReader<'_> {
    fn odd(&mut self) -> Option<Odd> {
        let flip = Flip::from_code(self.small()?);
        let runs = self.number()?;
        let chain = (0..runs).map(|_| self.run()).collect::<Option<_>>()?;
        let payload = match self.number()?.checked_sub(1) {
            None => None,
            Some(len) => {
                let (payload, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
                self.0 = rest;
                Some(payload.into())
            }
        };
        Some(Odd { flip, chain, payload })
    }

    fn run(&mut self) -> Option<ByteRun> {
        let source = self.small()?;
        let place = self.number()?;
        let site = Site { in_log: place & 1 != 0, offset: place >> 1 };
        Some(ByteRun { source, site, pages: self.small()? })
    }

    fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & !MORE) << shift;
            if byte & MORE == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_comes_back_by_its_name_and_in_turn() {
        let run = |source, in_log, offset, pages| ByteRun { source, site: Site { in_log, offset }, pages };
        let all = [
            Odd::default(),
            Odd { flip: Some(Flip { at: u16::MAX, mask: 128 }), ..Odd::default() },
            Odd {
                chain: vec![run(0, false, 1 << 62, 1), run(u32::MAX, true, 127, u32::MAX)],
                ..Odd::default()
            },
            Odd { payload: Some([].into()), ..Odd::default() },
            Odd { payload: Some(vec![0xff; 300].into()), ..Odd::default() },
        ];
        let mut odds = RowExtras::default();
        let names: Vec<u32> = all.iter().map(|odd| odds.push(odd)).collect();
        assert!(names.iter().all(|name| *name > 0));
        let again = RowExtras::of(odds.as_bytes().to_vec());
        assert_eq!(names.iter().map(|name| again.get(*name).unwrap()).collect::<Vec<_>>(), all);
        assert_eq!(again.iter().collect::<Vec<_>>(), all);
        assert_eq!((again.get(0), again.get(u32::MAX)), (None, None));
    }

    #[test]
    fn a_chain_takes_little() {
        let mut odds = RowExtras::default();
        let site = Site { in_log: false, offset: 270 << 20 };
        odds.push(&Odd { chain: vec![ByteRun { source: 0, site, pages: 3 }], ..Odd::default() });
        assert!(odds.memory() <= 16, "{}", odds.memory());
    }
}
