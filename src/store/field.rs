//! One value of a row, whatever type it really has: a board's columns hold what anybody ever put there.

use std::borrow::Cow;
use std::fmt::Write as _;

use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A column's value. Text that is not UTF-8 is kept as its bytes and so are blobs.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// NULL, or a column that this board does not have.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT that is valid UTF-8.
    Text(String),
    /// A blob, or text that is not UTF-8.
    Bytes(Vec<u8>),
}

impl Field {
    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is an integer.
    pub fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// Whether there is nothing.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// For people and plain records: nothing is the empty string, bytes are hex after `x:`.
    pub fn show(&self) -> String {
        self.shown().into_owned()
    }

    /// As [`Field::show`], without copying text.
    pub fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Integer(number) => Cow::Owned(number.to_string()),
            Self::Real(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => Cow::Owned(format!("x:{}", hex(bytes))),
        }
    }

    /// The JSON value held as text in this column; the text itself where it is no JSON (Hermes can write `NaN`,
    /// docs/board-format.md, 8.5).
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.clone()))
            }
            other => serde_json::to_value(other).unwrap_or_default(),
        }
    }
}

impl FromSql for Field {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::Bytes(bytes.to_vec()),
            },
            ValueRef::Blob(bytes) => Self::Bytes(bytes.to_vec()),
        })
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("bytes_hex", &hex(bytes))?;
                map.end()
            }
        }
    }
}

/// Lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
