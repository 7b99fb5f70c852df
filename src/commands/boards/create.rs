//! `boards create`: a board under a name, with its `board.json`.

use serde_json::{Map, Value, json};

use super::{BoardChange, NamedBoard};
use crate::board::board_json::BoardJson;
use crate::board::locks::HermesLocks;
use crate::board::namesakes::NamesakeKind;
use crate::board::{FileState, Inspection, location};
use crate::commands::{Context, init};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::hermes::SchemaVersion;
use crate::newfile::{directory, small_file};
use crate::pool::Access;
use crate::store::schema;

/// What a board is called and how it is shown.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct BoardLooks {
    /// The display name [default: the slug with capitals].
    #[arg(long)]
    name: Option<String>,
    /// What the board is for.
    #[arg(long)]
    description: Option<String>,
    /// A character or emoji beside the name.
    #[arg(long)]
    icon: Option<String>,
    /// The colour of the name, such as `#8b5cf6`; --color is about this program's own output.
    #[arg(long, value_name = "COLOR")]
    board_color: Option<String>,
    /// Where tasks without a workspace of their own work.
    #[arg(long, value_name = "DIR")]
    default_workdir: Option<String>,
}

impl BoardLooks {
    fn apply(&self, file: &mut BoardJson) {
        if let Some(name) = &self.name {
            file.rename(name);
        }
        for (key, value) in
            [("description", &self.description), ("icon", &self.icon), ("color", &self.board_color)]
        {
            if let Some(value) = value {
                file.set(key, json!(value));
            }
        }
        if let Some(directory) = &self.default_workdir {
            file.set("default_workdir", json!(Some(directory).filter(|directory| !directory.is_empty())));
        }
    }
}

/// What `boards create` was told.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct CreateBoardArgs {
    /// Its name: 1 to 64 of a-z, 0-9, - and _.
    #[arg(value_name = "NAME")]
    slug: String,
    /// What it is called and how it is shown.
    #[command(flatten)]
    looks: BoardLooks,
    /// Make it the current board.
    #[arg(long)]
    switch: bool,
    /// Create it although a board of that name was archived.
    #[arg(long)]
    again: bool,
}

/// Runs the verb.
///
/// # Errors
/// Exit 4 where a board was lost, 12 where one was archived or the name is taken by something else.
pub(super) fn run(context: &mut Context<'_>, args: &CreateBoardArgs) -> Outcome<Exit> {
    let named = NamedBoard::of(context, &args.slug)?;
    let new =
        NewBoard { looks: args.looks.clone(), again: args.again, switch: args.switch, fields: Map::new() };
    let is_new = is_vacant(&named.board.inspect()?)?;
    let version = if is_new { context_version(context) } else { SchemaVersion::CREATED };
    new.make(context, &named, "boards.create", version, |conn| schema::create_as(conn, version))
}

/// The tables that a new board gets: those of the Hermes that the default board belongs to.
fn context_version(context: &mut Context<'_>) -> SchemaVersion {
    let default = location::discover(context.env).ok().and_then(|boards| boards.into_iter().next());
    let seen = default.and_then(|board| board.inspect().ok());
    let seen = seen.filter(|seen| matches!(seen.state, FileState::Sqlite(_)));
    seen.and_then(|seen| super::version(context, &seen))
        .map_or(SchemaVersion::CREATED, schema::BoardVersion::schema)
}

/// A board that is to be made.
pub(super) struct NewBoard {
    pub(super) looks: BoardLooks,
    pub(super) again: bool,
    pub(super) switch: bool,
    /// Keys of a `board.json` that came along.
    pub(super) fields: Map<String, Value>,
}

impl NewBoard {
    /// Make the board, or say that it is there.
    pub(super) fn make(
        &self,
        context: &mut Context<'_>,
        named: &NamedBoard,
        kind: &'static str,
        version: SchemaVersion,
        rows: impl FnOnce(&rusqlite::Connection) -> Outcome<()>,
    ) -> Outcome<Exit> {
        location::require_unpinned(&named.slug, "the board ", context.env)?;
        let inspection = named.board.inspect()?;
        let is_new = is_vacant(&inspection)?;
        let version = if is_new { version } else { version_there(context, named)? };
        let mut file = BoardJson::read(&named.folder, &named.slug, version >= SchemaVersion::V0_20)?;
        if is_new && !self.again && (file.is_archived() || was_archived(&inspection)) {
            return Err(archived(named));
        }
        if file.is_archived() && (is_new || version >= SchemaVersion::V0_22) {
            file.set("archived", json!(false));
        }
        for (key, value) in self.fields.iter().filter(|(key, _)| *key != "slug") {
            file.set(key, value.clone());
        }
        self.looks.apply(&mut file);
        file.stamp(context.clock.epoch());
        let what = if is_new { "created" } else { "exists" };
        let mut change = BoardChange::of(kind, named, &file, what, context.globals.dry_run);
        change.switched = self.switch;
        if context.globals.dry_run {
            let would = if is_new { "would create" } else { "is there already:" };
            context.ui.status(format_args!("Dry run: {would} {}.", named.board.path.display()));
            context.ui.emit(&change)?;
            return Ok(Exit::Ok);
        }
        context.require_unfenced(&named.board.path)?;
        small_file::make_directory(&named.folder)?;
        small_file::make_directory(directory(&named.board.path))?;
        let obstacle = if is_new { build(context, named, rows)? } else { None };
        if let Some(bytes) = file.changed()? {
            small_file::put(file.path(), &bytes)?;
        }
        let before = if self.switch { Some(super::switch::point(context, named)?) } else { None };
        context.ui.emit_done(&change).map_err(|failure| failure.behind("the board is there"))?;
        let done = if is_new { "Created" } else { "There already:" };
        context.ui.status(format_args!(
            "{done} the board '{}' at {}.",
            named.slug,
            named.board.path.display()
        ));
        if let Some(why) = obstacle {
            context.ui.warning(format_args!("The board uses a rollback journal, not WAL: {why}."));
        }
        match before {
            Some(before) => super::switch::say(context, &named.slug, &before),
            None => context.ui.hint(format_args!(
                "Make it the current board with `kanbanctl boards switch {}`.",
                named.slug
            )),
        }
        if is_new && named.slug != location::DEFAULT_SLUG {
            context.ui.status(format_args!("Undo with `kanbanctl boards archive {}`.", named.slug));
        }
        Ok(Exit::Ok)
    }
}

/// Make the database while Hermes cannot open it; says why it is not in WAL mode, where it is not.
fn build(
    context: &Context<'_>,
    named: &NamedBoard,
    rows: impl FnOnce(&rusqlite::Connection) -> Outcome<()>,
) -> Outcome<Option<String>> {
    let resolved = named.board.inspect()?.resolved;
    let _locks = HermesLocks::take(
        &named.board.path,
        &resolved,
        context.budget().deadline(),
        &context.signals,
        &context.onlooker(),
    )?;
    if !is_vacant(&named.board.inspect()?)? {
        return Err(Failure::refused(format!(
            "another process has just created the board '{}'; nothing was changed.",
            named.slug
        ))
        .hint("Look at it with `kanbanctl boards list`, then run this again.")
        .at(&resolved));
    }
    init::create_with(&resolved, directory(&resolved), rows)
}

/// True if no board is there and none was lost; archived ones of this name aside.
pub(super) fn is_vacant(seen: &Inspection) -> Outcome<bool> {
    if was_archived(seen) { Ok(true) } else { init::is_free(seen) }
}

/// True if nothing says that a board was here but an archived one of this name.
fn was_archived(seen: &Inspection) -> bool {
    matches!(seen.state, FileState::Missing)
        && !seen.sidecars.any_log()
        && seen.backups.count == 0
        && !seen.namesakes.is_empty()
        && seen.namesakes.iter().all(|namesake| namesake.kind == NamesakeKind::Archived)
}

/// The version of a board that is there; requires that it is one.
fn version_there(context: &mut Context<'_>, named: &NamedBoard) -> Outcome<SchemaVersion> {
    let mut pool = context.pool_for(named.board.inspect()?, Access::Read)?;
    let version = pool.read(|conn| {
        schema::require_board(conn)?;
        schema::version(conn)
    })?;
    pool.close()?;
    Ok(version.schema())
}

fn archived(named: &NamedBoard) -> Failure {
    let kept = named.folder.with_file_name("_archived");
    Failure::refused(format!("the board '{}' was archived. No board was created.", named.slug))
        .hint(format!(
            "What it held lies below {}; `kanbanctl boards unarchive FOLDER` puts it back.",
            kept.display()
        ))
        .hint(format!(
            "To begin again under the same name: `kanbanctl boards create {} --again`.",
            named.slug
        ))
        .at(&named.folder.join("board.json"))
}
