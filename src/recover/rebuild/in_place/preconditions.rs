//! Whether a source is one whose pages can stay: everything that is not rows has to be as the row path would make it.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::header::{SCHEMA_FORMAT, UTF_8};
use super::schema::{self, Schema};
use crate::ondisk::header::Header;
use crate::ondisk::text::Encoding;
use crate::recover::merge::Merged;
use crate::recover::rebuild::insert::Traits;
use crate::salvage::image::PageImage;
use crate::salvage::schema::{Index, SchemaEntry};
use crate::store::schema::is_plain_index;

const SEQUENCES: &str = "sqlite_sequence";

/// What the new file stands on.
#[derive(Debug)]
pub(crate) struct Baseline {
    pub(crate) header: Header,
    pub(crate) schema: Schema,
    /// The root page of each table of the merge, in its order; none for a table that this source has not.
    pub(crate) tables: Vec<Option<u32>>,
    /// The root pages of all indexes.
    pub(crate) indexes: Vec<u32>,
    /// The root page of `sqlite_sequence`.
    pub(crate) sequences: Option<u32>,
}

impl Baseline {
    /// Every root page.
    pub(crate) fn roots(&self) -> Vec<u32> {
        let tables = self.tables.iter().flatten();
        tables.chain(&self.indexes).chain(&self.sequences).copied().collect()
    }
}

/// What `merged` can stand on in the source behind `layout`; `None` where its pages cannot stay.
///
/// Left to the row path: a header that is not credible; other page sizes, encodings and schema formats, reserved bytes and
/// auto-vacuum; pages that stand too low; a schema that is not whole or is not the merge's; triggers, views, tables without rowids or with
/// computed columns, and tables that are not read.
pub(crate) fn check(layout: &PageImage<'_>, merged: &Merged, traits: Traits) -> Option<Baseline> {
    let image = &layout.image;
    let header = layout.header?;
    let plain = header.reserved == 0
        && image.encoding() == Encoding::Utf8
        && traits.encoding == Encoding::Utf8
        && header.encoding == UTF_8
        && header.schema_format == SCHEMA_FORMAT
        && header.largest_root == 0;
    let size = image.page_size();
    let fits = header.page_size == Some(size) && traits.page_size == size && image.usable() == size;
    if !plain || !fits || layout.is_mapped() || !merged.dropped.is_empty() || !merged.unread.is_empty() {
        return None;
    }
    if merged.tables.iter().any(|table| table.table.keyed.is_some() || table.table.is_computed()) {
        return None;
    }
    // A row that only an older source has gives way to one with its key, which the row path sees to.
    if merged.tables.iter().any(|table| !table.asked.is_empty()) {
        return None;
    }
    let schema = schema::read(image)?;
    let mut ground = Baseline {
        header,
        tables: vec![None; merged.tables.len()],
        indexes: Vec::new(),
        sequences: None,
        schema,
    };
    let names = merged.tables.iter().enumerate().map(|(at, table)| (table.table.name.as_str(), at));
    let places: HashMap<&str, usize> = names.collect();
    for entry in &ground.schema.entries {
        match entry.kind.as_str() {
            "index" => ground.indexes.push(entry.root),
            "table" if entry.name == SEQUENCES => ground.sequences = Some(entry.root),
            "table" => {
                let at = *places.get(entry.name.as_str())?;
                // The text of another source, or one that was mended, is not what stands here.
                merged.tables.get(at).filter(|table| table.table.sql == entry.sql)?;
                *ground.tables.get_mut(at)? = Some(entry.root);
            }
            _ => return None,
        }
    }
    // A sequence at its end is not taken over.
    if merged.sequences.values().any(|last| *last == i64::MAX) {
        return None;
    }
    is_made_alike(&ground.schema, merged).filter(|alike| *alike)?;
    let counts = |sql: &str| sql.to_ascii_uppercase().contains("AUTOINCREMENT");
    if ground.sequences.is_none() && merged.tables.iter().any(|table| counts(&table.table.sql)) {
        return None;
    }
    Some(ground)
}

/// Tables whose making is tried at once: SQLite looks through the whole schema for each.
const AT_ONCE: usize = 128;

/// Whether the row path, making its tables and indexes, would get these rows of the schema: a flipped bit in one may have
/// left it something else than its text.
fn is_made_alike(schema: &Schema, merged: &Merged) -> Option<bool> {
    let mut indexes: HashMap<&str, Vec<&Index>> = HashMap::new();
    for index in &merged.indexes {
        is_plain_index(&index.sql).then_some(())?;
        indexes.entry(&index.table).or_default().push(index);
    }
    let mut made = HashSet::new();
    for tables in merged.tables.chunks(AT_ONCE) {
        let connection = Connection::open_in_memory().ok()?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).ok()?;
        for table in tables {
            connection.execute(&table.table.sql, []).ok()?;
            for index in indexes.remove(table.table.name.as_str()).unwrap_or_default() {
                connection.execute(&index.sql, []).ok()?;
            }
        }
        let mut statement =
            connection.prepare("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema").ok()?;
        let rows = statement
            .query_map([], |row| Ok([row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?]));
        for row in rows.ok()? {
            made.insert(row.ok()?);
        }
    }
    if !indexes.is_empty() {
        return None;
    }
    let is_made = |entry: &SchemaEntry| {
        made.contains(&[entry.kind.clone(), entry.name.clone(), entry.table.clone(), entry.sql.clone()])
    };
    Some(schema.entries.iter().all(is_made))
}
