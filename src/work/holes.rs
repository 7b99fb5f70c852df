//! Sparse files: holes are zeros that no disk holds, and reading them costs as much as reading data. They are passed over.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::SeekFrom;

/// Return where the first data at or behind `offset` begins; `None` where only a hole follows. Where the filesystem does not
/// know, everything is data. Moves the file's own position.
pub(crate) fn next_data(file: &File, offset: u64) -> Option<u64> {
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(at) => Some(at.max(offset)),
        Err(rustix::io::Errno::NXIO) => None,
        Err(_) => Some(offset),
    }
}

/// True if the `len` bytes at `offset` are a hole. Behind the end there is none.
pub(crate) fn is_hole(file: &File, offset: u64, len: u64) -> bool {
    next_data(file, offset).map_or_else(
        || file.metadata().is_ok_and(|meta| offset + len <= meta.len()),
        |data| data >= offset + len,
    )
}

/// Return how many bytes of the file are in holes.
pub(crate) fn hole_bytes(file: &File) -> u64 {
    let size = file.metadata().map_or(0, |meta| meta.len());
    let (mut at, mut holes) = (0, 0);
    while at < size {
        let Some(data) = next_data(file, at).filter(|data| *data < size) else { return holes + (size - at) };
        holes += data - at;
        let end = rustix::fs::seek(file, SeekFrom::Hole(data)).unwrap_or(size);
        at = end.max(data + 1);
    }
    holes
}

/// Gives `take` the data of the file from its beginning, each piece with its offset, and passes holes over. Returns the
/// length, which counts a hole at the end.
///
/// # Errors
/// What reading and `take` say.
pub(crate) fn each_piece(
    file: &File,
    piece: &mut [u8],
    mut take: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let mut at = 0;
    loop {
        let Some(data) = next_data(file, at) else { return Ok(file.metadata()?.len().max(at)) };
        at = data;
        match file.read_at(piece, at) {
            Ok(0) => return Ok(at),
            Ok(read) => {
                take(at, piece.get(..read).unwrap_or_default())?;
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Copies the data of `from` into `to`, which is empty, and leaves holes where `from` has them. Returns the length.
///
/// # Errors
/// What reading and writing say.
pub(crate) fn copy(from: &File, to: &File, piece: &mut [u8]) -> io::Result<u64> {
    let length = each_piece(from, piece, |at, bytes| to.write_all_at(bytes, at))?;
    to.set_len(length)?;
    Ok(length)
}

/// Gives `take` zeros for a hole of `len` bytes.
pub(crate) fn zeros(mut len: u64, mut take: impl FnMut(&[u8])) {
    const ZEROS: &[u8] = &[0; 64 << 10];
    while len > 0 {
        let piece = usize::try_from(len).unwrap_or(usize::MAX).min(ZEROS.len());
        take(ZEROS.get(..piece).unwrap_or_default());
        len -= piece as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_gigabytes_of_hole_are_passed_over_and_kept_in_a_copy() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sparse");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        file.write_all_at(b"begin", 0).unwrap();
        file.write_all_at(b"middle", 10 << 30).unwrap();
        file.set_len(20 << 30).unwrap();
        let begun = std::time::Instant::now();
        let mut pieces = Vec::new();
        let length = each_piece(&file, &mut [0; 4096], |at, bytes| {
            pieces.push((at, bytes.len()));
            Ok(())
        });
        assert_eq!(length.unwrap(), 20 << 30);
        assert!(pieces.len() < 600, "{} pieces", pieces.len());
        assert!(hole_bytes(&file) > 19 << 30);
        assert!(is_hole(&file, 15 << 30, 1 << 20) && !is_hole(&file, 0, 4096));
        let copy_of =
            File::options().read(true).write(true).create_new(true).open(dir.path().join("copy")).unwrap();
        assert_eq!(copy(&file, &copy_of, &mut vec![0; 1 << 16]).unwrap(), 20 << 30);
        let mut back = [0; 6];
        copy_of.read_exact_at(&mut back, 10 << 30).unwrap();
        assert_eq!(&back, b"middle");
        assert!(hole_bytes(&copy_of) > 19 << 30);
        assert!(begun.elapsed().as_secs() < 5);
    }

    #[test]
    fn a_file_without_holes_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dense");
        std::fs::write(&path, vec![7; 10_000]).unwrap();
        let file = File::open(&path).unwrap();
        let mut all = Vec::new();
        let length = each_piece(&file, &mut [0; 4096], |at, bytes| {
            assert_eq!(at, all.len() as u64);
            all.extend_from_slice(bytes);
            Ok(())
        });
        assert_eq!((length.unwrap(), all), (10_000, vec![7; 10_000]));
    }
}
