//! Home directories: resolves `~` and `~user` at the front of a path.

use std::path::{Component, Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::process::env::Env;

/// Return the text with `~` or `~user` at its front replaced, as a shell does; unchanged where that is nobody's home.
pub fn expanded(text: &str, env: &Env) -> String {
    let Some(rest) = text.strip_prefix('~') else { return text.to_owned() };
    let (user, rest) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let home = if user.is_empty() { home_directory(env).ok() } else { passwd_home(|name, _| name == user) };
    match home.as_deref().and_then(Path::to_str) {
        Some(home) => format!("{}{rest}", home.trim_end_matches('/')),
        None => text.to_owned(),
    }
}

/// `~` and `~user` at the front replaced.
///
/// # Errors
/// Exit 12 when the user's home directory is unknown.
pub(super) fn expand(path: &Path, env: &Env) -> Outcome<PathBuf> {
    let mut components = path.components();
    let Some(Component::Normal(first)) = components.next() else {
        return Ok(path.to_path_buf());
    };
    let home = match first.as_encoded_bytes() {
        b"~" => home_directory(env)?,
        [b'~', ..] => {
            let user = first.to_str().unwrap_or_default().trim_start_matches('~');
            match passwd_home(|name, _| name == user) {
                Some(home) => home,
                None => return Ok(path.to_path_buf()),
            }
        }
        _ => return Ok(path.to_path_buf()),
    };
    Ok(home.join(components.as_path()))
}

/// The user's own: `HOME`, else what the accounts say.
///
/// # Errors
/// Exit 12 when neither tells.
pub(super) fn home_directory(env: &Env) -> Outcome<PathBuf> {
    if let Some(home) = env.get("HOME").filter(|home| !home.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    let uid = rustix::process::getuid().as_raw().to_string();
    passwd_home(|_, id| id == uid).ok_or_else(|| {
        Failure::refused("the home directory is unknown: HOME is not set.")
            .hint("Set HOME or HERMES_KANBAN_HOME, or name the board's file with --db.")
    })
}

/// The home directory of the first account that `wanted` (name, numeric id) accepts.
fn passwd_home(wanted: impl Fn(&str, &str) -> bool) -> Option<PathBuf> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.as_slice() {
            [name, _, id, _, _, home, ..] if wanted(name, id) => Some(PathBuf::from(home)),
            _ => None,
        }
    })
}
