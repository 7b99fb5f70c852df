//! `kanbanctl boards`: which boards there are, which one is meant, and the life of a board.

mod archive;
mod create;
mod rename;
mod switch;
mod transfer;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::Context;
use crate::board::board_json::BoardJson;
use crate::board::{Board, FileState, Inspection, Origin, filesystem, location};
use crate::failure::count::size;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome, nearest};
use crate::pool::Access;
use crate::store::schema::BoardVersion;
use crate::store::{query, schema};
use crate::ui::{Document, Label, Records, Report, TextColumn, TextTable};

/// Look at the boards under the root, create them and put them away.
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
    /// Create a board under a name.
    ///
    /// It gets the tables of the Hermes that the default board belongs to. A board that is there is kept; options change
    /// its board.json. Refused where a board was lost or archived.
    ///
    /// Plain record: BOARD created|exists PATH.
    #[command(visible_alias = "new")]
    Create(create::CreateBoardArgs),
    /// Choose the board that is used where none is named.
    ///
    /// Plain record: BOARD switched PATH.
    #[command(visible_alias = "use")]
    Switch {
        /// The board.
        #[arg(value_name = "SLUG")]
        slug: String,
    },
    /// Change a board's display name; its slug and its files stay.
    ///
    /// Plain record: BOARD renamed PATH.
    Rename {
        /// The board.
        #[arg(value_name = "SLUG")]
        slug: String,
        /// The new display name; a blank one is made from the slug.
        #[arg(allow_hyphen_values = true)]
        name: String,
    },
    /// Say where tasks without a workspace of their own work.
    ///
    /// Plain record: BOARD changed PATH.
    SetDefaultWorkdir {
        /// The board.
        #[arg(value_name = "SLUG")]
        slug: String,
        /// The directory; none when left out.
        #[arg(value_name = "DIR")]
        path: Option<String>,
    },
    /// Move a board's directory to `_archived`, with all that is in it.
    ///
    /// Refused (12) while anybody has the board open: that process would go on writing to the moved file. On a board of
    /// Hermes 0.22.2 a board.json stays that says archived, so that no Hermes creates an empty board there.
    ///
    /// Plain record: BOARD FROM TO.
    #[command(visible_aliases = ["rm", "remove"])]
    Archive(archive::ArchiveBoardArgs),
    /// Put an archived board back.
    ///
    /// Plain record: BOARD FROM TO.
    Unarchive(archive::UnarchiveBoardArgs),
    /// Write a whole board with its display name as JSON lines that `boards import` reads.
    Export(transfer::ExportBoardArgs),
    /// Make a new board of such lines; never writes to a board that is there.
    ///
    /// Plain record: BOARD created PATH.
    Import(transfer::ImportBoardArgs),
}

/// A board that a verb names by its slug.
#[derive(Clone, Debug)]
struct NamedBoard {
    slug: String,
    board: Board,
    /// Where its `board.json` lies.
    folder: PathBuf,
}

impl NamedBoard {
    /// The board `given` under the root, whether it is there or not.
    ///
    /// # Errors
    /// Exit 2 for what is no slug, and beside `--board` or `--db`; 12 where its directory is a link.
    fn of(context: &mut Context<'_>, given: &str) -> Outcome<Self> {
        if context.globals.board.is_some() || context.globals.db.is_some() || context.globals.all_boards {
            return Err(Failure::usage("--board, --db and --all-boards mean nothing here.")
                .hint("Name the board behind the verb, as in `kanbanctl boards switch work`."));
        }
        let slug = location::normalise(given).map_err(|reason| {
            Failure::usage(format!("{reason}."))
                .hint("A display name with spaces is given with --name, as in `kanbanctl boards create work --name 'My work'`.")
        })?;
        let root = location::root(context.env)?;
        let folder = location::metadata_folder(&root, &slug);
        if std::fs::symlink_metadata(&folder).is_ok_and(|meta| !meta.is_dir()) {
            return Err(Failure::refused(format!("{} is a link or no directory.", folder.display()))
                .hint("Name the file that it leads to with --db, or put a directory there.")
                .at(&folder));
        }
        let path = location::board_path(&root, &slug);
        let board = Board { slug: Some(slug.clone()), path, origin: Origin::BoardOption };
        context.chosen = Some(board.clone());
        Ok(Self { slug, board, folder })
    }

    fn require_exists(&self, context: &Context<'_>) -> Outcome<()> {
        if self.slug == location::DEFAULT_SLUG || location::is_board(&self.folder) {
            return Ok(());
        }
        let failure = Failure::no_board(format!("there is no board '{}'; nothing was changed.", self.slug));
        let boards = location::discover(context.env).unwrap_or_default();
        let failure = match nearest(&self.slug, boards.iter().filter_map(|board| board.slug.as_deref())) {
            Some(meant) => failure.hint(format!("Did you mean '{meant}'?")),
            None => failure,
        };
        Err(failure.hint("See what there is with `kanbanctl boards list`.").at(&self.folder))
    }

    /// The version of the board, where its tables can be read.
    fn version(&self, context: &mut Context<'_>) -> Option<BoardVersion> {
        let seen = self.board.inspect().ok().filter(|seen| matches!(seen.state, FileState::Sqlite(_)))?;
        version(context, &seen)
    }
}

/// A board whose `board.json`, or whose being current, was changed.
#[derive(Debug, Serialize)]
struct BoardChange {
    #[serde(skip)]
    kind: &'static str,
    slug: String,
    name: String,
    description: String,
    icon: String,
    color: String,
    default_workdir: Option<String>,
    path: String,
    change: &'static str,
    /// What the changed key was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// True if it is the current board now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    switched: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl BoardChange {
    fn of(
        kind: &'static str,
        named: &NamedBoard,
        file: &BoardJson,
        change: &'static str,
        dry_run: bool,
    ) -> Self {
        let text = |key: &str| file.text(key).to_owned();
        Self {
            kind,
            slug: named.slug.clone(),
            name: text("name"),
            description: text("description"),
            icon: text("icon"),
            color: text("color"),
            default_workdir: Some(text("default_workdir")).filter(|text| !text.is_empty()),
            path: named.board.path.display().to_string(),
            change,
            before: None,
            switched: false,
            dry_run,
        }
    }
}

impl Report for BoardChange {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn human(&self, page: &mut Document<'_>) {
        page.pairs(&[("board", self.slug.as_str()), ("name", &self.name), ("path", &self.path)]);
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&[&self.slug, self.change, &self.path]);
    }
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
        BoardsVerb::Create(args) => create::run(context, args),
        BoardsVerb::Switch { slug } => switch::run(context, slug),
        BoardsVerb::Rename { slug, name } => rename::run(context, slug, name),
        BoardsVerb::SetDefaultWorkdir { slug, path } => rename::set_workdir(context, slug, path.as_deref()),
        BoardsVerb::Archive(args) => archive::run(context, args),
        BoardsVerb::Unarchive(args) => archive::undo(context, args),
        BoardsVerb::Export(args) => transfer::export(context, args),
        BoardsVerb::Import(args) => transfer::import(context, args),
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
