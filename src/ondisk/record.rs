//! The record: a row's columns ("Database File Format", section 2.1).
//!
//! ```text
//!   header length | serial type, serial type, ... | value, value, ...
//!   '------------- varints ---------------------'   no separators; lengths follow from the types
//! ```

use std::ops::Range;

use super::Corrupt;
use super::varint;

/// One column's value, borrowed from the payload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// NULL, also what stands for an `INTEGER PRIMARY KEY` (its value is the rowid).
    Null,
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text in the encoding of the database, not checked.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

/// A value of which the end is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordError<'a> {
    /// What there is of a text or blob; NULL for a cut number.
    pub value: Value<'a>,
    /// How many bytes there are.
    pub bytes: u64,
    /// How many there were.
    pub len: u64,
}

/// A record whose header and values fill its payload exactly.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    types: &'a [u8],
    body: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record that is `payload`.
    ///
    /// # Errors
    /// [`Corrupt`] when the header does not fit, or the values do not end where the payload ends.
    pub fn read(payload: &'a [u8]) -> Result<Self, Corrupt> {
        let size = stated_size(payload)?;
        if size != payload.len() as u64 {
            return Err(Corrupt::new("the values of a record do not end with its payload", 0));
        }
        Self::prefix(payload)
    }

    /// The record of which `payload` is the beginning: the types, and the values as far as they go.
    ///
    /// # Errors
    /// [`Corrupt`] when not even the header is whole.
    pub fn prefix(payload: &'a [u8]) -> Result<Self, Corrupt> {
        let (start, end) = header_range(payload)?;
        let types = payload.get(start..end).ok_or(Corrupt::new("a record's header is cut off", start))?;
        let body = payload.get(end..).unwrap_or_default();
        Ok(Self { types, body })
    }

    /// The values in column order. A prefix yields only those that are whole.
    pub fn values(&self) -> Values<'a> {
        Values { types: self.types, body: self.body }
    }

    /// The serial type and the bytes of each column, as far as they are whole.
    pub fn fields(&self) -> impl Iterator<Item = (u64, &'a [u8])> + use<'a> {
        let Self { mut types, mut body } = *self;
        std::iter::from_fn(move || {
            let (serial, len) = varint::read(types)?;
            let content = body.get(..usize::try_from(content_len(serial)).ok()?)?;
            types = types.get(len..)?;
            body = body.get(content.len()..)?;
            Some((serial, content))
        })
    }

    /// The first value that a prefix does not hold whole.
    pub fn cut(&self) -> Option<RecordError<'a>> {
        let Self { mut types, mut body } = *self;
        loop {
            let (serial, len) = varint::read(types)?;
            let size = content_len(serial);
            if let Some(rest) = usize::try_from(size).ok().and_then(|size| body.get(size..)) {
                (types, body) = (types.get(len..)?, rest);
                continue;
            }
            let value = match serial {
                0..12 => Value::Null,
                _ if serial % 2 == 0 => Value::Blob(body),
                _ => Value::Text(body),
            };
            return Some(RecordError { value, bytes: body.len() as u64, len: size });
        }
    }

    /// True if the header names one of the reserved serial types 10 and 11. SQLite reads them, but does not write them.
    pub fn has_reserved_types(&self) -> bool {
        let mut types = self.types;
        while let Some((serial, len)) = varint::read(types) {
            if matches!(serial, 10 | 11) {
                return true;
            }
            types = types.get(len..).unwrap_or_default();
        }
        false
    }

    /// How many columns the header names.
    pub fn columns(&self) -> usize {
        let mut types = self.types;
        let mut count = 0;
        while let Some((_, len)) = varint::read(types) {
            types = types.get(len..).unwrap_or_default();
            count += 1;
        }
        count
    }
}

/// What the header of the record at the start of `payload` says about its whole length in bytes, header included.
///
/// # Errors
/// [`Corrupt`] when the header is not whole.
pub fn stated_size(payload: &[u8]) -> Result<u64, Corrupt> {
    let (start, end) = header_range(payload)?;
    let types = payload.get(..end).ok_or(Corrupt::new("a record's header is cut off", start))?;
    let mut offset = start;
    let mut size = end as u64;
    while offset < end {
        let (serial, next) =
            varint::read_at(types, offset).ok_or(Corrupt::new("a serial type is cut off", offset))?;
        size = size.saturating_add(content_len(serial));
        offset = next;
    }
    Ok(size)
}

/// True if the bytes `range` of the payload that begins with `start` all belong to values that are BLOBs.
pub fn is_blob(start: &[u8], range: Range<usize>) -> bool {
    let Ok((mut at, end)) = header_range(start) else { return false };
    let mut from = end as u64;
    let mut outside = false;
    let (low, high) = (range.start as u64, range.end as u64);
    while at < end {
        let Some((serial, next)) = varint::read_at(start, at) else { return false };
        let to = from.saturating_add(content_len(serial));
        outside |= from.max(low) < to.min(high) && !(serial >= 12 && serial % 2 == 0);
        (from, at) = (to, next);
    }
    !outside && low < high && low >= end as u64
}

/// Where the serial types begin and end.
fn header_range(payload: &[u8]) -> Result<(usize, usize), Corrupt> {
    let (len, start) = varint::read(payload).ok_or(Corrupt::new("a record without a header", 0))?;
    let end = usize::try_from(len).map_err(|_| Corrupt::new("a record's header is too long", 0))?;
    if end < start || end > payload.len() {
        return Err(Corrupt::new("a record's header does not fit", 0));
    }
    Ok((start, end))
}

/// Return the length in bytes of a value of type `serial`. The reserved types 10 and 11 have no content, and SQLite reads
/// them as NULL.
const fn content_len(serial: u64) -> u64 {
    match serial {
        0 | 8..=11 => 0,
        1..=4 => serial,
        5 => 6,
        6 | 7 => 8,
        _ => (serial - 12) / 2,
    }
}

/// The values of a record, in column order.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    types: &'a [u8],
    body: &'a [u8],
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let (serial, len) = varint::read(self.types)?;
        let size = usize::try_from(content_len(serial)).ok()?;
        let content = self.body.get(..size)?;
        self.types = self.types.get(len..)?;
        self.body = self.body.get(size..)?;
        Some(match serial {
            0 | 10 | 11 => Value::Null,
            7 => Value::Real(f64::from_bits(unsigned(content))),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => Value::Integer(signed(content)),
            _ if serial % 2 == 0 => Value::Blob(content),
            _ => Value::Text(content),
        })
    }
}

/// Up to eight big-endian bytes.
fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, &byte| (value << 8) | u64::from(byte))
}

/// Up to eight big-endian bytes in two's complement.
fn signed(bytes: &[u8]) -> i64 {
    let unused = 64_u32.saturating_sub(8 * u32::try_from(bytes.len()).unwrap_or(8));
    unsigned(bytes).checked_shl(unused).unwrap_or(0).cast_signed() >> unused.min(63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_width() {
        let payload = [9, 0, 1, 3, 8, 9, 15, 14, 1, 0xff, 0x80, 0, 0, b'x', 7, 0x7f];
        let record = Record::read(&payload).unwrap();
        let values: Vec<_> = record.values().collect();
        assert_eq!(
            values,
            [
                Value::Null,
                Value::Integer(-1),
                Value::Integer(-8_388_608),
                Value::Integer(0),
                Value::Integer(1),
                Value::Text(b"x"),
                Value::Blob(&[7]),
                Value::Integer(127),
            ]
        );
        assert_eq!(record.columns(), 8);
    }

    #[test]
    fn reserved_types_read_as_null() {
        let record = Record::read(&[4, 10, 1, 11, 5]).unwrap();
        assert_eq!(record.values().collect::<Vec<_>>(), [Value::Null, Value::Integer(5), Value::Null]);
        assert!(record.has_reserved_types());
        assert!(!Record::read(&[2, 1, 5]).unwrap().has_reserved_types());
    }

    #[test]
    fn a_prefix_ends_within_a_value() {
        let whole = [4, 1, 1, 25, 7, 8, b'a', b'b', b'c', b'd', b'e', b'f'];
        let record = Record::prefix(&whole[..8]).unwrap();
        assert_eq!(record.values().count(), 2);
        assert_eq!(record.cut(), Some(RecordError { value: Value::Text(b"ab"), bytes: 2, len: 6 }));
        assert_eq!(Record::prefix(&whole).unwrap().cut(), None);
    }

    #[test]
    fn a_record_fills_its_payload() {
        assert!(Record::read(&[2, 1, 5]).is_ok());
        assert!(Record::read(&[2, 1]).is_err());
        assert!(Record::read(&[2, 1, 5, 6]).is_err());
        assert!(Record::read(&[0]).is_err());
    }
}
