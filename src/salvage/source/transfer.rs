//! Files that were sent as text: what a transfer changed in every byte is undone in a private copy, where its inverse is exact.
//!
//! ```text
//!   LF to CR LF        each 0A has a 0D before it: one of the two goes
//!   Latin-1 to UTF-8   all of the file is UTF-8 of characters that one byte has: each becomes that byte
//! ```
//!
//! A database has lone line feeds and bytes that no UTF-8 has all over it, so that a few kilobytes tell.
//!
//! Not here: bytes that were lost or gained in places ([`crate::salvage::image::grid`]).

use crate::ondisk::store::Store;

/// Bytes that are looked at first.
const HEAD: usize = 1 << 16;
/// So many line feeds, or characters that take two bytes, at least.
const ENOUGH: usize = 16;
/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// What a transfer did to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextTransfer {
    /// Each line feed became a carriage return and a line feed.
    LineEnds,
    /// Each byte was taken for a character of Latin-1 or Windows-1252, and written in UTF-8.
    Utf8,
}

impl TextTransfer {
    /// Say what was undone.
    pub(crate) const fn note(self) -> &'static str {
        match self {
            Self::LineEnds => {
                "sent in text mode: each line feed had become CR LF, which was undone in a private copy"
            }
            Self::Utf8 => "read as Latin-1 and written as UTF-8, which was undone in a private copy",
        }
    }

    /// What was done to `file`, as far as its beginning tells.
    pub(crate) fn of(file: &dyn Store) -> Option<Self> {
        let head = file.read(0, HEAD)?;
        [Self::LineEnds, Self::Utf8].into_iter().find(|transfer| {
            let mut undone = Undone::new(*transfer);
            undone.take(&head, &mut |_| {}).is_some() && undone.changed >= ENOUGH
        })
    }

    /// Give the bytes of `file` before the transfer to `out`, piece by piece; `None` where the inverse is not exact.
    pub(crate) fn undo(self, file: &dyn Store, out: &mut dyn FnMut(&[u8])) -> Option<()> {
        let mut undone = Undone::new(self);
        let mut offset = 0;
        while offset < file.size() {
            let piece = file.read(offset, PIECE).filter(|piece| !piece.is_empty())?;
            undone.take(&piece, out)?;
            offset += piece.len() as u64;
        }
        undone.finish(out)
    }
}

/// A file whose transfer is being undone.
struct Undone {
    transfer: TextTransfer,
    /// Bytes at the end of the last piece that more may belong to.
    rest: Vec<u8>,
    changed: usize,
}

impl Undone {
    fn new(transfer: TextTransfer) -> Self {
        Self { transfer, rest: Vec::new(), changed: 0 }
    }

    fn take(&mut self, piece: &[u8], out: &mut dyn FnMut(&[u8])) -> Option<()> {
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(piece);
        match self.transfer {
            TextTransfer::LineEnds => self.line_ends(&bytes, out),
            TextTransfer::Utf8 => self.utf8(&bytes, out),
        }
    }

    fn line_ends(&mut self, bytes: &[u8], out: &mut dyn FnMut(&[u8])) -> Option<()> {
        let mut kept = Vec::with_capacity(bytes.len());
        for (at, byte) in bytes.iter().enumerate() {
            match (byte, bytes.get(at + 1)) {
                (b'\r', Some(b'\n')) => self.changed += 1,
                (b'\r', None) => self.rest.push(b'\r'),
                (b'\n', _) if at.checked_sub(1).and_then(|before| bytes.get(before)) != Some(&b'\r') => {
                    return None;
                }
                _ => kept.push(*byte),
            }
        }
        out(&kept);
        Some(())
    }

    fn utf8(&mut self, bytes: &[u8], out: &mut dyn FnMut(&[u8])) -> Option<()> {
        let (whole, rest) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, &[][..]),
            // Only the end may be that of a character.
            Err(error) if error.error_len().is_none() => {
                let (whole, rest) = bytes.split_at_checked(error.valid_up_to())?;
                (std::str::from_utf8(whole).ok()?, rest)
            }
            Err(_) => return None,
        };
        self.rest = rest.to_vec();
        let mut kept = Vec::with_capacity(whole.len());
        for c in whole.chars() {
            self.changed += usize::from(!c.is_ascii());
            kept.push(byte_of(c)?);
        }
        out(&kept);
        Some(())
    }

    fn finish(&mut self, out: &mut dyn FnMut(&[u8])) -> Option<()> {
        out(&self.rest);
        (self.changed >= ENOUGH).then_some(())
    }
}

/// The byte that is `c` in Latin-1, or in Windows-1252 where that has another character.
fn byte_of(c: char) -> Option<u8> {
    /// The characters of the bytes from 80 to 9F in Windows-1252; zero where there is none.
    const WINDOWS: [u16; 32] = [
        0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
        0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
        0x0153, 0, 0x017e, 0x0178,
    ];
    if let Ok(byte) = u8::try_from(u32::from(c)) {
        return Some(byte);
    }
    let at = WINDOWS.iter().position(|other| u32::from(*other) == u32::from(c))?;
    u8::try_from(0x80 + at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(bytes: &Vec<u8>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        TextTransfer::of(bytes)?.undo(bytes, &mut |piece| out.extend_from_slice(piece))?;
        Some(out)
    }

    fn binary() -> Vec<u8> {
        (0..40_000_u32)
            .map(|at| (at.wrapping_mul(0x9e37_79b9) >> 21).to_le_bytes()[0])
            .chain(*b"\r\r\n\n\r")
            .collect()
    }

    #[test]
    fn line_ends_come_back() {
        let sent: Vec<u8> = binary()
            .into_iter()
            .flat_map(|byte| if byte == b'\n' { vec![b'\r', b'\n'] } else { vec![byte] })
            .collect();
        assert_eq!(undone(&sent), Some(binary()));
    }

    #[test]
    fn latin_and_windows_bytes_come_back() {
        let latin: String = binary().into_iter().map(char::from).collect();
        assert_eq!(undone(&latin.clone().into_bytes()), Some(binary()));
        let windows = latin.replace('\u{80}', "€").replace('\u{93}', "“");
        assert_eq!(undone(&windows.into_bytes()), Some(binary()));
    }

    #[test]
    fn other_files_stay() {
        assert_eq!(undone(&binary()), None);
        assert_eq!(undone(&Vec::new()), None);
        assert_eq!(undone(&vec![0; 100_000]), None);
        let mut sent: Vec<u8> = "\r\n".repeat(50_000).into_bytes();
        sent.push(b'\n');
        assert_eq!(undone(&sent), None, "the inverse is not exact at its end");
    }
}
