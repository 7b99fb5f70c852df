//! Variable-length integers ("Database File Format", section 1.6): one to nine bytes, seven bits each, the high bit for "more
//! follows", all eight bits in the ninth. Longer encodings than necessary are accepted, as SQLite does.

/// The longest varint, in bytes.
pub const MAX_LEN: usize = 9;

/// The number at the start of `bytes` and how many bytes it takes; `None` if the bytes end first.
pub fn read(bytes: &[u8]) -> Option<(u64, usize)> {
    // Most are small.
    if let Some(&byte @ ..0x80) = bytes.first() {
        return Some((u64::from(byte), 1));
    }
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(MAX_LEN).enumerate() {
        if index == MAX_LEN - 1 {
            return Some(((value << 8) | u64::from(byte), MAX_LEN));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// The number at `offset` of `bytes` and the offset behind it.
pub fn read_at(bytes: &[u8], offset: usize) -> Option<(u64, usize)> {
    let (value, len) = read(bytes.get(offset..)?)?;
    Some((value, offset.checked_add(len)?))
}

/// How many bytes `value` takes where no byte is wasted.
pub fn len(value: u64) -> usize {
    let bits = (u64::BITS - value.leading_zeros()).max(1) as usize;
    if bits > 56 { MAX_LEN } else { bits.div_ceil(7) }
}

/// Appends `value` to `out` in as few bytes as possible.
pub fn write(out: &mut Vec<u8>, value: u64) {
    let len = len(value);
    let (mut rest, mut bytes) = (value, Vec::with_capacity(len));
    if len == MAX_LEN {
        bytes.push(rest.to_le_bytes()[0]);
        rest >>= 8;
    }
    while bytes.len() < len {
        let more = if bytes.is_empty() { 0 } else { 0x80 };
        bytes.push(rest.to_le_bytes()[0] & 0x7f | more);
        rest >>= 7;
    }
    out.extend(bytes.iter().rev());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_nine_bytes() {
        assert_eq!(read(&[0x00]), Some((0, 1)));
        assert_eq!(read(&[0x7f]), Some((127, 1)));
        assert_eq!(read(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(read(&[0x80, 0x80, 0x05]), Some((5, 3)), "not minimal");
        assert_eq!(read(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(read(&[0xff; 8]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let edges = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, 1 << bit | 1]).chain([u64::MAX]);
        for value in edges {
            let mut bytes = Vec::new();
            write(&mut bytes, value);
            assert_eq!(read(&bytes), Some((value, len(value))), "{value}");
        }
    }
}
