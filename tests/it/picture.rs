//! The picture of a file: every page told by its use, in words, in 80 columns, in JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::damage;
use crate::support::pty::Terminal;
use crate::support::sandbox::Sandbox;

const PAGE: usize = damage::PAGE;

/// The use of every page, from the runs in JSON.
fn uses(map: &Value) -> BTreeMap<u64, String> {
    let mut uses = BTreeMap::new();
    for run in map["runs"].as_array().unwrap() {
        for page in run["first"].as_u64().unwrap()..=run["last"].as_u64().unwrap() {
            assert!(
                uses.insert(page, run["use"].as_str().unwrap().to_owned()).is_none(),
                "page {page} twice"
            );
        }
    }
    let pages = map["pages"].as_u64().unwrap();
    assert_eq!(uses.keys().copied().collect::<Vec<_>>(), (1..=pages).collect::<Vec<_>>());
    for (usage, count) in map["counts"].as_object().unwrap() {
        let counted = uses.values().filter(|known| *known == usage).count();
        assert_eq!(counted as u64, count.as_u64().unwrap(), "{usage}");
    }
    uses
}

fn map(sandbox: &Sandbox) -> BTreeMap<u64, String> {
    let health = sandbox.run(&["health", "--map", "--json"]).data()["map"].clone();
    let rehearsal = sandbox.run(&["recover", "--dry-run", "--json"]).data()["map"].clone();
    assert_eq!(health, rehearsal);
    uses(&health)
}

fn board() -> (Sandbox, Vec<u8>) {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 120, 1);
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    // Without the other events the list of free pages is not empty.
    connection.execute_batch("PRAGMA journal_mode=DELETE; DELETE FROM task_events WHERE id % 5 > 0").unwrap();
    connection.close().unwrap();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    (sandbox, bytes)
}

#[test]
fn a_healthy_board_is_tables_indexes_chains_and_free_pages() {
    let (sandbox, bytes) = board();
    let uses = map(&sandbox);
    assert_eq!(uses.len(), bytes.len() / PAGE);
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    let free: u32 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0)).unwrap();
    assert!(free > 0);
    assert_eq!(uses.values().filter(|usage| *usage == "free").count(), free as usize);
    for (page, usage) in &uses {
        // What a page says of itself: 2 and 10 are an index, 5 and 13 a table; a chain's pages say nothing.
        let at = usize::try_from(*page - 1).unwrap() * PAGE + if *page == 1 { 100 } else { 0 };
        match (usage.as_str(), bytes[at]) {
            ("table", kind) => assert!(matches!(kind, 5 | 13), "page {page}"),
            ("index", kind) => assert!(matches!(kind, 2 | 10), "page {page}"),
            ("overflow" | "free", _) => {}
            other => panic!("page {page}: {other:?}"),
        }
    }
    assert!(uses.values().any(|usage| usage == "overflow"));
}

#[test]
fn what_is_gone_is_seen_where_it_was() {
    let (sandbox, healthy) = board();
    let before = map(&sandbox);
    for usage in ["table", "index", "overflow"] {
        let (page, _) = before.iter().rfind(|(page, known)| **page > 1 && *known == usage).unwrap();
        let mut bytes = healthy.clone();
        let at = usize::try_from(*page - 1).unwrap() * PAGE;
        bytes[at..at + PAGE].fill(0);
        std::fs::write(sandbox.board(), &bytes).unwrap();
        let after = map(&sandbox);
        assert_eq!(after[page], "damaged", "a zeroed page of a {usage}: {page}");
        for (other, known) in before.iter().filter(|(other, _)| *other != page) {
            // A leaf takes the chains of its rows along: nothing leads to them any more.
            let same =
                after[other] == *known || (usage == "table" && known == "overflow" && after[other] == "lost");
            assert!(same, "page {other} was {known} and is {} after page {page}", after[other]);
        }
    }
    std::fs::write(sandbox.board(), &healthy[..healthy.len() / 2 + 100]).unwrap();
    let after = map(&sandbox);
    assert_eq!(after.len(), before.len());
    assert_eq!(after.values().next_back().unwrap(), "lost");
}

#[test]
fn leaves_that_nothing_leads_to_are_stray() {
    let (sandbox, mut bytes) = board();
    for page in bytes.chunks_exact_mut(PAGE).skip(1).filter(|page| matches!(page[0], 2 | 5)) {
        page.fill(0);
    }
    std::fs::write(sandbox.board(), &bytes).unwrap();
    let uses = map(&sandbox);
    let stray = uses.iter().filter(|(_, usage)| *usage == "stray").map(|(page, _)| *page).collect::<Vec<_>>();
    assert!(stray.len() > 5, "{uses:?}");
    for page in stray {
        assert!(matches!(bytes[usize::try_from(page - 1).unwrap() * PAGE], 10 | 13), "page {page}");
    }
}

#[test]
fn frames_that_wait_in_the_log_are_part_of_the_picture() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 1);
    damage::injure(damage::Shape::WalPending, 1, &good, &sandbox.board());
    let pages = std::fs::metadata(&good).unwrap().len() / PAGE as u64;
    let uses = map(&sandbox);
    assert!(uses.len() as u64 >= pages * 9 / 10, "{} of {pages}", uses.len());
    assert!(uses.values().all(|usage| matches!(usage.as_str(), "table" | "index" | "overflow" | "free")));
}

#[test]
fn the_picture_fits_a_page_and_has_words() {
    let (sandbox, _) = board();
    for args in [&["health", "--map"][..], &["recover", "--dry-run"]] {
        for columns in [40, 80, 200] {
            let shown =
                Terminal::start(&sandbox, &[args, &["--color", "never"]].concat(), columns).finish().0;
            let drawn: Vec<&str> = shown.lines().filter(|line| line.contains(['█', '▒'])).collect();
            assert!(drawn.len() > 1, "{shown}");
            for line in drawn {
                assert!(line.trim_end().chars().count() <= usize::from(columns).min(80), "{columns}: {line}");
            }
            assert!(shown.contains(" table ") && shown.contains(" overflow "), "{shown}");
        }
        let ascii = [args, &["--format", "table", "--ascii", "--color", "never"]].concat();
        assert!(sandbox.run(&ascii).stdout.is_ascii());
        let colour = [args, &["--format", "table", "--color", "always"]].concat();
        assert!(sandbox.run(&colour).stdout.contains("\u{1b}[32m█"));
        let plain = sandbox.run(&[args, &["--format", "plain"]].concat());
        assert!(
            plain
                .stdout
                .lines()
                .any(|line| line == "map\ttable\t1\t1" || line.starts_with("map\ttable\t1\t")),
            "{plain}"
        );
    }
    sandbox.run(&["health", "--map", "--format", "nagios"]).exits(2);
    sandbox.run(&["health", "--map", "--format", "prom"]).exits(2);
}

#[test]
fn a_file_of_noise_has_a_picture_too() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.board(), b"no board at all ".repeat(2_000)).unwrap();
    let health = sandbox.run(&["health", "--map", "--json"]).exits(4).data();
    assert!(uses(&health["map"]).values().all(|usage| matches!(usage.as_str(), "lost" | "damaged")));
}
