//! Reports whether a scan for holders can have missed a process, and why.
//!
//! Reasons: processes of other users that cannot be read, other pid namespaces, filesystems that are reached by another path
//! or from another machine. `unknown` is an answer and never a proof.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use super::{Completeness, HolderRole, Target, process};
use crate::board::filesystem::Filesystem;
use crate::failure::count::counted;

/// Who may open the board: what decides whether a process that could not be read matters.
pub(super) struct ProcAccess {
    owner: Option<u32>,
    others_may: bool,
}

impl ProcAccess {
    pub(super) fn of(targets: &[Target]) -> Self {
        let database = targets.iter().find(|target| target.role == HolderRole::Db);
        let file = database.and_then(|target| std::fs::metadata(&target.path).ok());
        let folder =
            database.and_then(|target| target.path.parent()).and_then(|path| std::fs::metadata(path).ok());
        let others = |meta: &Metadata, bits: u32| meta.mode() & bits != 0;
        Self {
            owner: file.as_ref().map(MetadataExt::uid),
            others_may: file.as_ref().is_none_or(|meta| others(meta, 0o066))
                && folder.as_ref().is_none_or(|meta| others(meta, 0o011)),
        }
    }

    fn allows(&self, uid: u32) -> bool {
        uid == 0 || self.owner.is_none_or(|owner| owner == uid) || self.others_may
    }
}

/// A process whose files may not be read.
#[derive(Debug)]
pub(super) struct UnseenProcess {
    pid: u32,
    uid: u32,
}

impl UnseenProcess {
    /// The process; nothing where it has ended meanwhile or cannot hold a file.
    pub(super) fn of(pid: u32) -> Option<Self> {
        let uid = std::fs::metadata(format!("/proc/{pid}")).ok()?.uid();
        (!process::holds_nothing(pid)).then_some(Self { pid, uid })
    }
}

/// What else can be out of sight.
#[derive(Debug)]
pub(super) struct ProcView {
    hides_processes: bool,
    is_container: bool,
    is_unsettled: bool,
}

impl ProcView {
    pub(super) fn look() -> Self {
        Self {
            hides_processes: hides_processes(),
            is_container: !process::sees_whole_machine(),
            is_unsettled: false,
        }
    }

    /// Notes that processes began faster than they could be looked at.
    pub(super) fn unsettled(&mut self) {
        self.is_unsettled = true;
    }

    pub(super) fn verdict(
        &self,
        unseen: &[UnseenProcess],
        access: &ProcAccess,
        filesystem: Option<&Filesystem>,
    ) -> Completeness {
        let mut reasons = Vec::new();
        let mut able = unseen.iter().filter(|process| access.allows(process.uid));
        if let Some(example) = able.next() {
            reasons.push(format!(
                "{} that could open it cannot be read, {} ({}) among them",
                counted(1 + able.count() as u64, "process of another user", "processes of other users"),
                example.pid,
                process::command(example.pid)
            ));
        } else if self.hides_processes {
            reasons.push(
                "/proc is mounted with hidepid, so processes of other users are out of sight".to_owned(),
            );
        }
        if self.is_container {
            reasons.push(
                "this is a container or another pid namespace, so processes outside of it are out of sight"
                    .to_owned(),
            );
        }
        if self.is_unsettled {
            reasons.push("new processes began faster than they could be looked at".to_owned());
        }
        let hidden = filesystem.map_or_else(
            || Some("the filesystem that it lies on cannot be told".to_owned()),
            Filesystem::out_of_sight,
        );
        reasons.extend(hidden);
        if reasons.is_empty() {
            return Completeness::Complete;
        }
        Completeness::Partial { reason: reasons.join("; ") }
    }
}

/// Whether `/proc` shows this process only its own user's processes. Root sees all of them in any case.
fn hides_processes() -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    !rustix::process::geteuid().is_root()
        && mounts.lines().filter(|line| line.split(' ').nth(4) == Some("/proc")).any(|line| {
            line.split([' ', ','])
                .filter_map(|option| option.strip_prefix("hidepid="))
                .any(|level| level != "0" && level != "off")
        })
}
