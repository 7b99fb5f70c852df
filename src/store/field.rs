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
        self.borrowed().json()
    }

    /// The value where it lies.
    pub fn borrowed(&self) -> FieldRef<'_> {
        match self {
            Self::Null => FieldRef::Null,
            Self::Integer(number) => FieldRef::Integer(*number),
            Self::Real(number) => FieldRef::Real(*number),
            Self::Text(text) => FieldRef::Text(text),
            Self::Bytes(bytes) => FieldRef::Bytes(bytes),
        }
    }
}

impl FromSql for Field {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(match FieldRef::from(value) {
            FieldRef::Null => Self::Null,
            FieldRef::Integer(number) => Self::Integer(number),
            FieldRef::Real(number) => Self::Real(number),
            FieldRef::Text(text) => Self::Text(text.to_owned()),
            FieldRef::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        })
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.borrowed().serialize(serializer)
    }
}

/// A value where it lies: in a [`Field`], or in the row that a statement is at.
#[derive(Clone, Copy, Debug)]
pub enum FieldRef<'a> {
    /// As [`Field::Null`].
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT that is valid UTF-8.
    Text(&'a str),
    /// A blob, or text that is not UTF-8.
    Bytes(&'a [u8]),
}

impl FieldRef<'_> {
    /// The number, if it is an integer.
    pub fn integer(self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(number) } else { None }
    }

    /// Whether there is nothing.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// As [`Field::json`].
    pub fn json(self) -> serde_json::Value {
        match self {
            Self::Text(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()))
            }
            other => serde_json::to_value(other).unwrap_or_default(),
        }
    }
}

impl<'a> From<ValueRef<'a>> for FieldRef<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => simdutf8::basic::from_utf8(bytes).map_or(Self::Bytes(bytes), Self::Text),
            ValueRef::Blob(bytes) => Self::Bytes(bytes),
        }
    }
}

impl Serialize for FieldRef<'_> {
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
