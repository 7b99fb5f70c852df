//! Random bytes from the kernel, for names that no other process has. They are not for secrets.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::failure::{Failure, Outcome};

/// Fills `bytes`.
///
/// # Errors
/// When the kernel has none.
pub(crate) fn fill(bytes: &mut [u8]) -> Outcome<()> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        // A signal may cut a long answer short.
        filled += match getrandom(rest, GetRandomFlags::empty()) {
            Err(Errno::INTR) => 0,
            other => {
                other.map_err(|error| Failure::io(error.into(), "asking the kernel for random bytes"))?
            }
        };
    }
    Ok(())
}
