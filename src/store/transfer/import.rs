//! Rows of an export put into a board: as they are into an empty one, with new numbers beside rows that are there.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params_from_iter};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ExportColumn, ExportHead, ExportedValue, FORMAT, malformed, quoted_name, unhex};
use crate::failure::{Failure, Outcome};
use crate::hermes::{SchemaVersion, TABLES, UNRELEASED_COLUMNS, table as facts_of};
use crate::store::schema::SchemaReport;

/// Tables whose rows have numbers.
const NUMBERED: [&str; 4] = ["task_runs", "task_events", "task_comments", "task_attachments"];

/// One row and the line that it came from.
struct IncomingRow {
    line: usize,
    values: BTreeMap<String, ExportedValue>,
}

impl IncomingRow {
    fn text(&self, column: &str) -> Option<&str> {
        self.values.get(column).and_then(ExportedValue::text)
    }

    fn integer(&self, column: &str) -> Option<i64> {
        self.values.get(column).and_then(ExportedValue::integer)
    }
}

/// A whole export, read.
pub struct Incoming {
    head: ExportHead,
    rows: BTreeMap<String, Vec<IncomingRow>>,
    files: BTreeMap<i64, Vec<u8>>,
    board: Map<String, Value>,
}

#[derive(Deserialize)]
struct IncomingLine {
    kind: String,
    data: Value,
}

impl Incoming {
    /// Read every line.
    ///
    /// # Errors
    /// Exit 2 with the line's number for what is no export, and for one that was cut short.
    pub fn read(bytes: &[u8]) -> Outcome<Self> {
        let mut read: Option<Self> = None;
        let mut counts: Option<Map<String, Value>> = None;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let number = index + 1;
            let at = |failure: Failure| failure.context(format!("line {number}"));
            let line: IncomingLine = serde_json::from_slice(line).map_err(|error| at(malformed(error)))?;
            if counts.is_some() {
                return Err(at(malformed("it stands behind the end")));
            }
            match (line.kind.as_str(), &mut read) {
                ("export", None) => {
                    let head: ExportHead =
                        serde_json::from_value(line.data).map_err(|error| at(malformed(error)))?;
                    if head.format != FORMAT {
                        return Err(at(Failure::refused(format!(
                            "the export has format {}, and this kanbanctl reads {FORMAT}.",
                            head.format
                        ))
                        .hint("Import it with the kanbanctl that wrote it, or with a newer one.")));
                    }
                    read =
                        Some(Self { head, rows: BTreeMap::new(), files: BTreeMap::new(), board: Map::new() });
                }
                ("export.board", Some(read)) => {
                    read.board = serde_json::from_value(line.data).map_err(|error| at(malformed(error)))?;
                }
                ("export.row", Some(read)) => read.row(number, &line.data).map_err(at)?,
                ("export.file", Some(read)) => read.file(&line.data).map_err(at)?,
                ("export.end", Some(_)) => {
                    counts =
                        Some(line.data.get("rows").and_then(Value::as_object).cloned().unwrap_or_default());
                }
                (kind, _) => return Err(at(malformed(format_args!("its kind is {kind:?}")))),
            }
        }
        let Some(read) = read else {
            return Err(Failure::usage("there is no export in it: the first line is missing.")
                .hint("`kanbanctl export -o FILE` writes one."));
        };
        let whole = counts.is_some_and(|counts| {
            counts.iter().all(|(table, count)| {
                let there = read.rows.get(table).map_or(0, Vec::len);
                count.as_u64() == u64::try_from(there).ok()
            })
        });
        if !whole {
            return Err(Failure::usage("the export was cut short: rows are missing at its end.")
                .hint("Export it again; nothing was imported."));
        }
        Ok(read)
    }

    fn row(&mut self, line: usize, data: &Value) -> Outcome<()> {
        let table = data.get("table").and_then(Value::as_str).unwrap_or_default();
        if !TABLES.iter().any(|facts| facts.name == table) || !self.head.tables.contains_key(table) {
            return Err(malformed(format_args!("there is no table {table:?}")));
        }
        let keys =
            data.get("values").and_then(Value::as_object).ok_or_else(|| malformed("it has no values"))?;
        let mut values = BTreeMap::new();
        for (name, value) in keys {
            let value = ExportedValue::from_json(value)
                .ok_or_else(|| malformed(format_args!("the value of {name} cannot be read")))?;
            values.insert(name.clone(), value);
        }
        self.rows.entry(table.to_owned()).or_default().push(IncomingRow { line, values });
        Ok(())
    }

    fn file(&mut self, data: &Value) -> Outcome<()> {
        let number = data.get("attachment").and_then(Value::as_i64);
        let bytes = data.get("bytes_hex").and_then(Value::as_str).and_then(unhex);
        let (Some(number), Some(bytes)) = (number, bytes) else {
            return Err(malformed("the file cannot be read"));
        };
        self.files.insert(number, bytes);
        Ok(())
    }

    /// What the export says about the board itself; empty where it was made by `export`.
    pub fn board(&self) -> &Map<String, Value> {
        &self.board
    }

    /// The newest version of Hermes whose columns the export has.
    pub fn schema(&self) -> SchemaVersion {
        let columns = self.head.tables.get("tasks").map(Vec::as_slice).unwrap_or_default();
        let known = columns.iter().filter_map(|column| facts_of("tasks")?.column(&column.name));
        known
            .map(|column| column.since)
            .max()
            .map_or(SchemaVersion::CREATED, |newest| newest.max(SchemaVersion::CREATED))
    }

    /// The files that came along, each with its task, its name and its number in the export.
    pub fn files(&self) -> Vec<(i64, String, String, &[u8])> {
        let rows = self.rows.get("task_attachments").into_iter().flatten();
        let named = rows.filter_map(|row| {
            let number = row.integer("id")?;
            let bytes = self.files.get(&number)?;
            Some((
                number,
                row.text("task_id")?.to_owned(),
                row.text("filename")?.to_owned(),
                bytes.as_slice(),
            ))
        });
        named.collect()
    }

    /// Say where a file that came along was stored.
    pub fn stored(&mut self, number: i64, path: &str) {
        for row in self.rows.get_mut("task_attachments").into_iter().flatten() {
            if row.integer("id") == Some(number) {
                let path = ExportedValue::Plain(rusqlite::types::Value::Text(path.to_owned()));
                row.values.insert("stored_path".to_owned(), path);
            }
        }
    }
}

/// What was imported.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Imported {
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Tasks that were there already, with the same values.
    pub unchanged: Vec<String>,
    /// True if rows got new numbers.
    pub renumbered: bool,
    /// Columns that were added.
    pub added_columns: Vec<String>,
    /// Columns that the board does not have, and how many values were left out.
    pub lost_columns: BTreeMap<String, u64>,
}

/// Put the rows into a board.
///
/// # Errors
/// Exit 14 where a task is there with other values; nothing is written then.
pub fn import(
    conn: &Connection,
    schema: &SchemaReport,
    incoming: &Incoming,
    add_columns: bool,
) -> Outcome<Imported> {
    schema.require_writable()?;
    let mut into = Import { conn, columns: BTreeMap::new(), done: Imported::default() };
    for facts in TABLES {
        if let Some(columns) = incoming.head.tables.get(facts.name) {
            into.match_columns(schema, facts.name, columns, incoming, add_columns)?;
        }
    }
    let empty =
        ["tasks", "task_events", "task_runs", "task_comments"].iter().try_fold(true, |empty, table| {
            let none = !conn.prepare(&format!("SELECT 1 FROM {table} LIMIT 1"))?.exists([])?;
            Ok::<_, Failure>(empty && none)
        })?;
    if empty {
        into.verbatim(incoming)?;
    } else {
        into.beside(incoming)?;
    }
    Ok(into.done)
}

struct Import<'c> {
    conn: &'c Connection,
    /// The columns that are written, by table.
    columns: BTreeMap<&'static str, Vec<String>>,
    done: Imported,
}

impl Import<'_> {
    /// Decide which columns of a table can be written, and add those that nobody's Hermes knows.
    fn match_columns(
        &mut self,
        schema: &SchemaReport,
        table: &'static str,
        columns: &[ExportColumn],
        incoming: &Incoming,
        add: bool,
    ) -> Outcome<()> {
        let mut kept = Vec::new();
        for column in columns {
            if schema.has(table, &column.name) {
                kept.push(column.name.clone());
                continue;
            }
            let newer = facts_of(table).is_some_and(|facts| facts.column(&column.name).is_some())
                || UNRELEASED_COLUMNS.contains(&(table, column.name.as_str()));
            let rows = incoming.rows.get(table).into_iter().flatten();
            let values =
                rows.filter(|row| row.values.get(&column.name).is_some_and(|value| !value.is_null())).count();
            // A column of a newer Hermes would make this a board of that version.
            if schema.tables.contains_key(table) && (add || !newer) && is_addable(column) {
                let default =
                    column.default.as_ref().map(|text| format!(" DEFAULT {text}")).unwrap_or_default();
                let not_null = if column.not_null { " NOT NULL" } else { "" };
                let name = quoted_name(&column.name);
                let sql =
                    format!("ALTER TABLE {table} ADD COLUMN {name} {}{not_null}{default}", column.declared);
                self.conn.execute_batch(&sql)?;
                self.done.added_columns.push(format!("{table}.{}", column.name));
                kept.push(column.name.clone());
            } else if values > 0 {
                self.done.lost_columns.insert(format!("{table}.{}", column.name), values as u64);
            }
        }
        self.columns.insert(table, kept);
        Ok(())
    }

    fn insert(
        &mut self,
        table: &'static str,
        row: &IncomingRow,
        or_ignore: bool,
        without_id: bool,
    ) -> Outcome<()> {
        let all = self.columns.get(table).map(Vec::as_slice).unwrap_or_default();
        let columns: Vec<&String> = all
            .iter()
            .filter(|name| row.values.contains_key(*name) && !(without_id && *name == "id"))
            .collect();
        let names: Vec<String> = columns.iter().map(|name| quoted_name(name)).collect();
        let marks: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
        let sql = format!(
            "INSERT {}INTO {table} ({}) VALUES ({})",
            if or_ignore { "OR IGNORE " } else { "" },
            names.join(", "),
            marks.join(", ")
        );
        let values = columns.iter().filter_map(|name| row.values.get(*name));
        let written = self
            .conn
            .prepare_cached(&sql)?
            .execute(params_from_iter(values))
            .map_err(|error| Failure::from(error).context(format!("line {}", row.line)))?;
        *self.done.rows.entry(table.to_owned()).or_insert(0) += written as u64;
        Ok(())
    }

    /// Every row as it is, numbers and all.
    fn verbatim(&mut self, incoming: &Incoming) -> Outcome<()> {
        for facts in TABLES {
            for row in incoming.rows.get(facts.name).into_iter().flatten() {
                self.insert(facts.name, row, false, false)?;
            }
        }
        for (table, last) in &incoming.head.sequences {
            if !NUMBERED.contains(&table.as_str()) {
                continue;
            }
            let known = self.conn.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = ?2",
                rusqlite::params![last, table],
            )?;
            if known == 0 {
                self.conn.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
                    rusqlite::params![table, last],
                )?;
            }
        }
        Ok(())
    }

    /// New tasks with everything that hangs on them, under numbers of this board.
    fn beside(&mut self, incoming: &Incoming) -> Outcome<()> {
        self.done.renumbered = true;
        let rows = |table: &str| incoming.rows.get(table).into_iter().flatten();
        let mut new: BTreeSet<&str> = BTreeSet::new();
        for row in rows("tasks") {
            let Some(id) = row.text("id") else {
                return Err(malformed("a task has no id").context(format!("line {}", row.line)));
            };
            match self.is_there(id, row)? {
                None => {
                    new.insert(id);
                }
                Some(true) => self.done.unchanged.push(id.to_owned()),
                Some(false) => {
                    return Err(Failure::conflict(format!("task {id} is on this board with other values."))
                        .context(format!("line {}", row.line))
                        .hint("Import into an empty board: `kanbanctl --db NEW.db init`, then `kanbanctl --db NEW.db import FILE`."));
                }
            }
        }
        let is_new = |row: &IncomingRow| row.text("task_id").is_some_and(|id| new.contains(id));
        let mut runs: BTreeMap<i64, i64> = BTreeMap::new();
        let mut events: BTreeMap<i64, i64> = BTreeMap::new();
        for row in rows("task_runs").filter(|row| is_new(row)) {
            self.insert("task_runs", row, false, true)?;
            runs.extend(row.integer("id").map(|id| (id, self.conn.last_insert_rowid())));
        }
        for row in rows("tasks").filter(|row| row.text("id").is_some_and(|id| new.contains(id))) {
            self.insert("tasks", &moved(row, "current_run_id", &runs), false, false)?;
        }
        for row in rows("task_events").filter(|row| is_new(row)) {
            self.insert("task_events", &moved(row, "run_id", &runs), false, true)?;
            events.extend(row.integer("id").map(|id| (id, self.conn.last_insert_rowid())));
        }
        for table in ["task_comments", "task_attachments"] {
            for row in rows(table).filter(|row| is_new(row)) {
                self.insert(table, row, false, true)?;
            }
        }
        for row in rows("kanban_notify_subs").filter(|row| is_new(row)) {
            let told = row.integer("last_event_id").unwrap_or(0);
            let newest = events.range(..=told).next_back().map_or(0, |(_, id)| *id);
            let mut values = row.values.clone();
            let newest = ExportedValue::Plain(rusqlite::types::Value::Integer(newest));
            values.insert("last_event_id".to_owned(), newest);
            self.insert("kanban_notify_subs", &IncomingRow { line: row.line, values }, true, false)?;
        }
        for row in rows("task_links") {
            let ends = [row.text("parent_id"), row.text("child_id")];
            if ends.iter().flatten().any(|id| new.contains(id)) {
                self.insert("task_links", row, true, false)?;
            }
        }
        Ok(())
    }

    /// Whether the task is there, and then whether with the same values.
    fn is_there(&self, id: &str, row: &IncomingRow) -> Outcome<Option<bool>> {
        let columns = self.columns.get("tasks").map(Vec::as_slice).unwrap_or_default();
        // Numbers of runs are this board's own.
        let compared: Vec<&String> = columns
            .iter()
            .filter(|name| *name != "current_run_id" && row.values.contains_key(*name))
            .collect();
        let names: Vec<String> = compared.iter().map(|name| quoted_name(name)).collect();
        let mut statement =
            self.conn.prepare_cached(&format!("SELECT {} FROM tasks WHERE id = ?1", names.join(", ")))?;
        let mut found = statement.query([id])?;
        let Some(there) = found.next()? else { return Ok(None) };
        for (at, name) in compared.iter().enumerate() {
            if row.values.get(*name) != Some(&ExportedValue::of(there.get_ref(at)?)) {
                return Ok(Some(false));
            }
        }
        Ok(Some(true))
    }
}

/// The row with one reference moved to its new number; to nothing where what it named did not come along.
fn moved(row: &IncomingRow, column: &str, to: &BTreeMap<i64, i64>) -> IncomingRow {
    let mut values = row.values.clone();
    if let Some(old) = row.integer(column) {
        let new =
            to.get(&old).map_or(rusqlite::types::Value::Null, |new| rusqlite::types::Value::Integer(*new));
        values.insert(column.to_owned(), ExportedValue::Plain(new));
    }
    IncomingRow { line: row.line, values }
}

/// True if the column can be added without running anything of the export's: a plain type and a literal default.
fn is_addable(column: &ExportColumn) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _(),".contains(c);
    let words: Vec<String> =
        column.declared.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_uppercase).collect();
    let free = ["CHECK", "REFERENCES", "GENERATED", "AS", "COLLATE", "UNIQUE", "PRIMARY", "DEFAULT", "NOT"];
    let literal = column.default.as_deref().is_none_or(|text| {
        let number = text.parse::<f64>().is_ok();
        let quoted = text.len() >= 2
            && text.starts_with('\'')
            && text.ends_with('\'')
            && !text.trim_matches('\'').contains('\'');
        number || quoted || text.eq_ignore_ascii_case("NULL")
    });
    column.declared.chars().all(plain)
        && !words.iter().any(|word| free.contains(&word.as_str()))
        && literal
        && (!column.not_null || column.default.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(declared: &str, default: Option<&str>) -> ExportColumn {
        ExportColumn {
            name: "c".to_owned(),
            declared: declared.to_owned(),
            not_null: false,
            default: default.map(str::to_owned),
        }
    }

    #[test]
    fn only_harmless_columns_are_added() {
        for (declared, default) in [("TEXT", None), ("", Some("'red'")), ("DECIMAL(10, 2)", Some("-1.5"))] {
            assert!(is_addable(&column(declared, default)), "{declared}");
        }
        for (declared, default) in [
            ("TEXT CHECK (c)", None),
            ("INT REFERENCES tasks", None),
            ("TEXT; DROP TABLE tasks", None),
            ("TEXT", Some("(random())")),
            ("TEXT", Some("'a' || 'b'")),
        ] {
            assert!(!is_addable(&column(declared, default)), "{declared}");
        }
    }

    #[test]
    fn export_that_was_cut_short_is_refused() {
        let head =
            r#"{"kind":"export","data":{"format":1,"hermes":"","tables":{"tasks":[]},"sequences":{}}}"#;
        let row = r#"{"kind":"export.row","data":{"table":"tasks","values":{"id":"t_1"}}}"#;
        let end = r#"{"kind":"export.end","data":{"rows":{"tasks":1}}}"#;
        assert!(Incoming::read(format!("{head}\n{row}\n{end}\n").as_bytes()).is_ok());
        for bad in [
            String::new(),
            head.to_owned(),
            format!("{head}\n{row}"),
            format!("{head}\n{end}"),
            format!("{row}\n{end}"),
        ] {
            assert!(Incoming::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
