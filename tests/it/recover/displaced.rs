//! Files whose every byte is there, though not where it belongs: all of it comes back, and the report says how it was read.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::support::damage;
use crate::support::sandbox::Sandbox;

const SEEDS: [u64; 3] = [3, 7, 11];

/// A sound board of 150 tasks in `sandbox`: its path and bytes.
fn sound(sandbox: &Sandbox, seed: u64) -> (PathBuf, Vec<u8>) {
    let good = sandbox.work().join("good.db");
    damage::board(&good, 150, seed);
    let bytes = std::fs::read(&good).unwrap();
    (good, bytes)
}

/// Recovers `bytes` as the board, and holds the result equal to the board at `truth`.
#[track_caller]
fn all_comes_back(name: &str, sandbox: &Sandbox, bytes: &[u8], truth: &std::path::Path, said: &str) {
    std::fs::write(sandbox.board(), bytes).unwrap();
    let before = sandbox.photograph();
    let new = sandbox.work().join(format!("{name}.db"));
    let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
    assert_eq!(output.code(), 0, "{name}\n{output}");
    assert_eq!(sandbox.photograph(), before, "{name}: the source was touched");
    let score = damage::score(truth, &new);
    assert_eq!((score.right, score.wrong), (score.truth, 0), "{name}: {score:?}");
    let read_as = output.data()["sources"][0]["read_as"].to_string();
    assert!(read_as.contains(said), "{name}: {read_as}");
}

#[test]
fn text_transfer_is_undone() {
    for seed in SEEDS {
        let sandbox = Sandbox::new();
        let (good, bytes) = sound(&sandbox, seed);
        let line_ends: Vec<u8> = bytes
            .iter()
            .flat_map(|&byte| if byte == b'\n' { vec![b'\r', byte] } else { vec![byte] })
            .collect();
        all_comes_back("crlf", &sandbox, &line_ends, &good, "CR LF");
        let latin: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        all_comes_back("latin", &sandbox, latin.as_bytes(), &good, "Latin-1");
        let windows = latin.replace('\u{80}', "€").replace('\u{99}', "™");
        all_comes_back("windows", &sandbox, windows.as_bytes(), &good, "Latin-1");
    }
}

#[test]
fn file_with_bytes_before_it_is_read_whole() {
    for seed in SEEDS {
        let sandbox = Sandbox::new();
        let (good, bytes) = sound(&sandbox, seed);
        for prefix in [&b"\xef\xbb\xbf"[..], &[b'x'; 1337], &[0; 8192], &[0; 1]] {
            let name = format!("prefix-{}", prefix.len());
            all_comes_back(&name, &sandbox, &[prefix, &bytes].concat(), &good, "found by what they are");
        }
        all_comes_back(
            "lost",
            &sandbox,
            &[&bytes[..15], &bytes[16..]].concat(),
            &good,
            "found by what they are",
        );
    }
}

#[test]
fn parts_in_another_order_are_read_whole() {
    for seed in SEEDS {
        let sandbox = Sandbox::new();
        let (good, bytes) = sound(&sandbox, seed);
        let at = |part: usize| bytes.len() * part / 8 / damage::PAGE * damage::PAGE;
        let part = |from: usize, to: usize| &bytes[at(from)..at(to)];
        let orders = [
            ("halves", [part(4, 8), part(0, 4)].concat()),
            ("quarters", [part(0, 2), part(4, 6), part(2, 4), part(6, 8)].concat()),
            ("doubled", [part(0, 3), part(2, 8)].concat()),
        ];
        for (name, bytes) in orders {
            all_comes_back(name, &sandbox, &bytes, &good, "found by what they are");
        }
    }
}

/// The newer of two boards in one file is the board, wherever it stands; the other one is a source of its own.
#[test]
fn board_behind_another_is_a_source() {
    for seed in SEEDS {
        let sandbox = Sandbox::new();
        let (good, older) = sound(&sandbox, seed);
        let newer = sandbox.work().join("newer.db");
        std::fs::copy(&good, &newer).unwrap();
        let connection = Connection::open(&newer).unwrap();
        connection
            .execute_batch(
                "INSERT INTO tasks(id, title, status, created_at) VALUES ('t_0000ffff', 'later', 'todo', 1790000000); \
                 INSERT INTO task_events(task_id, kind, created_at) VALUES ('t_0000ffff', 'created', 1790000000)",
            )
            .unwrap();
        connection.close().unwrap();
        let bytes = std::fs::read(&newer).unwrap();
        all_comes_back("newer-last", &sandbox, &[&older[..], &bytes].concat(), &newer, "behind another one");
        all_comes_back("newer-first", &sandbox, &[&bytes[..], &older].concat(), &newer, "goes on behind");
    }
}

/// What is sound is not searched.
#[test]
fn sound_file_is_read_as_it_lies_there() {
    for seed in SEEDS {
        let sandbox = Sandbox::new();
        let (_, bytes) = sound(&sandbox, seed);
        std::fs::write(sandbox.board(), bytes).unwrap();
        let output = sandbox.run(&["recover", "--dry-run", "--json"]).success();
        assert!(output.data()["sources"][0]["read_as"].is_null(), "{output}");
    }
}
