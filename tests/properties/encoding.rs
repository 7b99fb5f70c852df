//! Text and geometry: total on any bytes, exact on what was encoded.

use kanbanctl::ondisk::geometry;
use kanbanctl::ondisk::record::{Record, Value};
use kanbanctl::ondisk::text::Encoding;
use kanbanctl::ondisk::varint;
use proptest::prelude::*;

const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16le, Encoding::Utf16be];

fn encode(encoding: Encoding, text: &str) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Utf16le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

/// A record of texts.
fn record(texts: &[Vec<u8>]) -> Vec<u8> {
    let mut types = Vec::new();
    for text in texts {
        varint::write(&mut types, 13 + 2 * text.len() as u64);
    }
    let mut payload = Vec::new();
    let len = (1..=3).find(|&len| varint::len((types.len() + len) as u64) == len).unwrap();
    varint::write(&mut payload, (types.len() + len) as u64);
    payload.extend(types);
    payload.extend(texts.iter().flatten());
    payload
}

proptest! {
    #[test]
    fn texts_survive_another_encoding(texts in prop::collection::vec(".{0,200}", 0..40)) {
        for encoding in ENCODINGS {
            let encoded: Vec<_> = texts.iter().map(|text| encode(encoding, text)).collect();
            let payload = record(&encoded);
            let payload = encoding.transcode(&payload).unwrap();
            let found: Vec<_> = Record::read(&payload).unwrap().values().collect();
            let wanted: Vec<_> = texts.iter().map(|text| Value::Text(text.as_bytes())).collect();
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn words_tell_their_encoding(text in "[a-z_]{2,40}") {
        for encoding in ENCODINGS {
            prop_assert_eq!(Encoding::of(&encode(encoding, &text)), Some(encoding));
        }
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        for encoding in ENCODINGS {
            let _ = encoding.decode(&bytes);
            let _ = encoding.transcode(&bytes);
        }
        let _ = Encoding::of(&bytes);
        let usable = geometry::usable(2, &bytes);
        prop_assert!(usable.is_none_or(|usable| usable <= bytes.len()));
        if let Ok(record) = Record::prefix(&bytes) {
            prop_assert_eq!(record.fields().count(), record.values().count());
        }
    }

    #[test]
    fn a_number_is_read_as_it_was_written(value: u64) {
        let mut bytes = Vec::new();
        varint::write(&mut bytes, value);
        prop_assert_eq!(varint::read(&bytes), Some((value, bytes.len())));
        prop_assert_eq!(bytes.len(), varint::len(value));
    }
}
