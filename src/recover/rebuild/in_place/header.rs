//! The database header of the new file: what the board had, with the counts of what is there now.

use crate::ondisk::header::{self, MAGIC};

/// What the header of the new file says besides what is the same in every file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) page_size: usize,
    pub(crate) page_count: u32,
    /// The first trunk of the freelist, 0 for none.
    pub(crate) freelist_trunk: u32,
    pub(crate) freelist_count: u32,
    pub(crate) change_counter: u32,
    pub(crate) schema_cookie: u32,
    pub(crate) user_version: i32,
    pub(crate) application_id: i32,
}

/// Puts the header at the start of `page`, in rollback mode: the recorded mode is set when the file is sealed. UTF-8 and
/// schema format 4, without auto-vacuum and reserved bytes; other boards do not come here.
pub(crate) fn put(page: &mut [u8], fields: &Fields) -> Option<()> {
    let mut bytes = Vec::with_capacity(header::LEN);
    bytes.extend(MAGIC);
    bytes.extend(u16::try_from(fields.page_size).unwrap_or(1).to_be_bytes());
    bytes.extend([1, 1, 0, 64, 32, 32]);
    for number in [
        fields.change_counter,
        fields.page_count,
        fields.freelist_trunk,
        fields.freelist_count,
        fields.schema_cookie,
        SCHEMA_FORMAT,
        0,
        0,
        UTF_8,
        fields.user_version.cast_unsigned(),
        0,
        fields.application_id.cast_unsigned(),
    ] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.resize(VALID_FOR, 0);
    bytes.extend(fields.change_counter.to_be_bytes());
    bytes.extend(sqlite_version().to_be_bytes());
    page.get_mut(..bytes.len())?.copy_from_slice(&bytes);
    Some(())
}

pub(crate) const SCHEMA_FORMAT: u32 = 4;
pub(crate) const UTF_8: u32 = 1;
const VALID_FOR: usize = 92;

/// The version that is linked: it writes the file from here on.
fn sqlite_version() -> u32 {
    u32::try_from(rusqlite::version_number()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::header::Header;

    #[test]
    fn what_is_written_is_read() {
        let fields = Fields {
            page_size: 65_536,
            page_count: 7,
            freelist_trunk: 3,
            freelist_count: 2,
            change_counter: 9,
            schema_cookie: 11,
            user_version: -5,
            application_id: 77,
        };
        let mut page = [0xff_u8; 512];
        put(&mut page, &fields).unwrap();
        let header = Header::read(&page).unwrap();
        assert!(header.is_credible() && !header.is_wal());
        assert_eq!(header.page_size, Some(65_536));
        assert_eq!((header.page_count, header.freelist_trunk, header.freelist_count), (7, 3, 2));
        assert_eq!((header.change_counter, header.valid_for, header.schema_cookie), (9, 9, 11));
        assert_eq!((header.user_version, header.application_id), (-5, 77));
        assert_eq!((header.schema_format, header.encoding, header.reserved), (4, 1, 0));
        assert_eq!(page[100], 0xff, "the page behind the header is not touched");
        assert!(put(&mut [0; 50], &fields).is_none());
    }
}
