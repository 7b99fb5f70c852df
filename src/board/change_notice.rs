//! Waiting until a board may have changed: the kernel's notices about its directory, and a pause where there are none.
//!
//! Opens nothing of the board: a descriptor that is closed would drop SQLite's locks.

use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::inotify;

/// Bytes of notices that are read at once.
const NOTICES: usize = 16 * 1024;

/// Wakes when something in the board's directory is written.
pub struct ChangeNotice {
    inotify: Option<OwnedFd>,
}

impl ChangeNotice {
    /// Ask for notices about the directory of a board; without them a pause has to do.
    pub fn about(board: &Path) -> Self {
        let wanted = inotify::WatchFlags::MODIFY
            | inotify::WatchFlags::CREATE
            | inotify::WatchFlags::DELETE
            | inotify::WatchFlags::MOVED_TO
            | inotify::WatchFlags::MOVED_FROM;
        let asked = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)
            .and_then(|notices| inotify::add_watch(&notices, directory(board), wanted).map(|_| notices));
        Self { inotify: asked.ok() }
    }

    /// Wait for a notice, a signal, or the end of the pause.
    pub fn wait(&self, pause: Duration) {
        let pause = Timespec {
            tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(pause.subsec_nanos()),
        };
        let Some(notices) = &self.inotify else {
            // A signal ends the wait.
            let _ = poll(&mut [], Some(&pause));
            return;
        };
        let _ = poll(&mut [PollFd::new(notices, PollFlags::IN)], Some(&pause));
        // What they say does not matter, only that they are over.
        let mut bytes = [0_u8; NOTICES];
        while rustix::io::read(notices, &mut bytes).is_ok_and(|count| count > 0) {}
    }
}

fn directory(board: &Path) -> &Path {
    board.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn write_wakes_at_once_and_silence_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let board = folder.path().join("kanban.db");
        std::fs::write(&board, "x").unwrap();
        let notice = ChangeNotice::about(&board);
        let begun = Instant::now();
        notice.wait(Duration::from_millis(50));
        assert!(begun.elapsed() >= Duration::from_millis(50));
        let begun = Instant::now();
        std::fs::write(folder.path().join("kanban.db-wal"), "y").unwrap();
        notice.wait(Duration::from_secs(20));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
