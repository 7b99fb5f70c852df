//! `board.json`: how a board is called and shown, as Hermes keeps it (docs/board-format.md, 1.5).
//!
//! Keeps the keys that Hermes does not know. Not here: reading what a listing shows ([`super::location::metadata`]), and
//! putting the file in its place ([`crate::newfile`]).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::location;
use crate::failure::{Failure, Outcome};

/// The keys of a `board.json`, in the order in which Hermes writes them.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardJson {
    path: PathBuf,
    fields: Map<String, Value>,
    before: Option<Vec<u8>>,
}

impl BoardJson {
    /// What a board without the file has. Boards of Hermes 0.20.1 and newer have a project.
    pub fn new(folder: &Path, slug: &str, has_project: bool) -> Self {
        let mut fields = Map::new();
        fields.insert("slug".to_owned(), json!(slug));
        fields.insert("name".to_owned(), json!(display_name(slug)));
        for key in ["description", "icon", "color"] {
            fields.insert(key.to_owned(), json!(""));
        }
        fields.insert("default_workdir".to_owned(), Value::Null);
        if has_project {
            fields.insert("project_id".to_owned(), Value::Null);
        }
        fields.insert("created_at".to_owned(), Value::Null);
        fields.insert("archived".to_owned(), json!(false));
        Self { path: folder.join("board.json"), fields, before: None }
    }

    /// Read the file in `folder`; the defaults where none is there.
    ///
    /// # Errors
    /// Exit 12 where it is no JSON object: Hermes would write over it.
    pub fn read(folder: &Path, slug: &str, has_project: bool) -> Outcome<Self> {
        let mut read = Self::new(folder, slug, has_project);
        let Some(bytes) = location::read_small(&read.path)? else { return Ok(read) };
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let Ok(Value::Object(fields)) = serde_json::from_slice(text) else {
            return Err(Failure::refused(format!("{} is no JSON object.", read.path.display()))
                .hint("Correct it or move it away; it would be overwritten.")
                .at(&read.path));
        };
        read.fields.extend(fields);
        // The directory's name counts.
        read.set("slug", json!(slug));
        read.fields.shift_remove("db_path");
        read.before = Some(bytes);
        Ok(read)
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True if the file was there when it was read.
    pub fn was_there(&self) -> bool {
        self.before.is_some()
    }

    /// True if the file says that the board is archived.
    pub fn is_archived(&self) -> bool {
        self.fields.get("archived").and_then(Value::as_bool).unwrap_or_default()
    }

    /// A key's text; empty where it is none.
    pub fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Every key.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// Set a key, where it stands.
    pub fn set(&mut self, key: &str, value: Value) {
        self.fields.insert(key.to_owned(), value);
    }

    /// Set the display name; a blank one is made from the slug.
    pub fn rename(&mut self, name: &str) {
        let name = match name.trim() {
            "" => display_name(self.text("slug")),
            name => name.to_owned(),
        };
        self.set("name", json!(name));
    }

    /// Set the time of creation where none is known.
    pub fn stamp(&mut self, now: i64) {
        let is_known = match self.fields.get("created_at") {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(keys)) => !keys.is_empty(),
            Some(Value::Bool(true)) => true,
        };
        if !is_known {
            self.set("created_at", json!(now));
        }
    }

    /// The file's bytes; nothing where they are there already.
    ///
    /// # Errors
    /// Never: every key is JSON.
    pub fn changed(&self) -> Outcome<Option<Vec<u8>>> {
        let mut bytes = serde_json::to_vec_pretty(&self.fields)
            .map_err(|error| Failure::failed(format!("writing board.json: {error}.")))?;
        bytes.push(b'\n');
        Ok((self.before.as_ref() != Some(&bytes)).then_some(bytes))
    }
}

/// `atm10-server` as `Atm10 Server`.
fn display_name(slug: &str) -> String {
    let parts = slug.split(['-', '_']).filter(|part| !part.is_empty());
    let capitalised = parts.map(|part| {
        let mut chars = part.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    });
    let name = capitalised.collect::<Vec<_>>().join(" ");
    if name.is_empty() { slug.to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_hermes_order_and_unknown_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "{\"x\": 1.50, \"slug\": \"other\", \"name\": \"N\", \"db_path\": \"p\", \"created_at\": 0}";
        std::fs::write(folder.path().join("board.json"), text).unwrap();
        let mut read = BoardJson::read(folder.path(), "a_b", false).unwrap();
        read.rename(" ");
        read.stamp(7);
        let written = String::from_utf8(read.changed().unwrap().unwrap()).unwrap();
        assert_eq!(
            written.split_whitespace().collect::<String>(),
            "{\"slug\":\"a_b\",\"name\":\"AB\",\"description\":\"\",\"icon\":\"\",\"color\":\"\",\
             \"default_workdir\":null,\"created_at\":7,\"archived\":false,\"x\":1.50}"
        );
        std::fs::write(folder.path().join("board.json"), &written).unwrap();
        assert_eq!(BoardJson::read(folder.path(), "a_b", false).unwrap().changed().unwrap(), None);
        std::fs::write(folder.path().join("board.json"), "{").unwrap();
        assert!(BoardJson::read(folder.path(), "a_b", false).is_err());
    }

    #[test]
    fn display_name_is_made_as_hermes_makes_it() {
        for (slug, name) in [("atm10-server", "Atm10 Server"), ("a__b-", "A B"), ("9x", "9x")] {
            assert_eq!(display_name(slug), name);
        }
    }
}
