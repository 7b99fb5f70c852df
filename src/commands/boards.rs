//! `kanbanctl boards`: which boards there are, and which one is meant.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Context;
use crate::board::{Board, FileState, Inspection, filesystem, location};
use crate::failure::Outcome;
use crate::failure::count::size;
use crate::failure::exit::Exit;
use crate::pool::Access;
use crate::store::schema::BoardVersion;
use crate::store::{query, schema};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// Look at the boards under the root.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: BoardsVerb,
}

#[derive(Debug, clap::Subcommand)]
enum BoardsVerb {
    /// List the boards with their counts, the default one first.
    ///
    /// Plain record: BOARD CURRENT STATE TASKS READY RUNNING DONE PATH, with current or - for the second and - for what
    /// could not be counted.
    #[command(visible_alias = "ls")]
    List {
        /// Also the boards that their board.json hides.
        #[arg(long)]
        all: bool,
    },
    /// Show one board's path, the rule that chose it, and what is there.
    Show {
        /// The board; the one that other verbs would use when left out.
        #[arg(value_name = "SLUG")]
        slug: Option<String>,
    },
}

/// One board under the root.
#[derive(Debug, Serialize)]
struct BoardEntry {
    slug: Option<String>,
    name: Option<String>,
    description: Option<String>,
    archived: bool,
    is_current: bool,
    path: String,
    state: &'static str,
    counts: Option<BTreeMap<String, i64>>,
    total: Option<i64>,
    note: Option<String>,
    /// What to do about what `note` says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
}

/// All boards.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct ListedBoards(Vec<BoardEntry>);

/// One board and why it is the one.
#[derive(Debug, Serialize)]
struct ShownBoard {
    slug: Option<String>,
    name: Option<String>,
    description: Option<String>,
    path: String,
    resolved: String,
    origin: String,
    state: &'static str,
    bytes: Option<u64>,
    journal_mode: Option<&'static str>,
    /// Which Hermes the board belongs to; nothing where its schema cannot be read.
    version: Option<BoardVersion>,
    filesystem: Option<String>,
    backups: usize,
}

/// Runs the verb.
///
/// # Errors
/// Exit 12 where no board can be chosen; reading errors. A board that cannot be read is listed with the reason.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome<Exit> {
    match &args.verb {
        BoardsVerb::List { all } => list(context, *all),
        BoardsVerb::Show { slug } => show(context, slug.as_deref()),
    }
}

fn list(context: &mut Context<'_>, all: bool) -> Outcome<Exit> {
    let current = match context.board() {
        Ok(board) => Some(board.path),
        Err(failure) => {
            context.ui.warning(format_args!("No board is current: {failure}"));
            None
        }
    };
    let mut entries = Vec::new();
    for board in location::discover(context.env)? {
        let metadata = metadata(context, &board);
        if metadata.archived && !all {
            continue;
        }
        let (state, looked) = look(context, &board);
        let (counts, failure) = match looked {
            Ok(counts) => (Some(counts), None),
            Err(failure) => (None, Some(board.blame(failure))),
        };
        entries.push(BoardEntry {
            is_current: current.as_ref() == Some(&board.path),
            total: counts.as_ref().map(|counts| counts.values().sum()),
            slug: board.slug,
            name: metadata.name,
            description: metadata.description,
            archived: metadata.archived,
            path: board.path.display().to_string(),
            state,
            counts,
            hints: failure.as_ref().map(|failure| failure.hints().to_vec()).unwrap_or_default(),
            note: failure.map(|failure| failure.to_string()),
        });
    }
    context.ui.emit(&ListedBoards(entries))?;
    Ok(Exit::Ok)
}

/// What is there, and its tasks by status.
fn look(context: &mut Context<'_>, board: &Board) -> (&'static str, Outcome<BTreeMap<String, i64>>) {
    let inspection = match board.inspect() {
        Ok(inspection) => inspection,
        Err(failure) => return ("unreadable", Err(failure)),
    };
    let state = word(&inspection.state);
    let now = context.clock.epoch();
    let counted = context.pool_for(inspection, Access::Read).and_then(|mut pool| {
        let counted = pool.read(|connection| query::stats(connection, now))?;
        pool.close()?;
        Ok(counted.by_status)
    });
    (state, counted)
}

fn show(context: &mut Context<'_>, slug: Option<&str>) -> Outcome<Exit> {
    let board = match slug {
        None => context.board()?,
        Some(slug) => {
            let request = location::BoardRequest { board: Some(slug.to_owned()), db: None };
            context.board_of(&request)?
        }
    };
    let inspection = board.inspect()?;
    let metadata = metadata(context, &board);
    let version = version(context, &inspection);
    if let Some(version) =
        version.filter(|_| is_unseen(&board, &metadata)).filter(|version| version.wants_metadata())
    {
        context
            .ui
            .warning(format_args!("{version} does not see this board: its directory has no board.json."));
    }
    let under = inspection.resolved.parent().and_then(|parent| filesystem::of(parent).ok());
    context.ui.emit(&ShownBoard {
        name: metadata.name,
        description: metadata.description,
        path: board.path.display().to_string(),
        resolved: inspection.resolved.display().to_string(),
        origin: board.origin.to_string(),
        slug: board.slug,
        state: word(&inspection.state),
        bytes: inspection.stamp.map(|stamp| stamp.len),
        version,
        journal_mode: inspection.header().map(|header| if header.is_wal() { "wal" } else { "delete" }),
        filesystem: under.map(|under| under.kind),
        backups: crate::board::copies::count(&inspection.resolved).count,
    })?;
    Ok(Exit::Ok)
}

/// Return which Hermes the board belongs to, where its schema can be read.
fn version(context: &mut Context<'_>, inspection: &Inspection) -> Option<BoardVersion> {
    let mut pool = context.pool_for(inspection.clone(), Access::Read).ok()?;
    let report = pool.read(schema::check).ok()?;
    pool.close().ok()?;
    report.is_board().then_some(report.version)
}

/// True if newer versions of Hermes do not take the directory for a board's.
fn is_unseen(board: &Board, metadata: &location::Metadata) -> bool {
    !metadata.is_there && board.slug.as_deref().is_some_and(|slug| slug != location::DEFAULT_SLUG)
}

fn metadata(context: &Context<'_>, board: &Board) -> location::Metadata {
    let folder = match &board.slug {
        Some(slug) => location::root(context.env).ok().map(|root| location::metadata_folder(&root, slug)),
        None => board.path.parent().map(std::path::Path::to_path_buf),
    };
    folder.map(|folder| location::metadata(&folder)).unwrap_or_default()
}

fn word(state: &FileState) -> &'static str {
    match state {
        FileState::Missing => "missing",
        FileState::Empty => "empty",
        FileState::NotSqlite { .. } => "not-sqlite",
        FileState::Sqlite(_) => "sqlite",
    }
}

impl BoardEntry {
    fn called(&self) -> &str {
        self.slug.as_deref().unwrap_or("-")
    }

    fn count(&self, status: &str) -> String {
        self.counts.as_ref().map_or_else(
            || "-".to_owned(),
            |counts| counts.get(status).copied().unwrap_or_default().to_string(),
        )
    }

    fn total(&self) -> String {
        self.total.map_or_else(|| "-".to_owned(), |total| total.to_string())
    }
}

impl Report for ListedBoards {
    fn kind(&self) -> &'static str {
        "boards.list"
    }

    fn record_kind(&self) -> &'static str {
        "board"
    }

    fn human(&self, page: &mut Document<'_>) {
        let mut table = TextTable::new([
            TextColumn::fixed("CURRENT"),
            TextColumn::fixed("BOARD"),
            TextColumn::fixed("TASKS").right(),
            TextColumn::fixed("READY").right().priority(2),
            TextColumn::fixed("RUNNING").right().priority(2),
            TextColumn::fixed("DONE").right().priority(3),
            TextColumn::path("PATH").least(20),
        ]);
        for entry in &self.0 {
            table.row([
                (Label::Good, if entry.is_current { "*".to_owned() } else { String::new() }),
                (Label::Id, entry.called().to_owned()),
                (Label::Text, entry.total()),
                (Label::Ready, entry.count("ready")),
                (Label::Active, entry.count("running")),
                (Label::Good, entry.count("done")),
                (Label::Dim, entry.path.clone()),
            ]);
        }
        page.table(&table);
        for entry in &self.0 {
            if let Some(note) = &entry.note {
                page.spans(&[(Label::Warning, entry.called()), (Label::Text, ": "), (Label::Text, note)]);
                for hint in &entry.hints {
                    page.spans(&[(Label::Hint, "  hint: "), (Label::Text, hint)]);
                }
            }
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for entry in &self.0 {
            records.record(&[
                entry.called(),
                if entry.is_current { "current" } else { "-" },
                entry.state,
                &entry.total(),
                &entry.count("ready"),
                &entry.count("running"),
                &entry.count("done"),
                &entry.path,
            ]);
        }
    }
}

impl Report for ShownBoard {
    fn kind(&self) -> &'static str {
        "boards.show"
    }

    fn human(&self, page: &mut Document<'_>) {
        let bytes = self.bytes.map_or_else(|| "-".to_owned(), size);
        page.pairs(&[
            ("board", self.slug.as_deref().unwrap_or("-")),
            ("name", self.name.as_deref().unwrap_or("-")),
            ("path", &self.path),
            ("resolved", &self.resolved),
            ("chosen by", &self.origin),
            ("state", self.state),
            ("size", &bytes),
            ("version", self.version.map_or_else(|| "-".to_owned(), |version| version.to_string()).as_str()),
            ("journal mode", self.journal_mode.unwrap_or("-")),
            ("filesystem", self.filesystem.as_deref().unwrap_or("-")),
            ("backups", &self.backups.to_string()),
        ]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&["board", self.slug.as_deref().unwrap_or("-")]);
        records.record(&["path", &self.path]);
        records.record(&["resolved", &self.resolved]);
        records.record(&["chosen-by", &self.origin]);
        records.record(&["state", self.state]);
        records.record(&["journal-mode", self.journal_mode.unwrap_or("-")]);
        records.record(&[
            "version",
            &self.version.map_or_else(|| "-".to_owned(), |version| version.to_string()),
        ]);
        records.record(&["filesystem", self.filesystem.as_deref().unwrap_or("-")]);
    }
}
