//! Text in the three encodings of the file format ("Database File Format", section 1.3.13), and a guess of the encoding where the
//! header does not tell.

use std::borrow::Cow;

use super::Corrupt;
use super::record::{self, Value};
use super::varint;

/// How a database encodes its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// 1, and what everybody has.
    #[default]
    Utf8,
    /// 2.
    Utf16le,
    /// 3.
    Utf16be,
}

impl Encoding {
    /// The encoding that the header's field names; 0 stands in a database without a table.
    pub const fn from_field(field: u32) -> Option<Self> {
        match field {
            0 | 1 => Some(Self::Utf8),
            2 => Some(Self::Utf16le),
            3 => Some(Self::Utf16be),
            _ => None,
        }
    }

    /// What `PRAGMA encoding` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16le => "UTF-16le",
            Self::Utf16be => "UTF-16be",
        }
    }

    /// The encoding that `text` is in, judged by where its zero bytes stand; `None` where nothing speaks for one. Most
    /// characters of a board's own words (statuses, kinds, ids) are ASCII.
    pub fn of(text: &[u8]) -> Option<Self> {
        let zeros = |from: usize| text.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        let most = text.len() / 4;
        match text.len() {
            len if len >= 2 && len.is_multiple_of(2) && odd > most && even <= odd / 4 => Some(Self::Utf16le),
            len if len >= 2 && len.is_multiple_of(2) && even > most && odd <= even / 4 => Some(Self::Utf16be),
            len if len >= 2 && even + odd == 0 && std::str::from_utf8(text).is_ok() => Some(Self::Utf8),
            _ => None,
        }
    }

    /// `text` in UTF-8. What is no valid text comes out as bytes that are no valid UTF-8 either, so that it is still seen.
    pub fn decode(self, text: &[u8]) -> Cow<'_, [u8]> {
        /// A byte that no UTF-8 has.
        const INVALID: u8 = 0xff;
        let unit = match self {
            Self::Utf8 => return Cow::Borrowed(text),
            Self::Utf16le => u16::from_le_bytes,
            Self::Utf16be => u16::from_be_bytes,
        };
        let (pairs, rest) = text.as_chunks::<2>();
        let mut decoded = Vec::with_capacity(text.len());
        for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
            match character {
                Ok(character) => decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(_) => decoded.push(INVALID),
            }
        }
        decoded.extend(rest.iter().map(|_| INVALID));
        Cow::Owned(decoded)
    }

    /// The record that is `payload` with its text in UTF-8.
    ///
    /// # Errors
    /// [`Corrupt`] when `payload` is no record.
    pub fn transcode(self, payload: &[u8]) -> Result<Cow<'_, [u8]>, Corrupt> {
        if self == Self::Utf8 {
            return Ok(Cow::Borrowed(payload));
        }
        let record = record::Record::read(payload)?;
        let mut types = Vec::new();
        let mut body = Vec::new();
        for (serial, content) in record.fields() {
            match serial {
                _ if serial >= 13 && serial % 2 == 1 => {
                    let text = self.decode(content);
                    varint::write(&mut types, 13 + 2 * text.len() as u64);
                    body.extend_from_slice(&text);
                }
                _ => {
                    varint::write(&mut types, serial);
                    body.extend_from_slice(content);
                }
            }
        }
        let mut payload = Vec::with_capacity(types.len() + body.len() + varint::MAX_LEN);
        varint::write(&mut payload, header_len(types.len()));
        payload.extend_from_slice(&types);
        payload.extend_from_slice(&body);
        Ok(Cow::Owned(payload))
    }

    /// The encoding that most of the texts among `values` are in; `None` where none tells.
    pub fn vote<'v>(values: impl Iterator<Item = Value<'v>>) -> Option<Self> {
        let mut votes = [(Self::Utf8, 0_u32), (Self::Utf16le, 0), (Self::Utf16be, 0)];
        for value in values {
            if let Value::Text(text) = value
                && let Some(encoding) = Self::of(text)
                && let Some((_, count)) = votes.iter_mut().find(|(known, _)| *known == encoding)
            {
                *count += 1;
            }
        }
        let (encoding, count) = votes.into_iter().max_by_key(|(_, count)| *count)?;
        (count > 0).then_some(encoding)
    }
}

/// What the header of a record with `types` bytes of serial types says about its own length.
fn header_len(types: usize) -> u64 {
    let types = types as u64;
    let with = |len: u64| types + len;
    (1..=varint::MAX_LEN as u64).find(|&len| varint::len(with(len)) as u64 == len).map_or(types, with)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::record::Record;

    fn utf16le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn zeros_tell_the_encoding() {
        assert_eq!(Encoding::of(b"todo"), Some(Encoding::Utf8));
        assert_eq!(Encoding::of(&utf16le("todo")), Some(Encoding::Utf16le));
        assert_eq!(Encoding::of(b"\0t\0o\0d\0o"), Some(Encoding::Utf16be));
        assert_eq!(Encoding::of(b""), None);
        assert_eq!(Encoding::of(&[0; 8]), None);
    }

    #[test]
    fn what_is_no_text_stays_no_text() {
        assert_eq!(&*Encoding::Utf16le.decode(&utf16le("看板 ✓ 👩")), "看板 ✓ 👩".as_bytes());
        let lone = [0x3d, 0xd8, b'a', 0, 7];
        assert!(std::str::from_utf8(&Encoding::Utf16le.decode(&lone)).is_err());
    }

    #[test]
    fn a_record_keeps_its_values() {
        let payload = [&[3, 1, 17][..], &[5], &utf16le("ü")].concat();
        let payload = Encoding::Utf16le.transcode(&payload).unwrap();
        let values: Vec<_> = Record::read(&payload).unwrap().values().collect();
        assert_eq!(values, [Value::Integer(5), Value::Text("ü".as_bytes())]);
    }

    #[test]
    fn a_header_counts_its_own_length() {
        for types in [0, 1, 125, 126, 127, 128, 16_380, 16_381, 16_382] {
            let len = header_len(types);
            assert_eq!(len, types as u64 + varint::len(len) as u64, "{types}");
        }
    }
}
