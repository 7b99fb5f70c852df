//! The schema of a source: which tables there were, what their columns are, where their roots lie.
//!
//! `CREATE` texts are taken apart by SQLite itself, in a database in memory that never holds a row. Names and shapes are
//! compared here; nothing that a text could run is run.

pub(crate) mod column_sets;
pub(crate) mod column_values;
pub(crate) mod parse;
pub(crate) mod plausibility;

use std::collections::HashSet;
use std::sync::Arc;

use self::column_sets::TextRemains;
use self::column_values::{Domain, Likelihood};
use self::parse::ParseDatabase;
pub(crate) use self::parse::Schemas;
pub(crate) use self::plausibility::Plausibility;
use crate::hermes::{self, SchemaVersion, TableFacts};
use crate::ondisk::record::{Record, Value};
use crate::ondisk::text::Encoding;
use crate::store::schema;

/// What the names of tables begin with that nothing names.
pub(crate) const NAMELESS: &str = "recovered_";

/// A row of the schema table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaEntry {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) root: u32,
    pub(crate) sql: String,
    /// Where the text is from.
    pub(crate) text: TextOrigin,
}

/// Where the text of a table or an index is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextOrigin {
    /// It is the source's own, and whole.
    Whole,
    /// It is that of a sound copy. This is left of the source's own.
    Copy(TextRemains),
    /// This is left of it.
    Lost(TextRemains),
}

impl SchemaEntry {
    /// Whether the beginning of a record looks like a schema row.
    pub(crate) fn is_likely(record: &Record<'_>, encoding: Encoding) -> bool {
        let Some(Value::Text(first)) = record.values().next() else { return false };
        let kinds: [&[u8]; 4] = [b"table", b"index", b"view", b"trigger"];
        record.columns() == 5 && kinds.contains(&&*encoding.decode(first))
    }

    /// The root page that the schema row `record` names, and whether it is one of a table with rowids as far as `record` tells;
    /// none for a row without a root. Of a text in UTF-16 nothing is read.
    pub(crate) fn root_and_kind(record: &Record<'_>) -> Option<(u32, bool)> {
        let mut values = record.values();
        let is_table = matches!(values.next()?, Value::Text(b"table"));
        let Some(Value::Integer(root)) = values.nth(2) else { return None };
        let root = u32::try_from(root).ok().filter(|root| *root > 1)?;
        let is_keyed = match values.next() {
            Some(Value::Text(sql)) => sql.to_ascii_uppercase().windows(7).any(|word| word == b"WITHOUT"),
            _ => false,
        };
        Some((root, is_table && !is_keyed))
    }

    /// The entry that `record` is, if it has the shape of one (docs/recovery.md).
    pub(crate) fn read(record: &Record<'_>, encoding: Encoding) -> Option<Self> {
        let mut values = record.values();
        let text = |value| match value {
            Some(Value::Text(bytes)) => String::from_utf8(encoding.decode(bytes).into_owned()).ok(),
            _ => None,
        };
        let kind = text(values.next())?;
        let name = text(values.next())?;
        let table = text(values.next())?;
        let Some(Value::Integer(root)) = values.next() else { return None };
        let sql = match values.next()? {
            Value::Null => String::new(),
            Value::Text(bytes) => String::from_utf8_lossy(&encoding.decode(bytes)).into_owned(),
            _ => return None,
        };
        let known = matches!(kind.as_str(), "table" | "index" | "view" | "trigger");
        let created = sql.is_empty() || sql.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("create"));
        let whole = values.next().is_none() && known && created;
        whole.then_some(Self {
            kind,
            name,
            table,
            root: u32::try_from(root).ok()?,
            sql,
            text: TextOrigin::Whole,
        })
    }

    /// Read the entry that `record` begins, of whose text only `remains` is left.
    pub(crate) fn read_damaged(
        record: &Record<'_>,
        encoding: Encoding,
        remains: TextRemains,
    ) -> Option<Self> {
        let mut values = record.values();
        let mut text = || match values.next() {
            Some(Value::Text(bytes)) => String::from_utf8(encoding.decode(bytes).into_owned()).ok(),
            _ => None,
        };
        let (kind, name, table) = (text()?, text()?, text()?);
        let Some(Value::Integer(root)) = values.next() else { return None };
        let root = u32::try_from(root).ok()?;
        Some(Self { kind, name, table, root, sql: String::new(), text: TextOrigin::Lost(remains) })
    }

    /// Take the text of a sound copy for one that is damaged.
    pub(crate) fn borrow_text(&mut self, copy: &Self) {
        if let TextOrigin::Lost(remains) = &self.text
            && copy.text == TextOrigin::Whole
            && (&copy.kind, &copy.name) == (&self.kind, &self.name)
        {
            self.text = TextOrigin::Copy(remains.clone());
            self.sql.clone_from(&copy.sql);
        }
    }
}

/// What SQLite prefers to store in a column ("Datatypes In SQLite", section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affinity {
    Text,
    Integer,
    Any,
}

/// Whose table a column is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnOwner {
    Hermes,
    /// Another program, which may keep bytes in a TEXT column.
    Other,
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    pub(crate) affinity: Affinity,
    pub(crate) not_null: bool,
    pub(crate) has_default: bool,
    /// Whether SQLite computes its value when a row is written.
    pub(crate) generated: bool,
    pub(crate) owner: ColumnOwner,
    /// What is written into it.
    pub(crate) sense: Domain,
}

/// A table. Its columns are in the order in which they are stored: of one without rowids the key comes first.
#[derive(Debug, Clone)]
pub(crate) struct TableSchema {
    pub(crate) name: String,
    pub(crate) sql: String,
    pub(crate) columns: Vec<TableColumn>,
    /// The `INTEGER PRIMARY KEY`, stored as NULL.
    pub(crate) rowid_column: Option<usize>,
    /// The columns of the primary key.
    pub(crate) key: Vec<usize>,
    /// How many of the columns are its key, where it is one without rowids.
    pub(crate) keyed: Option<usize>,
}

/// A table of one source.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) table: Arc<TableSchema>,
    /// The root page; none when only the shape is known.
    pub(crate) root: Option<u32>,
    /// Where the text of the table is from.
    pub(crate) text: TextOrigin,
}

impl Tree {
    /// True if nothing but a whole text of its own says what its columns are.
    pub(crate) fn is_guess(&self) -> bool {
        self.text != TextOrigin::Whole
    }
}

/// A table that is not Hermes', whose text is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DamagedTable {
    pub(crate) name: String,
    pub(crate) root: u32,
    pub(crate) remains: TextRemains,
}

impl TableSchema {
    /// How `record`, whose text is in `encoding`, fits; `None` if SQLite would not have stored it here.
    pub(crate) fn fit(&self, record: &Record<'_>, encoding: Encoding) -> Option<Plausibility> {
        let (fit, count) = self.judge(record, encoding)?;
        self.lacks(count).map(|missing| Plausibility { missing, ..fit })
    }

    /// True if a text of `record` is stored as a BLOB.
    pub(crate) fn has_blob_text(&self, record: &Record<'_>) -> bool {
        let mut values = self.columns.iter().zip(record.values());
        values.any(|(column, value)| matches!(value, Value::Blob(bytes) if column.reads_as_text(bytes)))
    }

    /// The same for a record of which only the beginning is there.
    pub(crate) fn fit_start(&self, record: &Record<'_>, encoding: Encoding) -> Option<Plausibility> {
        let (fit, _) = self.judge(record, encoding)?;
        self.lacks(record.columns()).map(|missing| Plausibility { missing, ..fit })
    }

    /// Whether the record that is `payload` goes on as another's: nothing is strange in its beginning, the `local` part, and in
    /// what comes from overflow pages more than a flipped bit does, a text among it. (Programs have written moments in
    /// milliseconds; nobody writes half a character.)
    pub(crate) fn goes_on_as_another(&self, payload: &[u8], local: &[u8], encoding: Encoding) -> bool {
        let strange = |record: Record<'_>| -> Vec<bool> {
            let values = self.columns.iter().zip(record.values()).enumerate();
            let strange = values.filter(|(at, (column, value))| {
                column
                    .judge(*value, self.rowid_column == Some(*at), encoding)
                    .is_none_or(|look| look == Likelihood::Strange)
            });
            strange.map(|(_, (_, value))| matches!(value, Value::Text(_))).collect()
        };
        let begins = Record::prefix(local).map(strange);
        let all = Record::read(payload).map(strange).unwrap_or_default();
        begins.is_ok_and(|begins| begins.is_empty()) && all.len() > 1 && all.contains(&true)
    }

    /// True if the value of `record` in the column `at` is allowed but hardly what was written there.
    pub(crate) fn is_strange_at(&self, record: &Record<'_>, at: usize, encoding: Encoding) -> bool {
        let column = self.columns.get(at).zip(record.values().nth(at));
        column.is_some_and(|(column, value)| {
            value != Value::Null
                && column
                    .judge(value, self.rowid_column == Some(at), encoding)
                    .is_none_or(|look| look == Likelihood::Strange)
        })
    }

    /// The least bytes that a row takes on its page: pointer, lengths, header, and what cannot be missing.
    pub(crate) fn least_cell_bytes(&self) -> usize {
        let needed = self.columns.iter().filter(|column| column.not_null);
        let values = needed.map(|column| match column.sense {
            Domain::Task => 6,
            Domain::Time => 4,
            _ => 1,
        });
        5 + self.columns.iter().take_while(|column| column.not_null || !column.has_default).count()
            + values.sum::<usize>()
    }

    /// How the values fit, and how many there are.
    fn judge(&self, record: &Record<'_>, encoding: Encoding) -> Option<(Plausibility, usize)> {
        let mut fit = Plausibility::default();
        let mut count = 0;
        for value in record.values() {
            let column = self.columns.get(count)?;
            let is_rowid = self.rowid_column == Some(count);
            fit.add_value(column.judge(value, is_rowid, encoding)?);
            count += 1;
        }
        Some((fit, count))
    }

    /// How many columns a record with `count` values lacks; `None` if one of them cannot be missing.
    fn lacks(&self, count: usize) -> Option<usize> {
        let rest = self.columns.get(count..)?;
        let whole = count > 0 && rest.iter().all(|column| !column.not_null || column.has_default);
        whole.then_some(rest.len())
    }

    /// What stands for the rowid of `record` in a table that has none: a number above 0 that follows from its key.
    pub(crate) fn key_of(&self, record: &Record<'_>) -> Option<i64> {
        const START: u64 = 0xcbf2_9ce4_8422_2325;
        const FACTOR: u64 = 0x0100_0000_01b3;
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(FACTOR);
        let fields = record.fields().take(self.keyed?);
        let hash = fields.fold(START, |hash, (serial, content)| {
            let hash = serial.to_be_bytes().into_iter().fold(hash, mix);
            content.iter().copied().fold(hash, mix)
        });
        Some((hash >> 1).cast_signed() | 1)
    }

    /// Whether SQLite computes columns of its rows, stored or not.
    pub(crate) fn is_computed(&self) -> bool {
        schema::computes_columns(&self.sql)
    }

    /// Whether it is one that we gave a name, because nothing says what it was called.
    pub(crate) fn is_nameless(&self) -> bool {
        !self.columns.iter().any(|column| column.affinity != Affinity::Any) && self.name.starts_with(NAMELESS)
    }

    /// Whether it gives out numbers that nobody chooses and nothing else is known by.
    pub(crate) fn counts(&self) -> bool {
        self.rowid_column.is_some() && self.sql.to_ascii_uppercase().contains("AUTOINCREMENT")
    }

    /// Whether Hermes makes this table.
    pub(crate) fn is_known(&self) -> bool {
        hermes::table(&self.name).is_some()
    }
}

impl TableColumn {
    /// True if a BLOB of these `bytes` in it is a text that a program stored with the wrong type.
    pub(crate) fn reads_as_text(&self, bytes: &[u8]) -> bool {
        self.owner == ColumnOwner::Hermes
            && self.affinity == Affinity::Text
            && simdutf8::basic::from_utf8(bytes).is_ok()
    }

    /// What `value` looks like here; `None` if it cannot stand here.
    fn judge(&self, value: Value<'_>, is_rowid: bool, encoding: Encoding) -> Option<Likelihood> {
        if is_rowid {
            return (value == Value::Null).then_some(Likelihood::Plain);
        }
        match (value, self.affinity) {
            (Value::Null, _) => (!self.not_null).then_some(Likelihood::Plain),
            (Value::Integer(_) | Value::Real(_), Affinity::Text) => None,
            (Value::Text(bytes), affinity) => {
                let text = encoding.decode(bytes);
                let wrong = affinity == Affinity::Integer && self.sense != Domain::Start
                    || simdutf8::basic::from_utf8(&text).is_err();
                Some(if wrong { Likelihood::Strange } else { self.sense.judge(Value::Text(&text)) })
            }
            (Value::Blob(bytes), _) if self.reads_as_text(bytes) => {
                Some(self.sense.judge(Value::Text(bytes)))
            }
            (Value::Blob(_), Affinity::Text | Affinity::Integer) | (Value::Real(_), Affinity::Integer) => {
                Some(Likelihood::Strange)
            }
            (value, _) => Some(self.sense.judge(value)),
        }
    }
}

/// An index with a text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) root: u32,
    /// Empty for the index of a constraint.
    pub(crate) sql: String,
}

/// The schema of one source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalog {
    pub(crate) tables: Vec<Tree>,
    pub(crate) indexes: Vec<Index>,
    /// The root of `sqlite_sequence`.
    pub(crate) sequence_root: Option<u32>,
    /// Names of triggers and views, which are not carried over.
    pub(crate) dropped: Vec<String>,
    /// Names of tables that are not read: virtual ones, those whose text SQLite does not take.
    pub(crate) unread: Vec<String>,
    /// Tables of other programs whose text is damaged.
    pub(crate) damaged: Vec<DamagedTable>,
}

impl Catalog {
    /// True if the text of a table in it is damaged.
    pub(crate) fn has_damaged_text(&self) -> bool {
        let mut trees = self.tables.iter();
        !self.damaged.is_empty() || trees.any(|tree| tree.root.is_some() && tree.is_guess())
    }

    fn build(scratch: &mut ParseDatabase, entries: &[SchemaEntry]) -> Self {
        let mut catalog = Self::default();
        // A hostile schema has thousands of names: each is looked up once, not compared with all before it.
        let (mut tables, mut indexes) = (HashSet::new(), HashSet::new());
        for entry in entries {
            let known = match entry.kind.as_str() {
                "table" => tables.contains(entry.name.as_str()),
                "index" => !indexes.insert(entry.name.as_str()),
                _ => false,
            };
            if !known {
                catalog.add(scratch, entry);
                tables.extend(
                    catalog
                        .tables
                        .last()
                        .filter(|tree| tree.table.name == entry.name)
                        .map(|_| entry.name.as_str()),
                );
            }
        }
        for facts in hermes::TABLES {
            if catalog.position(facts.name).is_none()
                && let Some(table) = scratch.table(&schema::create_table(facts))
            {
                catalog.tables.push(Tree {
                    table,
                    root: None,
                    text: TextOrigin::Lost(TextRemains::default()),
                });
            }
        }
        catalog
    }

    /// Whether `other` says the same; tables that were taken apart from the same text are one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same =
            |(one, other): (&Tree, &Tree)| Arc::ptr_eq(&one.table, &other.table) && one.root == other.root;
        self.tables.len() == other.tables.len()
            && self.tables.iter().zip(&other.tables).all(same)
            && self.sequence_root == other.sequence_root
            && (&self.indexes, &self.dropped, &self.unread) == (&other.indexes, &other.dropped, &other.unread)
    }

    /// Where the table `name` stands among the tables.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|tree| tree.table.name == name)
    }

    fn add_table(&mut self, scratch: &mut ParseDatabase, entry: &SchemaEntry, root: Option<u32>) {
        let parsed = scratch.table(&entry.sql).filter(|table| table.name == entry.name);
        let Some(facts) = hermes::table(&entry.name) else {
            return match (parsed, &entry.text, root) {
                (Some(table), ..) => self.tables.push(Tree { table, root, text: TextOrigin::Whole }),
                (None, TextOrigin::Lost(remains), Some(root)) => {
                    let (name, remains) = (entry.name.clone(), remains.clone());
                    self.damaged.push(DamagedTable { name, root, remains });
                }
                (None, ..) => self.unread.push(entry.name.clone()),
            };
        };
        let tree = match parsed {
            Some(table) if !is_garbled(&table, facts) => {
                Some(Tree { table: scratch.believe(table), root, text: entry.text.clone() })
            }
            _ => {
                let text = match &entry.text {
                    TextOrigin::Whole => TextOrigin::Lost(TextRemains::of_strange(&entry.sql)),
                    text => text.clone(),
                };
                scratch.table(&schema::create_table(facts)).map(|table| Tree { table, root, text })
            }
        };
        self.tables.extend(tree);
    }

    fn add(&mut self, scratch: &mut ParseDatabase, entry: &SchemaEntry) {
        // A text of another source has no root here.
        let root = Some(entry.root).filter(|root| *root > 1);
        match entry.kind.as_str() {
            "table" if entry.name == "sqlite_sequence" => self.sequence_root = root,
            "table" if entry.name.starts_with("sqlite_") => {}
            "table" => self.add_table(scratch, entry, root),
            "index" => self.indexes.push(Index {
                name: entry.name.clone(),
                table: entry.table.clone(),
                root: entry.root,
                sql: entry.sql.clone(),
            }),
            _ => self.dropped.push(entry.name.clone()),
        }
    }
}

/// True if a text that makes `table` was damaged: a column of Hermes is not there, and one that Hermes never had is.
fn is_garbled(table: &TableSchema, facts: &TableFacts) -> bool {
    let has = |name: &str| table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let is_lacking = |column: &hermes::ColumnFacts| facts.is_base(column.name) && !has(column.name);
    facts.created(SchemaVersion::V0_13).any(is_lacking)
        && table.columns.iter().any(|column| facts.column(&column.name).is_none())
}

/// How many characters in the texts of `record` no text has.
pub(crate) fn odd_characters(record: &Record<'_>, encoding: Encoding) -> usize {
    let odd = |byte: &&u8| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t');
    let texts = record.values().filter_map(|value| match value {
        Value::Text(text) => Some(encoding.decode(text).iter().filter(odd).count()),
        _ => None,
    });
    texts.sum()
}
