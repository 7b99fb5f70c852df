//! `boards switch`: the board that is used where none is named.

use super::{BoardChange, NamedBoard};
use crate::board::board_json::BoardJson;
use crate::board::location;
use crate::commands::Context;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::newfile::{directory, small_file};

/// Runs the verb.
///
/// # Errors
/// Exit 12 for a board that does not exist or is archived, and where `kanban/current` is a link.
pub(super) fn run(context: &mut Context<'_>, given: &str) -> Outcome<Exit> {
    let named = NamedBoard::of(context, given)?;
    named.require_exists(context)?;
    let file = BoardJson::read(&named.folder, &named.slug, false)?;
    let has_database = named.board.path.exists();
    let needs = |version: crate::store::schema::BoardVersion| version.wants_metadata();
    let version = named.version(context);
    if file.is_archived() && (!has_database || version.is_some_and(needs)) {
        return Err(Failure::refused(format!(
            "the board '{}' is archived; nothing was changed.",
            named.slug
        ))
        .hint("Put it back with `kanbanctl boards unarchive FOLDER`.")
        .at(file.path()));
    }
    if let Some(version) = version.filter(|version| {
        !file.was_there() && named.slug != location::DEFAULT_SLUG && version.wants_metadata()
    }) {
        context
            .ui
            .warning(format_args!("{version} does not see this board: its directory has no board.json."));
    }
    let mut change = BoardChange::of("boards.switch", &named, &file, "switched", context.globals.dry_run);
    if context.globals.dry_run {
        change.before = Some(before(context));
        context.ui.status(format_args!("Dry run: '{}' would become the current board.", named.slug));
        context.ui.emit(&change)?;
        return Ok(Exit::Ok);
    }
    let before = point(context, &named)?;
    change.before = Some(before.clone());
    context.ui.emit_done(&change).map_err(|failure| failure.behind("the board is the current one"))?;
    say(context, &named.slug, &before);
    Ok(Exit::Ok)
}

fn before(context: &Context<'_>) -> String {
    location::current(context.env).ok().flatten().unwrap_or_else(|| location::DEFAULT_SLUG.to_owned())
}

/// Write `kanban/current`; the board that it named before.
pub(super) fn point(context: &Context<'_>, named: &NamedBoard) -> Outcome<String> {
    let path = location::current_path(context.env)?;
    context.require_unfenced(&path)?;
    let before = before(context);
    small_file::make_directory(directory(&path))?;
    small_file::put(&path, format!("{}\n", named.slug).as_bytes())?;
    Ok(before)
}

/// Say which board is current now, what that changes in this shell, and the way back.
pub(super) fn say(context: &mut Context<'_>, slug: &str, before: &str) {
    context.ui.status(format_args!("The current board is '{slug}' now."));
    for name in ["HERMES_KANBAN_DB", "HERMES_KANBAN_BOARD"] {
        if context.env.get(name).is_some_and(|value| !value.is_empty()) {
            context.ui.warning(format_args!("The variable {name} names a board here; it comes first."));
        }
    }
    if before != slug {
        context.ui.status(format_args!("Undo with `kanbanctl boards switch {before}`."));
    }
}
