//! A whole record fills its payload, whatever the bytes say.
#![no_main]
use kanbanctl::ondisk::record::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = Record::read(bytes) {
        assert_eq!(record.values().count(), record.columns());
    }
    if let Ok(record) = Record::prefix(bytes) {
        assert!(record.values().count() <= record.columns());
    }
});
