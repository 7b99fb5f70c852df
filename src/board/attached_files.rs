//! Files of attachments and logs below a board's directory, reached without following links below it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::failure::{Failure, Outcome};

/// The largest attachment that Hermes takes.
pub const MAX_BYTES: u64 = 26_214_400;

/// Characters of a file's name.
const NAME_CHARS: usize = 200;

/// A name fit for a file: the last part of a path, without what cannot be printed and without dots in front.
pub fn safe_name(given: &str) -> Option<String> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let printable: String =
        last.chars().filter(|c| !c.is_control() && !crate::ui::text::is_hazard(*c)).collect();
    let name: String = printable.trim().trim_start_matches('.').trim().chars().take(NAME_CHARS).collect();
    (!name.is_empty()).then_some(name)
}

/// `foo.tar.gz`, then `foo (1).tar.gz` and so on.
fn candidate(name: &str, number: u32) -> String {
    if number == 0 {
        return name.to_owned();
    }
    match name.split_once('.') {
        Some((stem, end)) => format!("{stem} ({number}).{end}"),
        None => format!("{name} ({number})"),
    }
}

/// Store bytes as a new file `root/task/name`, under a number where the name is taken. No link below `root` is followed
/// and nothing is replaced.
///
/// # Errors
/// Exit 12 where a directory on the way is a link; otherwise what the system says.
pub fn store(root: &Path, task: &str, name: &str, bytes: &[u8], mode: u32) -> Outcome<PathBuf> {
    fs::create_dir_all(root)
        .map_err(|error| Failure::making(error, format!("creating {}", root.display())))?;
    let whole = fs::canonicalize(root)
        .map_err(|error| Failure::io(error, format!("finding {}", root.display())).at(root))?;
    let wrong = |error: rustix::io::Errno| {
        let path = whole.join(task);
        if matches!(error, rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) {
            return Failure::refused(format!(
                "{} is a link or no directory; nothing is stored there.",
                path.display()
            ))
            .hint("Remove it, or let Hermes make the directory.")
            .at(&path);
        }
        Failure::making(error.into(), format!("storing a file in {}", path.display())).at(&path)
    };
    if task.contains('/') || task == "." || task == ".." {
        return Err(Failure::refused(format!(
            "the id {task:?} names no directory; nothing is stored for it."
        )));
    }
    let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, &whole, folder, Mode::empty()).map_err(wrong)?;
    match rustix::fs::mkdirat(&root, task, Mode::from_raw_mode(mode | ((mode & 0o444) >> 2))) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(wrong(error)),
    }
    let own = rustix::fs::openat(&root, task, folder, Mode::empty()).map_err(wrong)?;
    for number in 0.. {
        let name = candidate(name, number);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&own, &name, flags, Mode::from_raw_mode(mode)) {
            Ok(file) => file,
            Err(rustix::io::Errno::EXIST) => continue,
            Err(error) => return Err(wrong(error)),
        };
        let mut file = File::from(file);
        if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
            // Ours alone, and incomplete.
            let _ = rustix::fs::unlinkat(&own, &name, AtFlags::empty());
            return Err(Failure::making(error, format!("writing {name} for {task}")));
        }
        return Ok(whole.join(task).join(name));
    }
    Err(Failure::failed("every number of the file's name is taken."))
}

/// Remove a stored file that lies below `root`; nothing else is ever removed. True if it is gone.
pub fn remove(root: &Path, stored: &Path) -> bool {
    let inside = fs::canonicalize(root)
        .is_ok_and(|root| fs::canonicalize(stored).is_ok_and(|path| path.starts_with(&root) && path != root));
    let plain = fs::symlink_metadata(stored).is_ok_and(|file| file.is_file());
    inside && plain && fs::remove_file(stored).is_ok()
}

/// Read a file that is to be attached.
///
/// # Errors
/// Exit 2 for what is no file, 12 for one that is larger than Hermes takes.
pub fn read(path: &Path) -> Outcome<Vec<u8>> {
    let failed = |error: io::Error| Failure::io(error, format!("reading {}", path.display())).at(path);
    let found = fs::metadata(path).map_err(failed)?;
    if !found.is_file() {
        return Err(Failure::usage(format!("{} is no file.", path.display())).at(path));
    }
    if found.len() > MAX_BYTES {
        return Err(Failure::refused(format!(
            "{} is larger than 25 MiB, which Hermes does not take.",
            path.display()
        ))
        .hint("Put it where the worker can read it, and name the place in a comment.")
        .at(path));
    }
    fs::read(path).map_err(failed)
}

/// The type of a file by the end of its name, for ends that are common.
pub fn content_type(name: &str) -> Option<&'static str> {
    let end = name.rsplit_once('.')?.1.to_lowercase();
    TYPES.iter().find(|(known, _)| *known == end).map(|(_, kind)| *kind)
}

/// Ends of names and their types.
const TYPES: [(&str, &str); 24] = [
    ("bmp", "image/bmp"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("gif", "image/gif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("py", "text/x-python"),
    ("sh", "application/x-sh"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tiff", "image/tiff"),
    ("txt", "text/plain"),
    ("wav", "audio/x-wav"),
    ("xml", "text/xml"),
    ("zip", "application/zip"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe() {
        for (given, name) in [
            ("/etc/../x.txt", Some("x.txt")),
            ("C:\\temp\\..hidden", Some("hidden")),
            ("a\u{1b}\u{202e}b", Some("ab")),
            ("...", None),
            ("dir/", None),
        ] {
            assert_eq!(safe_name(given).as_deref(), name, "{given:?}");
        }
        assert_eq!(candidate("a.tar.gz", 2), "a (2).tar.gz");
    }

    #[test]
    fn stored_files_replace_nothing_and_follow_no_link() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let first = store(root.path(), "t_1", "a.txt", b"one", 0o600).unwrap();
        let second = store(root.path(), "t_1", "a.txt", b"two", 0o600).unwrap();
        assert_eq!(
            (fs::read(&first).unwrap(), fs::read(&second).unwrap()),
            (b"one".to_vec(), b"two".to_vec())
        );
        assert!(second.ends_with("a (1).txt"));
        std::os::unix::fs::symlink(outside.path(), root.path().join("t_2")).unwrap();
        let refused = store(root.path(), "t_2", "a.txt", b"x", 0o600).unwrap_err();
        assert_eq!(refused.exit(), crate::failure::exit::Exit::Refused);
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        let other = outside.path().join("other");
        fs::write(&other, "x").unwrap();
        assert!(remove(root.path(), &first) && !remove(root.path(), &other) && other.exists());
    }
}
