//! Rows that are only partly there or were never committed, offered apart: what is left of each as a line of JSON beside the
//! result.
//!
//! ```text
//!   {"table":"tasks","rowid":7,"path":"kanban.db","page":12,"cell":3020,
//!    "values":{"id":"t_0000abcd","title":"..."},"cut":{"column":"body","bytes":489,"of":6200,"value":"as far as it g"}}
//! ```
//!
//! Of a row with lost sectors in it `holes` says where what is missing of which value was; the rest of the value stands there
//! without it.
//!
//! Rows that stand behind the last commit of a log, and nowhere else, have `"uncommitted":true`; they may be whole. Other
//! versions of rows of the result have `"other_version":true`.
//!
//! They are never mixed with whole rows. A line holds the values before the cut, and of the value that is cut what its cell
//! and the first pages of its chain still have.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use crate::board::files::with_suffix;
use crate::failure::{Failure, Outcome};
use crate::newfile::Audience;
use crate::ondisk::overflow;
use crate::ondisk::record::{Record, Value};
use crate::recover::merge::Merged;
use crate::salvage::image;
use crate::salvage::image::PageImage;
use crate::salvage::passes::lost_sectors;
use crate::salvage::passes::lost_sectors::{PayloadPart, Sectors};
use crate::salvage::rows::row::Row;
use crate::salvage::schema::TableSchema;
use crate::salvage::source::cache::SourceCache;
use crate::work::unnamed::nameless;

/// What is put behind the result's name.
const SUFFIX: &str = ".partial.jsonl";

/// The lines, in a file that has no name yet.
#[derive(Debug)]
pub struct PartialRows {
    file: File,
    /// How many there are.
    pub rows: u64,
}

/// Why a row is not among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ApartKind {
    /// A part of it is lost.
    Partial,
    /// Another version of it is in the result.
    Version,
    /// It was never committed.
    Uncommitted,
}

/// Where the lines go that belong to `result`.
pub fn beside(result: &Path) -> PathBuf {
    with_suffix(result, SUFFIX)
}

/// Writes down what is left of the rows of `merged` that are not whole or were never committed; `None` when there is none. The file lies in `scratch`.
///
/// # Errors
/// When a source cannot be opened again, or there is no room.
pub(crate) fn set_apart(
    merged: &Merged,
    shelf: &SourceCache<'_>,
    scratch: &Path,
) -> Outcome<Option<PartialRows>> {
    let tables = merged.tables.iter().enumerate();
    let parts = tables.flat_map(|(at, table)| {
        let of = move |rows: &'_ [Row], kind| -> Vec<_> {
            rows.iter().map(|row| (row.source, kind, at, *row)).collect()
        };
        [
            of(&table.partial, ApartKind::Partial),
            of(&table.versions, ApartKind::Version),
            of(&table.uncommitted, ApartKind::Uncommitted),
        ]
        .concat()
    });
    let mut parts: Vec<(u32, ApartKind, usize, Row)> = parts.collect();
    if parts.is_empty() {
        return Ok(None);
    }
    // One source after the other, so that each is opened once.
    parts.sort_by_key(|(source, kind, at, row)| (*source, *kind, *at, row.rowid));
    let writing = |error| Failure::making(error, "writing down partial rows").at(scratch);
    let mut out = BufWriter::new(nameless(scratch).map_err(writing)?);
    let mut rows = 0;
    for alike in parts.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
        let Some(&(source, kind, ..)) = alike.first() else { continue };
        let stores = shelf.stores(source)?;
        let Some(mut layout) = image::lay_out(&stores) else { continue };
        if kind == ApartKind::Uncommitted {
            layout.lay_uncommitted();
        }
        let path = shelf.sources.get(source as usize).map(|source| source.path.display().to_string());
        for (.., at, row) in alike {
            let Some(table) = merged.tables.get(*at) else { continue };
            let Some(mut line) = line(table.shape_of(source), row, merged, &layout) else { continue };
            line.insert("path".to_owned(), json!(path));
            match kind {
                ApartKind::Partial => None,
                ApartKind::Version => line.insert("other_version".to_owned(), json!(true)),
                ApartKind::Uncommitted => line.insert("uncommitted".to_owned(), json!(true)),
            };
            rows += 1;
            serde_json::to_writer(&mut out, &line).map_err(io::Error::from).map_err(writing)?;
            out.write_all(b"\n").map_err(writing)?;
        }
    }
    let file = out.into_inner().map_err(|error| writing(error.into_error()))?;
    Ok((rows > 0).then_some(PartialRows { file, rows }))
}

impl PartialRows {
    /// Writes the lines to `path`, which must not exist, open to those whom `audience` names.
    ///
    /// # Errors
    /// Exit 12 when it exists, or there is no room.
    pub fn save(&mut self, path: &Path, audience: Audience) -> Outcome<()> {
        let saving = |error| Failure::making(error, "writing the partial rows").at(path);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(saving)?;
        let written = self
            .file
            .rewind()
            .and_then(|()| io::copy(&mut self.file, &mut file))
            .and_then(|_| audience.apply(&file))
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(crate::newfile::directory(path)))
            .and_then(|directory| directory.sync_all());
        written.map_err(|error| {
            // Half of the lines would look like all of them.
            let _ = fs::remove_file(path);
            saving(error)
        })
    }
}

/// What is left of `row`.
fn line(
    table: &TableSchema,
    row: &Row,
    merged: &Merged,
    layout: &PageImage<'_>,
) -> Option<Map<String, Json>> {
    let image = &layout.image;
    let flip = row.oddity(&merged.odds).and_then(|odd| odd.flip);
    let mut bytes = image.page_at(row.site())?;
    let cell = row.cell_in(&mut bytes, flip, image.usable())?;
    let payload = cell.payload?;
    let mut left = payload.local.to_vec();
    let (at, len) = lost_sectors::place(&cell);
    let need = payload.len.saturating_sub(left.len() as u64);
    let mut pages = Vec::new();
    if let Some(first) = payload.overflow {
        // An error leaves what came before it, which is what is wanted.
        let _ = overflow::follow(first, need, image.usable(), &mut left, |_, number, last| {
            let page =
                image.page(number).filter(|page| overflow::is_link(page, last, image.count(), false))?;
            pages.push((page.clone(), image.site(number)?));
            Some(page)
        });
    }
    if table.goes_on_as_another(&left, payload.local, image.encoding()) {
        left.truncate(payload.local.len());
        pages.clear();
    }
    let own = PayloadPart { sectors: Sectors::of(&bytes, row.site()), at, len };
    let parts = lost_sectors::parts(own, &pages, image.usable(), left.len());
    let holes = lost_sectors::holes(&left, &parts);
    let record = Record::prefix(&left).ok()?;
    let mut values = Map::new();
    let encoding = image.encoding();
    for (index, (column, value)) in table.columns.iter().zip(record.values()).enumerate() {
        let missing: Vec<_> = holes.iter().filter(|hole| hole.column == index).collect();
        let value = match value {
            _ if table.rowid_column == Some(index) => json!(row.rowid),
            value if missing.is_empty() => shown(value, encoding),
            Value::Text(text) => {
                let lost =
                    |at: usize| missing.iter().any(|hole| (hole.at..hole.at + hole.bytes).contains(&at));
                let left = text.iter().enumerate().filter(|(at, _)| !lost(*at)).map(|(_, byte)| *byte);
                json!(String::from_utf8_lossy(&encoding.decode(&left.collect::<Vec<_>>())))
            }
            _ => Json::Null,
        };
        values.insert(column.name.clone(), value);
    }
    let named = holes.iter().filter_map(|hole| Some((hole, table.columns.get(hole.column)?)));
    let holes: Vec<_> = named
        .map(|(hole, column)| json!({"column": column.name, "at": hole.at, "bytes": hole.bytes}))
        .collect();
    let mut line = Map::new();
    line.insert("table".to_owned(), json!(table.name));
    line.insert("rowid".to_owned(), json!(row.rowid));
    line.insert("page".to_owned(), json!(row.page));
    line.insert("cell".to_owned(), json!(row.cell));
    let cut = record.cut().zip(table.columns.get(values.len()));
    line.insert("values".to_owned(), Json::Object(values));
    if let Some((cut, column)) = cut {
        let value = shown(cut.value, encoding);
        let cut = json!({"column": column.name, "bytes": cut.bytes, "of": cut.len, "value": value});
        line.insert("cut".to_owned(), cut);
    }
    if !holes.is_empty() {
        line.insert("holes".to_owned(), Json::Array(holes));
    }
    Some(line)
}

/// A value as the envelope shows it; text that ends within a character ends before it.
fn shown(value: Value<'_>, encoding: crate::ondisk::text::Encoding) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => json!(number),
        Value::Real(number) => json!(number),
        Value::Text(text) => {
            let text = encoding.decode(text);
            match std::str::from_utf8(&text) {
                Ok(whole) => json!(whole),
                Err(error) if error.error_len().is_none() => {
                    let start = text.get(..error.valid_up_to()).unwrap_or_default();
                    json!(String::from_utf8_lossy(start))
                }
                Err(_) => json!({"bytes_hex": hex(&text)}),
            }
        }
        Value::Blob(bytes) => json!({"bytes_hex": hex(bytes)}),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
