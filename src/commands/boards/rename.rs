//! `boards rename` and `boards set-default-workdir`: one key of a `board.json`.

use serde_json::json;

use super::{BoardChange, NamedBoard};
use crate::board::board_json::BoardJson;
use crate::commands::Context;
use crate::failure::Outcome;
use crate::failure::exit::Exit;
use crate::failure::hint::quoted;
use crate::newfile::small_file;
use crate::store::schema::BoardVersion;

/// Gives a board another display name. Its slug and its files stay.
///
/// # Errors
/// Exit 12 for a board that does not exist, and for a `board.json` that cannot be read.
pub(super) fn run(context: &mut Context<'_>, given: &str, name: &str) -> Outcome<Exit> {
    let change = OneKey { kind: "boards.rename", name: "name", what: "renamed" };
    change.run(context, given, |file| file.rename(name))
}

/// Says where tasks without a workspace of their own work.
///
/// # Errors
/// As [`run`].
pub(super) fn set_workdir(context: &mut Context<'_>, given: &str, path: Option<&str>) -> Outcome<Exit> {
    let change = OneKey { kind: "boards.set-default-workdir", name: "default_workdir", what: "changed" };
    let path = path.filter(|path| !path.is_empty());
    change.run(context, given, |file| file.set("default_workdir", json!(path)))
}

/// A key, and what is said about it.
struct OneKey {
    kind: &'static str,
    name: &'static str,
    what: &'static str,
}

impl OneKey {
    fn run(&self, context: &mut Context<'_>, given: &str, set: impl FnOnce(&mut BoardJson)) -> Outcome<Exit> {
        let named = NamedBoard::of(context, given)?;
        named.require_exists(context)?;
        let has_project = named.version(context).is_some_and(BoardVersion::has_board_project);
        let mut file = BoardJson::read(&named.folder, &named.slug, has_project)?;
        let before = file.text(self.name).to_owned();
        set(&mut file);
        file.stamp(context.clock.epoch());
        let now = file.text(self.name).to_owned();
        let dry_run = context.globals.dry_run;
        let mut change = BoardChange::of(self.kind, &named, &file, self.what, dry_run);
        change.before = Some(before.clone());
        if !dry_run {
            context.require_unfenced(file.path())?;
            small_file::make_directory(&named.folder)?;
            if let Some(bytes) = file.changed()? {
                small_file::put(file.path(), &bytes)?;
            }
        }
        context.ui.emit_done(&change).map_err(|failure| failure.behind("board.json is written"))?;
        let label = if self.name == "name" { "display name" } else { "default workdir" };
        let would = if dry_run { "Dry run: the" } else { "The" };
        let is = if dry_run { "would be" } else { "is" };
        let shown = if now.is_empty() { "unset".to_owned() } else { format!("'{now}'") };
        context.ui.status(format_args!("{would} {label} of '{}' {is} {shown}.", named.slug));
        if before != now && !dry_run {
            let slug = &named.slug;
            let undo = match (self.name, quoted(&before)) {
                ("name", old) => format!("`kanbanctl boards rename {slug} {old}`"),
                _ if before.is_empty() => format!("`kanbanctl boards set-default-workdir {slug}`"),
                (_, old) => format!("`kanbanctl boards set-default-workdir {slug} {old}`"),
            };
            context.ui.status(format_args!("Undo with {undo}."));
        }
        Ok(Exit::Ok)
    }
}
