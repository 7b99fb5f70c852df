//! Rows as owned values: taken out of a record, changed, and put back into one.

use std::fmt::Write as _;

use crate::ondisk::record::{Record, Value};

/// A value of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OwnedValue {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl OwnedValue {
    /// The bytes of a text; none of any other value.
    pub(crate) fn text(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            _ => b"",
        }
    }
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Real(number) => Self::Real(number),
            Value::Text(bytes) => Self::Text(bytes.to_vec()),
            Value::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl From<&OwnedValue> for serde_json::Value {
    fn from(value: &OwnedValue) -> Self {
        let hex = |bytes: &[u8]| {
            let text = bytes.iter().fold(String::new(), |mut text, byte| {
                // Writing to a String cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            });
            serde_json::json!({ "bytes_hex": text })
        };
        match value {
            OwnedValue::Null => Self::Null,
            OwnedValue::Integer(number) => (*number).into(),
            OwnedValue::Real(number) => (*number).into(),
            OwnedValue::Text(bytes) => std::str::from_utf8(bytes).map_or_else(|_| hex(bytes), Self::from),
            OwnedValue::Blob(bytes) => hex(bytes),
        }
    }
}

/// The values of the record in `payload`; a record written before a column was added has fewer than its table.
pub(crate) fn decode(payload: &[u8]) -> Option<Vec<OwnedValue>> {
    Some(Record::read(payload).ok()?.values().map(OwnedValue::from).collect())
}

/// A record of `values` ("Database File Format", section 2.1).
pub(crate) fn encode(values: &[OwnedValue]) -> Vec<u8> {
    let mut types = Vec::new();
    let mut body = Vec::new();
    for value in values {
        let len = |bytes: &[u8]| 2 * bytes.len() as u64;
        match value {
            OwnedValue::Null => put_varint(&mut types, 0),
            OwnedValue::Integer(number) => {
                let bytes = number.to_be_bytes();
                let (serial, width) = integer_type(*number);
                put_varint(&mut types, serial);
                body.extend(bytes.get(bytes.len() - width..).unwrap_or_default());
            }
            OwnedValue::Real(number) => {
                put_varint(&mut types, 7);
                body.extend(number.to_be_bytes());
            }
            OwnedValue::Blob(bytes) => {
                put_varint(&mut types, 12 + len(bytes));
                body.extend(bytes);
            }
            OwnedValue::Text(bytes) => {
                put_varint(&mut types, 13 + len(bytes));
                body.extend(bytes);
            }
        }
    }
    let mut record = Vec::with_capacity(types.len() + body.len() + 2);
    put_varint(&mut record, header_len(types.len()));
    record.extend(types);
    record.extend(body);
    record
}

/// The length of a record's header whose serial types take `types` bytes: it counts its own varint.
fn header_len(types: usize) -> u64 {
    let types = types as u64;
    let own = (1..=9).find(|&own| varint_len(types + own) == own).unwrap_or(9);
    types + own
}

/// The serial type of an integer and the bytes that it takes.
fn integer_type(number: i64) -> (u64, usize) {
    const WIDTHS: [(u64, usize); 6] = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (6, 8)];
    let fits = |width: usize| {
        let spare = 64 - 8 * u32::try_from(width).unwrap_or(8);
        number << spare >> spare == number
    };
    match number {
        0 => (8, 0),
        1 => (9, 0),
        _ => WIDTHS.into_iter().find(|&(_, width)| fits(width)).unwrap_or((6, 8)),
    }
}

fn varint_len(value: u64) -> u64 {
    let bits = u64::from(64 - value.leading_zeros()).max(1);
    if bits > 56 { 9 } else { bits.div_ceil(7) }
}

/// Seven bits a byte, the highest first; a ninth byte has all its eight.
fn put_varint(out: &mut Vec<u8>, value: u64) {
    let len = varint_len(value);
    let low = |bits: u64| bits.to_le_bytes().first().copied().unwrap_or(0);
    let (sevens, rest) = if len == 9 { (value >> 8, Some(low(value))) } else { (value, None) };
    let count = len - u64::from(rest.is_some());
    out.extend((0..count).rev().map(|index| {
        let more = index > 0 || rest.is_some();
        low(sevens >> (7 * index)) & 0x7f | if more { 0x80 } else { 0 }
    }));
    out.extend(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn datum() -> impl Strategy<Value = OwnedValue> {
        prop_oneof![
            Just(OwnedValue::Null),
            prop_oneof![any::<i64>(), -300_i64..300, Just(i64::from(i32::MAX) + 1)]
                .prop_map(OwnedValue::Integer),
            (-1e9_f64..1e9).prop_map(OwnedValue::Real),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(OwnedValue::Text),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(OwnedValue::Blob),
        ]
    }

    proptest! {
        #[test]
        fn what_is_put_into_a_record_comes_out_of_it(values in prop::collection::vec(datum(), 0..200)) {
            prop_assert_eq!(decode(&encode(&values)), Some(values));
        }

        #[test]
        fn varints_are_read_back(value in prop_oneof![any::<u64>(), 0_u64..70_000]) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            prop_assert_eq!(crate::ondisk::varint::read(&bytes), Some((value, bytes.len())));
        }
    }
}
