//! `kanbanctl backups`: the `.corrupt.*.bak` files beside a board and our own copies of it, grouped by content.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::Serialize;

use super::progress::Bars;
use super::{Context, backup};
use crate::board::{Board, location};
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::recover::sources::{self, Source};
use crate::recover::{self};
use crate::ui::{Column, Label, Page, Records, Report, Table};

/// Look at the copies beside a board.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the copies, each content once.
    #[command(visible_alias = "ls")]
    List,
    /// Show where one content lies and what it is.
    Show {
        /// The first digits of its SHA-256, as `list` shows them, or a path.
        #[arg(value_name = "BACKUP")]
        backup: String,
    },
}

/// One content.
#[derive(Debug, Serialize)]
struct Content {
    id: String,
    kind: &'static str,
    copies: usize,
    bytes: u64,
    bytes_each: u64,
    wal_bytes: u64,
    modified: Option<i64>,
    modified_utc: Option<String>,
    sha256: String,
    wal_sha256: Option<String>,
    paths: Vec<String>,
    /// Rows by table; counted only where one content is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<BTreeMap<String, u64>>,
    #[serde(skip)]
    source: Source,
}

/// All contents, the newest first.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Listed(Vec<Content>);

/// Runs the verb.
///
/// # Errors
/// Exit 13 for an unknown backup, 14 for an ambiguous one; reading errors.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    let (found, exit) = gather(context)?;
    match &args.verb {
        Verb::List => context.ui.emit(&Listed(found))?,
        Verb::Show { backup } => {
            let mut chosen = choose(found, backup)?;
            chosen.rows = Some(recover::holdings(&chosen.source.load()?)?);
            context.ui.emit(&chosen)?;
        }
    }
    Ok(exit)
}

/// Every copy there is; under the root a board that fails is told about and the worst code kept.
fn gather(context: &mut Context<'_>) -> Outcome<(Vec<Content>, Exit)> {
    let (mut contents, mut exit) = (Vec::new(), Exit::Ok);
    if context.globals.all_boards {
        for board in location::discover(context.env)? {
            match of_board(context, &board) {
                Ok(found) => contents.extend(found),
                Err(failure) if matches!(failure.exit(), Exit::Interrupted(_)) => return Err(failure),
                Err(failure) => {
                    exit = exit.merge(failure.exit());
                    context.ui.warning(format_args!("board {}: {failure}", board.name()));
                }
            }
        }
    } else {
        let board = context.board()?;
        contents = of_board(context, &board)?;
    }
    contents.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.sha256.cmp(&b.sha256)));
    Ok((contents, exit))
}

fn of_board(context: &mut Context<'_>, board: &Board) -> Outcome<Vec<Content>> {
    let resolved = board.inspect()?.resolved;
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let copies = sources::backups(&resolved, &mut bars)?;
    let mut contents: Vec<Content> = copies.iter().map(|source| Content::of(source, "corrupt")).collect();
    let ours = backup::ours(&backup::default_directory(&resolved), &resolved);
    if !ours.is_empty() {
        let ours = sources::group_named(ours, &mut bars)?;
        contents.extend(ours.iter().map(|source| Content::of(source, "backup")));
    }
    Ok(contents)
}

fn choose(contents: Vec<Content>, wanted: &str) -> Outcome<Content> {
    let path = Path::new(wanted);
    let mut fitting: Vec<Content> = contents
        .into_iter()
        .filter(|content| {
            let by_path = content.paths.iter().any(|known| {
                Path::new(known) == path || Path::new(known).file_name() == Some(path.as_os_str())
            });
            content.id.starts_with(wanted) || by_path
        })
        .collect();
    match (fitting.len(), fitting.pop()) {
        (1, Some(content)) => Ok(content),
        (0, _) | (_, None) => Err(Failure::not_found(format!("there is no backup called {wanted}."))
            .hint("See them with `kanbanctl backups list`.")),
        (several, Some(_)) => Err(Failure::conflict(format!("{several} backups begin with {wanted}."))
            .hint("Give more digits; see them with `kanbanctl backups list`.")),
    }
}

impl Content {
    fn of(source: &Source, kind: &'static str) -> Self {
        let modified = source
            .modified
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|span| i64::try_from(span.as_secs()).ok());
        let each = source.size + source.wal_size;
        let copies = u64::try_from(source.copies.len()).unwrap_or(u64::MAX);
        let wal = source.wal_digest.as_deref().and_then(|digest| digest.get(..4));
        let main = source.digest.get(..12).unwrap_or(&source.digest);
        Self {
            id: wal.map_or_else(|| main.to_owned(), |wal| format!("{main}+{wal}")),
            kind,
            copies: source.copies.len(),
            bytes: each.saturating_mul(copies),
            bytes_each: each,
            wal_bytes: source.wal_size,
            modified,
            modified_utc: modified.and_then(clock::rfc3339),
            sha256: source.digest.clone(),
            wal_sha256: source.wal_digest.clone(),
            paths: source.copies.iter().map(|path| path.display().to_string()).collect(),
            rows: None,
            source: source.clone(),
        }
    }
}

impl Report for Listed {
    fn kind(&self) -> &'static str {
        "backups.list"
    }

    fn record_kind(&self) -> &'static str {
        "backup"
    }

    fn human(&self, page: &mut Page<'_>) {
        if self.0.is_empty() {
            page.line("No copies lie beside this board.");
            return;
        }
        let columns = [
            Column::fixed("ID"),
            Column::fixed("KIND"),
            Column::fixed("COPIES").right(),
            Column::fixed("BYTES").right(),
            Column::fixed("NEWEST").priority(1),
            Column::text("PATH").priority(2),
        ];
        let mut table = Table::new(columns);
        for content in &self.0 {
            let newest = content.modified_utc.clone().unwrap_or_default();
            let first = content.paths.first().map(|path| file_name(path)).unwrap_or_default();
            table.row([
                (Label::Id, content.id.clone()),
                (Label::Text, content.kind.to_owned()),
                (Label::Text, content.copies.to_string()),
                (Label::Text, content.bytes.to_string()),
                (Label::Dim, newest),
                (Label::Dim, first),
            ]);
        }
        page.table(&table);
        let files: usize = self.0.iter().map(|content| content.copies).sum();
        let bytes: u64 = self.0.iter().map(|content| content.bytes).sum();
        page.line(&format!("{files} files, {} contents, {bytes} bytes.", self.0.len()));
    }

    fn plain(&self, records: &mut Records<'_>) {
        for content in &self.0 {
            let modified = content.modified.map(|time| time.to_string()).unwrap_or_default();
            records.record(&[
                &content.id,
                content.kind,
                &content.copies.to_string(),
                &content.bytes.to_string(),
                &modified,
                content.paths.first().map_or("", String::as_str),
            ]);
        }
    }
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Report for Content {
    fn kind(&self) -> &'static str {
        "backup"
    }

    fn human(&self, page: &mut Page<'_>) {
        let (copies, bytes, wal) =
            (self.copies.to_string(), self.bytes_each.to_string(), self.wal_bytes.to_string());
        page.pairs(&[
            ("id", &self.id),
            ("kind", self.kind),
            ("copies", &copies),
            ("bytes each", &bytes),
            ("of that WAL", &wal),
            ("newest", self.modified_utc.as_deref().unwrap_or("-")),
            ("sha256", &self.sha256),
        ]);
        for path in &self.paths {
            page.line(path);
        }
        for (table, rows) in self.rows.iter().flatten() {
            page.line(&format!("{rows:>9} {table}"));
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for path in &self.paths {
            records.record(&["copy", &self.id, self.kind, path, &self.bytes_each.to_string(), &self.sha256]);
        }
        for (table, rows) in self.rows.iter().flatten() {
            records.record(&["rows", table, &rows.to_string()]);
        }
    }
}
