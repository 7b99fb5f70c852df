//! Mode and owner of a finished file.
//!
//! A result is no more open than its source: the same mode and owner, and where the owner cannot be kept, no access for
//! others.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

/// Where the kernel keeps an access control list. With one, the group's bits of the mode are no group's, but a mask.
const ACL: &str = "system.posix_acl_access";

/// True if the file at `path` has an access control list besides its mode. It is not opened: it may be a board that
/// this process holds.
pub(crate) fn has_acl(path: &Path) -> bool {
    let mut list = [0_u8; 1024];
    match rustix::fs::getxattr(path, ACL, &mut list) {
        Ok(len) => len > 0,
        Err(error) => error == rustix::io::Errno::RANGE,
    }
}

/// The permission bits of a file, where it can be looked at: the owner's alone beside an access control list.
pub fn permissions(path: &Path) -> Option<u32> {
    let kept = if has_acl(path) { 0o700 } else { 0o777 };
    std::fs::metadata(path).ok().map(|meta| meta.mode() & kept)
}

/// Permission bits, and whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audience {
    mode: u32,
    owner: Option<(u32, u32)>,
}

impl Audience {
    /// That of a file; for this user alone where it cannot be looked at.
    pub fn of(path: &Path) -> Self {
        let kept = if has_acl(path) { 0o700 } else { 0o777 };
        std::fs::metadata(path).map_or(Self::from(0o600), |meta| Self {
            mode: meta.mode() & if meta.is_dir() { kept & 0o666 } else { kept },
            owner: Some((meta.uid(), meta.gid())),
        })
    }

    /// Gives it to `file`.
    ///
    /// # Errors
    /// When the mode cannot be set.
    pub fn apply(self, file: &File) -> std::io::Result<()> {
        let now = file.metadata()?;
        let foreign = self.owner.filter(|owner| *owner != (now.uid(), now.gid()));
        // Only root may give a file away, and bits that were another group's are not ours to give to our own.
        let kept = foreign.is_none_or(|(uid, gid)| fchown(file, Some(uid), Some(gid)).is_ok());
        let mode = if kept { self.mode } else { self.mode & 0o700 };
        // A directory's default list would let in others than the mode says.
        let _ = rustix::fs::fremovexattr(file, ACL);
        file.set_permissions(std::fs::Permissions::from_mode(mode))
    }
}

/// A new file of this user's.
impl From<u32> for Audience {
    fn from(mode: u32) -> Self {
        Self { mode: mode & 0o777, owner: None }
    }
}
