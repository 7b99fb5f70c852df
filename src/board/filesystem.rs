//! The filesystem of a board's directory: its kind, whether WAL can work there, its free space.
//!
//! Reads `/proc/self/mountinfo` and `statvfs`. Names filesystems on which WAL cannot work; [`crate::journal_mode`] tries the
//! others. Also names filesystems on which a holder can be missed. Not here: what follows from that ([`super::holders`]).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};

/// The filesystem under a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filesystem {
    /// Its type as the kernel names it: `ext4`, `nfs4`, `fuse.bindfs`; `unknown` where mountinfo cannot be read.
    pub kind: String,
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Its device number as `/proc/locks` writes it (major, minor), when known.
    pub device: Option<(u32, u32)>,
    /// Whether WAL may be tried on it.
    pub wal: Suitability,
    /// Bytes that this process may still write; nothing when `statvfs` fails.
    pub free_bytes: Option<u64>,
}

impl Filesystem {
    /// Why somebody can have one of its files open without being found here, as a clause; nothing on a local filesystem,
    /// whose files have one device and inode number for everybody.
    pub fn out_of_sight(&self) -> Option<String> {
        let why = beyond(&self.kind)?;
        Some(format!("it lies on {} (mounted at {}), {why}", self.kind, self.mount_point.display()))
    }
}

/// What is known in advance of WAL on a kind of filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suitability {
    /// A local filesystem that shares memory between processes.
    Fine,
    /// Shared memory is not shared there: WAL corrupts without an error (tests/incidents.md F16).
    Hopeless {
        /// Why, as a clause.
        why: &'static str,
    },
    /// Only a probe tells.
    Unproven,
}

/// The filesystem that a directory or a file lies on: a single file can be a mount of its own.
///
/// # Errors
/// When `place` cannot be resolved.
pub fn of(place: &Path) -> Outcome<Filesystem> {
    let real = std::fs::canonicalize(place)
        .map_err(|error| Failure::io(error, format!("resolving {}", place.display())).at(place))?;
    let free_bytes =
        rustix::fs::statvfs(&real).ok().map(|usage| usage.f_bavail.saturating_mul(usage.f_frsize));
    let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    let (mount_point, kind, device) = mount_of(&mounts, &real).map_or_else(
        || (PathBuf::from("/"), "unknown".to_owned(), None),
        |mount| (mount.point, mount.kind, Some(mount.device)),
    );
    let wal = suitability(&kind);
    Ok(Filesystem { kind, mount_point, device, wal, free_bytes })
}

/// The filesystem that a file lies on, or would; nothing where not even its directory can be resolved.
pub fn under(file: &Path) -> Option<Filesystem> {
    of(file).ok().or_else(|| of(file.parent()?).ok())
}

/// What is known of WAL on filesystems of this kind.
pub fn suitability(kind: &str) -> Suitability {
    const NETWORK: &str = "processes on other machines cannot share its memory map";
    const SHARED: &str = "its memory map is not shared between guest and host";
    match kind {
        "ext2" | "ext3" | "ext4" | "xfs" | "btrfs" | "tmpfs" | "f2fs" | "bcachefs" | "overlay" => {
            Suitability::Fine
        }
        "cifs" | "fuse.sshfs" => Suitability::Hopeless { why: NETWORK },
        "9p" | "virtiofs" => Suitability::Hopeless { why: SHARED },
        _ if kind.starts_with("nfs") || kind.starts_with("smb") => Suitability::Hopeless { why: NETWORK },
        _ => Suitability::Unproven,
    }
}

/// How files on this kind of filesystem can be open out of sight; nothing for those that are known to be local.
///
/// A file seen past FUSE, a network or a host's share has another device and inode number than underneath, and locks that
/// are taken there are not seen here. A kind that is not known is not taken for local.
///
/// An overlay counts as local although its upper layer is reached by other paths, too. Containers lie on overlays as a rule.
/// Who looks from inside of one is told so for its pid namespace; who sees the whole machine finds whoever came by a layer:
/// such a file keeps its inode number or, once copied up, its name and the moment of its birth
/// ([`super::holders`]' descriptors compare them).
fn beyond(kind: &str) -> Option<&'static str> {
    const LOCAL: &[&str] = &[
        "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfsplus", "jfs", "minix",
        "msdos", "nilfs2", "ntfs", "ntfs3", "overlay", "ramfs", "reiserfs", "rootfs", "tmpfs", "udf", "ufs",
        "vfat", "xfs", "zfs",
    ];
    if LOCAL.contains(&kind) {
        return None;
    }
    Some(match kind {
        "9p" | "virtiofs" | "vboxsf" => "where processes of the host can have it open out of sight",
        "cifs" | "ceph" | "fuse.sshfs" => "where other machines can have it open out of sight",
        _ if kind.starts_with("nfs") || kind.starts_with("smb") => {
            "where other machines can have it open out of sight"
        }
        _ if kind.starts_with("fuse") => {
            "where it can be open out of sight: by the path underneath, or on another machine"
        }
        _ => "of which it is not known whether it can be open there by another path or on another machine",
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    kind: String,
    device: (u32, u32),
}

/// The last mount with the longest mount point that leads to `directory`: a later mount hides an earlier one.
fn mount_of(mountinfo: &[u8], directory: &Path) -> Option<Mount> {
    mountinfo
        .split(|&byte| byte == b'\n')
        .filter_map(parse)
        .filter(|mount| directory.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.as_os_str().len())
}

/// One line: `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw` (proc(5)).
fn parse(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ');
    let device = std::str::from_utf8(fields.nth(2)?).ok()?;
    let point = unescape(fields.nth(1)?);
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    let (major, minor) = device.split_once(':')?;
    Some(Mount {
        point: PathBuf::from(point),
        kind: String::from_utf8_lossy(kind).into_owned(),
        device: (major.parse().ok()?, minor.parse().ok()?),
    })
}

/// Space, tab, newline and backslash are written as `\040` and so on.
fn unescape(field: &[u8]) -> OsString {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let octal = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
            }
            _ => None,
        };
        plain.push(octal.unwrap_or(byte));
        rest = if octal.is_some() { rest.get(4..).unwrap_or_default() } else { after };
    }
    OsString::from_vec(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"22 1 254:0 / / rw - ext4 /dev/vda rw\n\
        23 22 0:40 / /mnt/with\\040space rw shared:1 - nfs4 host:/x rw\n\
        24 22 0:41 / /mnt/b rw - fuse.bindfs /x rw\n\
        25 22 0:42 / /mnt/b rw - tmpfs tmpfs rw\n\
        26 22 0:43 / /mnt/f rw - fuse.bindfs /x rw\n\
        27 22 0:44 / /srv/kanban.db rw - virtiofs share rw\n\
        28 22 0:45 / /mnt/new rw - newfs /dev/x rw\n\
        29 22 0:46 / /mnt/o rw - overlay overlay rw,lowerdir=l,upperdir=u,workdir=w\n\
        garbage\n";

    #[test]
    fn the_longest_and_latest_mount_wins() {
        let kind = |path: &str| mount_of(MOUNTS, Path::new(path)).unwrap().kind;
        assert_eq!(kind("/home/x"), "ext4");
        assert_eq!(kind("/mnt/with space/deep"), "nfs4");
        assert_eq!(kind("/mnt/b"), "tmpfs");
        assert_eq!(kind("/mnt/bb"), "ext4");
        assert_eq!(mount_of(MOUNTS, Path::new("/")).unwrap().device, (254, 0));
    }

    #[test]
    fn network_filesystems_are_hopeless() {
        for kind in ["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse.sshfs"] {
            assert!(matches!(suitability(kind), Suitability::Hopeless { .. }), "{kind}");
        }
        assert_eq!(suitability("fuse.bindfs"), Suitability::Unproven);
        assert_eq!(suitability("ext4"), Suitability::Fine);
    }

    #[test]
    fn only_what_is_known_to_be_local_hides_nobody() {
        let reason = |path: &str| {
            let Mount { point: mount_point, kind, .. } = mount_of(MOUNTS, Path::new(path)).unwrap();
            let wal = suitability(&kind);
            Filesystem { kind, mount_point, device: None, wal, free_bytes: None }.out_of_sight()
        };
        for local in ["/home/kanban.db", "/mnt/b/kanban.db", "/mnt/o/kanban.db", "/srv/other.db"] {
            assert_eq!(reason(local), None, "{local}");
        }
        for (path, says) in [
            (
                "/mnt/f/deep/kanban.db",
                "fuse.bindfs (mounted at /mnt/f), where it can be open out of sight: by the path",
            ),
            ("/mnt/with space/kanban.db", "nfs4 (mounted at /mnt/with space), where other machines"),
            ("/srv/kanban.db", "virtiofs (mounted at /srv/kanban.db), where processes of the host"),
            ("/mnt/new/kanban.db", "newfs (mounted at /mnt/new), of which it is not known"),
        ] {
            let reason = reason(path).unwrap();
            assert!(reason.starts_with(&format!("it lies on {says}")), "{path}: {reason}");
        }
        assert!(beyond("unknown").is_some());
    }

    #[test]
    fn this_machine_answers() {
        let here = of(Path::new(".")).unwrap();
        assert!(here.free_bytes.is_some());
    }
}
