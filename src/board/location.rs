//! Which file a command works on, and which rule chose it.
//!
//! Follows Hermes' chain of options, variables and `kanban/current` (docs/board-format.md, 1.1 to 1.5). Where Hermes would
//! guess, this refuses (12): contradictions, boards that do not exist, a stale or malformed `current`. Not here: whether the
//! file is a board ([`super::files`]).

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::home::{expand, home_directory};
use super::{Board, Origin};
use crate::failure::{Failure, Outcome, nearest};
use crate::process::env::Env;

/// The slug of the board that always exists.
pub const DEFAULT_SLUG: &str = "default";

/// No more of `kanban/current` or a `board.json` is read than this many bytes.
const SMALL_FILE: u64 = 1 << 16;

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub struct BoardRequest {
    /// `--board SLUG`.
    pub board: Option<String>,
    /// `--db PATH`.
    pub db: Option<PathBuf>,
}

/// The part of a `board.json` that is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The board's display name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Where workspaces without a path of their own lie.
    pub default_workdir: Option<String>,
    /// The project that tasks belong to which name none.
    pub project_id: Option<String>,
    /// Whether listings hide it.
    pub archived: bool,
    /// True if there is such a file that can be read.
    pub is_there: bool,
}

/// Chooses the board's file.
///
/// # Errors
/// Exit 12 for contradictions, unknown boards and an unusable `kanban/current`; 2 for a malformed `--board`.
pub fn locate(request: &BoardRequest, env: &Env) -> Outcome<Board> {
    if let Some(path) = &request.db {
        return by_option(path, request.board.as_deref(), env);
    }
    let pinned = pinned(env)?;
    if let Some(given) = &request.board {
        let slug = option_slug(given)?;
        let board = named(&slug, Origin::BoardOption, env);
        require_unpinned(&slug, "--board ", env)?;
        return board;
    }
    if let Some(path) = pinned {
        return Ok(Board { slug: slug_of(&path, env), path, origin: Origin::DbVariable });
    }
    if let Some(given) = text(env, "HERMES_KANBAN_BOARD")? {
        let slug = normalise(&given).map_err(|reason| {
            Failure::refused(format!("the variable HERMES_KANBAN_BOARD is no board: {reason}."))
                .hint("Unset it, or name an existing board; `kanbanctl boards list` shows them.")
        })?;
        return named(&slug, Origin::BoardVariable, env);
    }
    match current(env)? {
        Some(slug) => named(&slug, Origin::Current, env),
        None => named(DEFAULT_SLUG, Origin::Default, env),
    }
}

/// Refuse a board's name where the variable `HERMES_KANBAN_DB` names another file. `option` stands before the name.
///
/// # Errors
/// Exit 12.
pub fn require_unpinned(slug: &str, option: &str, env: &Env) -> Outcome<()> {
    match pinned(env)?.filter(|pinned| !same_file(pinned, &board_path_of(slug, env))) {
        None => Ok(()),
        Some(pinned) => Err(Failure::refused(format!(
            "{option}{slug} and the variable HERMES_KANBAN_DB={} name different files: Hermes 0.19.0 and 0.20.1 \
             would use the variable's, 0.22.2 the named board.",
            pinned.display()
        ))
        .hint("Unset HERMES_KANBAN_DB to use --board, or leave --board out to use the variable's file.")
        .hint("To override both, name the file with --db.")
        .at(&pinned)),
    }
}

/// The file that names the current board.
///
/// # Errors
/// When the root is unknown.
pub fn current_path(env: &Env) -> Outcome<PathBuf> {
    Ok(root(env)?.join("kanban").join("current"))
}

/// All boards under the root: the default one first, the others sorted; archived ones are left out.
///
/// A directory whose name is valid only in lower case is listed by its path, since no slug leads to it.
///
/// # Errors
/// When the root is unknown or cannot be listed.
pub fn discover(env: &Env) -> Outcome<Vec<Board>> {
    let root = root(env)?;
    let mut boards = vec![Board {
        slug: Some(DEFAULT_SLUG.to_owned()),
        path: board_path(&root, DEFAULT_SLUG),
        origin: Origin::Discovered,
    }];
    let folder = boards_folder(&root);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(boards),
        Err(error) => {
            return Err(Failure::io(error, format!("listing {}", folder.display())).at(&folder));
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry =
            entry.map_err(|error| Failure::io(error, format!("listing {}", folder.display())).at(&folder))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Ok(slug) = normalise(&name) else { continue };
        let directory = entry.path();
        if slug == DEFAULT_SLUG || !is_board(&directory) {
            continue;
        }
        let slug = (slug == name).then_some(slug);
        found.push((
            name.to_lowercase(),
            Board { slug, path: directory.join("kanban.db"), origin: Origin::Discovered },
        ));
    }
    found.sort_by(|left, right| left.0.cmp(&right.0));
    boards.extend(found.into_iter().map(|(_, board)| board));
    Ok(boards)
}

/// The directory that all boards of this user lie under (docs/board-format.md, 1.2).
///
/// # Errors
/// When a home directory is needed and unknown.
pub fn root(env: &Env) -> Outcome<PathBuf> {
    if let Some(value) = path_variable(env, "HERMES_KANBAN_HOME")? {
        return absolute(&value);
    }
    hermes_root(env)
}

/// The directory of Hermes itself: profiles lie under it, wherever the boards are.
///
/// # Errors
/// When a home directory is needed and unknown.
pub fn hermes_root(env: &Env) -> Outcome<PathBuf> {
    let home = env.get("HERMES_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let Some(home) = home else {
        return absolute(&home_directory(env)?.join(".hermes"));
    };
    if let Ok(native) = home_directory(env).map(|user| user.join(".hermes"))
        && resolved(&home).starts_with(resolved(&native))
    {
        return absolute(&native);
    }
    let parent = home.parent().filter(|parent| parent.file_name() == Some(OsStr::new("profiles")));
    absolute(parent.and_then(Path::parent).unwrap_or(&home))
}

/// The database of the board `slug` under `root` (docs/board-format.md, 1.3).
pub fn board_path(root: &Path, slug: &str) -> PathBuf {
    if slug == DEFAULT_SLUG {
        root.join("kanban.db")
    } else {
        boards_folder(root).join(slug).join("kanban.db")
    }
}

/// The directory of a board's files of one kind: `logs`, `workspaces` or `attachments`.
pub fn files_folder(root: &Path, slug: &str, kind: &str) -> PathBuf {
    if slug == DEFAULT_SLUG {
        root.join("kanban").join(kind)
    } else {
        boards_folder(root).join(slug).join(kind)
    }
}

/// The slug in `kanban/current`; nothing when the file is absent or blank. A byte-order mark is tolerated.
///
/// # Errors
/// Exit 12 when it holds no slug, and when it cannot be read.
pub fn current(env: &Env) -> Outcome<Option<String>> {
    let path = current_path(env)?;
    let Some(bytes) = read_small(&path)? else { return Ok(None) };
    let refuse = |reason: &str| {
        Failure::refused(format!("{} names no board: {reason}.", path.display()))
            .hint("Name the board with --board; `kanbanctl boards list` shows them.")
            .at(&path)
    };
    let Ok(content) = std::str::from_utf8(&bytes) else {
        return Err(refuse("it is not UTF-8"));
    };
    let given = content.strip_prefix('\u{feff}').unwrap_or(content).trim();
    if given.is_empty() {
        return Ok(None);
    }
    normalise(given).map(Some).map_err(|reason| refuse(&reason))
}

/// Trimmed and in lower case, when that is a valid slug: 1 to 64 of `a-z`, `0-9`, `-` and `_`, beginning with a letter
/// or digit (docs/board-format.md, 1.5).
///
/// # Errors
/// What is wrong with it, as a clause.
pub fn normalise(given: &str) -> Result<String, String> {
    let slug = given.trim().to_lowercase();
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let valid = (1..=64).contains(&slug.len())
        && slug.bytes().next().is_some_and(word)
        && slug.bytes().all(|byte| word(byte) || byte == b'-' || byte == b'_');
    if valid {
        Ok(slug)
    } else {
        Err(format!(
            "invalid board slug '{given}': must be 1-64 chars, lowercase alphanumerics / hyphens / underscores, not \
             starting with '-' or '_'"
        ))
    }
}

/// True if a write to `path` is denied to this process because a worker delegated to it. The variable names the root that
/// is fenced off; `1` fences every board.
///
/// # Errors
/// When the working directory is unknown.
pub fn is_fenced(path: &Path, env: &Env) -> Outcome<bool> {
    let Some(marker) = env.get("HERMES_DELEGATED_CHILD_CONTEXT").filter(|marker| !marker.is_empty()) else {
        return Ok(false);
    };
    if marker == "1" || pinned(env)?.is_some_and(|pinned| same_file(path, &pinned)) {
        return Ok(true);
    }
    Ok(resolved(path).starts_with(resolved(&expand(Path::new(marker), env)?)))
}

/// What `board.json` in `directory` says; malformed is as good as absent (docs/board-format.md, 1.5).
pub fn metadata(directory: &Path) -> Metadata {
    let Ok(Some(bytes)) = read_small(&directory.join("board.json")) else {
        return Metadata::default();
    };
    // Hermes 0.22.2 reads past a byte-order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(bytes) else {
        return Metadata::default();
    };
    let text = |key: &str| {
        fields.get(key).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Metadata {
        name: text("name"),
        description: text("description"),
        default_workdir: text("default_workdir"),
        project_id: text("project_id"),
        archived: fields.get("archived").and_then(serde_json::Value::as_bool).unwrap_or_default(),
        is_there: true,
    }
}

/// The directory that holds `board.json` of a board.
pub fn metadata_folder(root: &Path, slug: &str) -> PathBuf {
    boards_folder(root).join(slug)
}

/// The directory of the boards that have a name.
pub fn boards_folder(root: &Path) -> PathBuf {
    root.join("kanban").join("boards")
}

fn by_option(given: &Path, board: Option<&str>, env: &Env) -> Outcome<Board> {
    let path = absolute(&expand(given, env)?)?;
    let Some(given) = board else {
        return Ok(Board { slug: slug_of(&path, env), path, origin: Origin::DbOption });
    };
    let slug = option_slug(given)?;
    if same_file(&path, &board_path_of(&slug, env)) {
        return Ok(Board { slug: Some(slug), path, origin: Origin::DbOption });
    }
    Err(Failure::refused(format!("--db {} and --board {slug} name different files.", path.display()))
        .hint("Give one of them.")
        .at(&path))
}

fn option_slug(given: &str) -> Outcome<String> {
    normalise(given).map_err(|reason| {
        Failure::usage(format!("{reason}.")).hint("`kanbanctl boards list` shows the boards there are.")
    })
}

/// The board called `slug`, which must exist unless it is the default one.
fn named(slug: &str, origin: Origin, env: &Env) -> Outcome<Board> {
    let root = root(env)?;
    let path = board_path(&root, slug);
    if slug != DEFAULT_SLUG && !is_board(&boards_folder(&root).join(slug)) {
        let failure = Failure::refused(format!("the board '{slug}', named by {origin}, does not exist."));
        let boards = discover(env).unwrap_or_default();
        let failure = match nearest(slug, boards.iter().filter_map(|board| board.slug.as_deref())) {
            Some(meant) => failure.hint(format!("Did you mean `--board {meant}`?")),
            None => failure,
        };
        let failure = failure.hint("See what there is with `kanbanctl boards list`.");
        let failure = match origin {
            Origin::Current => failure.hint("Hermes left a stale pointer: `kanbanctl boards switch default` corrects it, --board overrides it."),
            Origin::BoardVariable => failure.hint("Unset HERMES_KANBAN_BOARD, or override it with --board."),
            _ => failure,
        };
        return Err(failure.at(&path));
    }
    Ok(Board { slug: Some(slug.to_owned()), path, origin })
}

fn board_path_of(slug: &str, env: &Env) -> PathBuf {
    root(env).map(|root| board_path(&root, slug)).unwrap_or_default()
}

/// The slug whose file `path` is, when it is one under the root.
fn slug_of(path: &Path, env: &Env) -> Option<String> {
    let root = root(env).ok()?;
    let candidates = [
        Some(DEFAULT_SLUG.to_owned()),
        path.parent().and_then(Path::file_name).and_then(OsStr::to_str).and_then(|name| normalise(name).ok()),
    ];
    candidates.into_iter().flatten().find(|slug| same_file(path, &board_path(&root, slug)))
}

/// True if Hermes 0.19.0 takes a directory below the root for a board's.
pub fn is_board(directory: &Path) -> bool {
    directory.join("board.json").exists() || directory.join("kanban.db").exists()
}

fn same_file(left: &Path, right: &Path) -> bool {
    left == right || resolved(left) == resolved(right)
}

/// `path` with the symbolic links of its longest existing part followed.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut existing = path.as_path();
    let mut rest = Vec::new();
    loop {
        if let Ok(real) = std::fs::canonicalize(existing) {
            return rest.into_iter().rev().fold(real, |path: PathBuf, name: &OsStr| path.join(name));
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name);
                existing = parent;
            }
            _ => return path,
        }
    }
}

fn pinned(env: &Env) -> Outcome<Option<PathBuf>> {
    path_variable(env, "HERMES_KANBAN_DB")?.map(|path| absolute(&path)).transpose()
}

fn absolute(path: &Path) -> Outcome<PathBuf> {
    std::path::absolute(path).map_err(|error| Failure::io(error, "finding the working directory").at(path))
}

/// A variable that holds a path: trimmed when it is text, nothing when blank, `~` expanded.
fn path_variable(env: &Env, name: &str) -> Outcome<Option<PathBuf>> {
    let Some(value) = env.get(name) else { return Ok(None) };
    let value = value.to_str().map_or(value, |text| OsStr::new(text.trim()));
    if value.is_empty() { Ok(None) } else { expand(Path::new(value), env).map(Some) }
}

fn text(env: &Env, name: &str) -> Outcome<Option<String>> {
    let Some(value) = env.get(name) else { return Ok(None) };
    let Some(value) = value.to_str() else {
        return Err(Failure::refused(format!("the variable {name} is not UTF-8."))
            .hint(format!("Unset {name}, or override it with --board.")));
    };
    let value = value.trim();
    Ok((!value.is_empty()).then(|| value.to_owned()))
}

/// The first [`SMALL_FILE`] bytes of a file; nothing when it is absent. What is no plain file is not waited for.
pub(super) fn read_small(path: &Path) -> Outcome<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let read = OpenOptions::new().read(true).custom_flags(without_waiting).open(path).and_then(|file| {
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        file.take(SMALL_FILE).read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            Err(Failure::refused(format!("{} is not a regular file.", path.display()))
                .hint("Remove it, or name the board with --board or --db.")
                .at(path))
        }
        Err(error) => Err(Failure::io(error, format!("reading {}", path.display())).at(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_normalised_and_checked() {
        assert_eq!(normalise(" Work_2 \n").as_deref(), Ok("work_2"));
        assert_eq!(normalise("9-lives").as_deref(), Ok("9-lives"));
        let longest = "a".repeat(64);
        assert_eq!(normalise(&longest).as_deref(), Ok(longest.as_str()));
        for bad in ["", " ", "-a", "_archived", "a b", "ü", "a/b", "..", &"a".repeat(65)] {
            assert!(normalise(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_default_board_lies_beside_the_folder() {
        let root = Path::new("/r");
        assert_eq!(board_path(root, "default"), Path::new("/r/kanban.db"));
        assert_eq!(board_path(root, "b2"), Path::new("/r/kanban/boards/b2/kanban.db"));
    }
}
