//! Damage that leaves little trace: what is lost is counted, what is there comes.

use super::injured;
use crate::support::damage::{self, Shape};
use crate::support::sandbox::Sandbox;

/// The page that the first cell of the interior page `root` points to.
fn first_child(bytes: &[u8], root: usize) -> usize {
    let at = (root - 1) * 4096;
    assert_eq!(bytes[at], 5, "the root is no interior page of a table");
    child(bytes, at + usize::from(u16::from_be_bytes([bytes[at + 12], bytes[at + 13]])))
}

/// The page that the interior cell at `cell` points to.
fn child(bytes: &[u8], cell: usize) -> usize {
    u32::from_be_bytes(bytes[cell..cell + 4].try_into().unwrap()) as usize
}

#[test]
fn a_leaf_that_claims_to_be_empty_has_lost_its_rows() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 150, 3);
    let board = rusqlite::Connection::open(sandbox.board()).unwrap();
    let one = |sql: &str| board.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let root = one("SELECT rootpage FROM sqlite_master WHERE name='task_events'");
    let blank = one("SELECT rootpage FROM sqlite_master WHERE name='task_attachments'");
    let truth = one("SELECT count(*) FROM task_events");
    board.close().unwrap();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    let leaf = (first_child(&bytes, usize::try_from(root).unwrap()) - 1) * 4096;
    let empty = (usize::try_from(blank).unwrap() - 1) * 4096;
    // Its head is zeroed with the cells still there; another page, which is empty, was written over it.
    for fill in [vec![bytes[leaf], 0, 0, 0, 0, 0, 0, 0], bytes[empty..empty + 4096].to_vec()] {
        let mut hurt = bytes.clone();
        hurt[leaf..leaf + fill.len()].copy_from_slice(&fill);
        std::fs::write(sandbox.board(), hurt).unwrap();
        let output = sandbox.run(&["recover", "--dry-run", "--json"]);
        let events = &output.data()["tables"]["task_events"];
        let (back, lost) = (events["recovered"].as_i64().unwrap(), events["lost"].as_i64().unwrap());
        assert_eq!(back + lost, truth, "{output}");
        assert_eq!(output.code(), if lost > 0 { 5 } else { 0 }, "{output}");
    }
}

/// A table of one leaf has no parent that says that it has rows, but it has indexes that do.
#[test]
fn a_table_of_one_leaf_that_claims_to_be_empty_has_lost_its_rows() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 12, 3);
    let board = rusqlite::Connection::open(sandbox.board()).unwrap();
    let one = |sql: &str| board.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let root = one("SELECT rootpage FROM sqlite_master WHERE name='task_links'");
    let truth = one("SELECT count(*) FROM task_links");
    assert!(truth > 0);
    board.close().unwrap();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    let leaf = (usize::try_from(root).unwrap() - 1) * 4096;
    assert_eq!(bytes[leaf], 13);
    let empty = [13, 0, 0, 0, 0, 16, 0, 0];
    for (fill, comes) in [
        (vec![13, 0, 0, 0, 0, 0, 0, 0], true),
        (empty.to_vec(), true),
        ([&empty[..], &[0; 4088]].concat(), false),
    ] {
        let mut hurt = bytes.clone();
        hurt[leaf..leaf + fill.len()].copy_from_slice(&fill);
        std::fs::write(sandbox.board(), hurt).unwrap();
        let output = sandbox.run(&["recover", "--dry-run", "--json"]).exits(if comes { 0 } else { 5 });
        let links = &output.data()["tables"]["task_links"];
        let expected = if comes { [truth, 0] } else { [0, truth] };
        assert_eq!([links["recovered"].as_i64().unwrap(), links["lost"].as_i64().unwrap()], expected);
    }
}

/// Of a board that is cut behind its first pages nothing says how much was lost; but that something was is known.
#[test]
fn a_board_that_is_cut_is_never_said_to_be_all_there() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 150, 3);
    let bytes = std::fs::read(sandbox.board()).unwrap();
    for pages in [1, 2, 4, 7, 12, 20, 40, 80, 120, bytes.len() / 4096 - 1] {
        std::fs::write(sandbox.board(), &bytes[..pages * 4096 + 100]).unwrap();
        let output = sandbox.run(&["recover", "--dry-run", "--json"]);
        assert!([4, 5].contains(&output.code()), "{pages} pages\n{output}");
    }
    std::fs::write(sandbox.board(), &bytes).unwrap();
    sandbox.run(&["recover", "--dry-run"]).success();
}

/// The cells of a page: where each begins, and where its record does.
fn cells(bytes: &[u8], page: usize) -> Vec<(usize, usize)> {
    let at = (page - 1) * 4096;
    let count = usize::from(u16::from_be_bytes([bytes[at + 3], bytes[at + 4]]));
    let pointers = at + if bytes[at] == 5 { 12 } else { 8 };
    let pointer = |cell: usize| [bytes[pointers + 2 * cell], bytes[pointers + 2 * cell + 1]];
    let starts = (0..count).map(|cell| at + usize::from(u16::from_be_bytes(pointer(cell))));
    let behind_number =
        |place: usize| place + 1 + bytes[place..].iter().position(|byte| byte & 0x80 == 0).unwrap();
    starts.map(|start| (start, behind_number(behind_number(start)))).collect()
}

/// Tasks are long: many a leaf has two of them.
#[test]
fn a_row_that_cannot_be_read_does_not_take_its_only_neighbour_along() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 60, 5);
    let board = rusqlite::Connection::open(sandbox.board()).unwrap();
    let one = |sql: &str| board.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let (root, truth) =
        (one("SELECT rootpage FROM sqlite_master WHERE name='tasks'"), one("SELECT count(*) FROM tasks"));
    board.close().unwrap();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    let root = (usize::try_from(root).unwrap() - 1) * 4096;
    let children = cells(&bytes, root / 4096 + 1);
    let leaves = children.iter().map(|(start, _)| child(&bytes, *start));
    let pairs: Vec<_> = leaves.map(|leaf| cells(&bytes, leaf)).filter(|cells| cells.len() == 2).collect();
    assert!(pairs.len() > 1, "few leaves have two tasks");
    for (_, record) in pairs.into_iter().flatten() {
        let mut hurt = bytes.clone();
        // Its header states 17 bytes more than there are.
        hurt[record + 26] = 0x2e;
        std::fs::write(sandbox.board(), hurt).unwrap();
        let tasks = sandbox.run(&["recover", "--dry-run", "--json"]).data()["tables"]["tasks"].clone();
        assert!(tasks["recovered"].as_i64().unwrap() >= truth - 1, "{tasks}");
    }
}

/// A payload ends where its length says: what the last page of its chain names is not read.
#[test]
fn a_row_whose_chain_names_one_page_more_is_whole() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 60, 5);
    let board = rusqlite::Connection::open(sandbox.board()).unwrap();
    let truth = board.query_row("SELECT count(*) FROM tasks", [], |row| row.get::<_, i64>(0)).unwrap();
    board.close().unwrap();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    let ends = (1..bytes.len() / 4096).map(|page| page * 4096).filter(|&at| {
        bytes[at..at + 4] == [0; 4]
            && bytes[at + 4..at + 100].iter().filter(|byte| **byte > b' ').count() > 50
    });
    let ends: Vec<_> = ends.take(3).collect();
    assert_eq!(ends.len(), 3, "no long rows");
    for at in ends {
        for named in [0xffff_ff00_u32, 0x0004_0000] {
            let mut hurt = bytes.clone();
            hurt[at..at + 4].copy_from_slice(&named.to_be_bytes());
            std::fs::write(sandbox.board(), hurt).unwrap();
            let output = sandbox.run(&["recover", "--output", "new.db", "--json"]).success();
            assert_eq!(output.data()["tables"]["tasks"]["recovered"], truth, "{output}");
            std::fs::remove_file(sandbox.work().join("new.db")).unwrap();
        }
    }
}

/// A header states its counter of changes twice. One of them alone, which a flipped bit makes large, is no word on the age
/// of a log.
#[test]
fn a_flipped_bit_in_the_counter_of_changes_does_not_hide_the_log() {
    let (sandbox, good) = injured(Shape::WalPending, 3);
    let count = |path: &std::path::Path| {
        let board = path.to_str().unwrap();
        let data = sandbox.run(&["recover", "--db", board, "--dry-run", "--json"]).success().data();
        data["tables"]["task_events"]["recovered"].as_i64().unwrap()
    };
    let truth = count(&good);
    assert_eq!(count(&sandbox.board()), truth);
    let mut bytes = std::fs::read(sandbox.board()).unwrap();
    bytes[25] ^= 0x40;
    std::fs::write(sandbox.board(), bytes).unwrap();
    assert_eq!(count(&sandbox.board()), truth);
}

/// What a frame of the log changed is lost with it, though the page is there as it was before.
#[test]
fn a_log_with_an_unreadable_frame_is_not_said_to_be_all_there() {
    let (sandbox, _) = injured(Shape::WalPending, 3);
    let wal = damage::beside(&sandbox.board(), "-wal");
    let bytes = std::fs::read(&wal).unwrap();
    let frames = (bytes.len() - 32) / 4120;
    let page = |frame: usize| &bytes[32 + frame * 4120..][..4];
    let is_commit = |frame: usize| bytes[32 + frame * 4120 + 4..][..4] != [0; 4];
    // A leaf for which no later frame stands, in front of a commit that counts.
    let last = (0..frames).rev().find(|&at| {
        let alone = (at + 1..frames).all(|later| page(later) != page(at));
        alone
            && bytes[32 + at * 4120 + 24] == 13
            && (at + 2..frames).filter(|&later| is_commit(later)).count() > 1
    });
    let last = last.unwrap();
    let mut hurt = bytes.clone();
    hurt[32 + last * 4120 + 24..][..4096].fill(0xa7);
    std::fs::write(&wal, hurt).unwrap();
    let output = sandbox.run(&["recover", "--dry-run"]).exits(5);
    assert!(output.stderr.contains("frame of the log is not what the checksum says"), "{output}");
    std::fs::write(&wal, bytes).unwrap();
    sandbox.run(&["recover", "--dry-run"]).success();
}

/// The root of a table keeps rows of the time when it was a leaf. Two boards that differ only in what a lost leaf said leave
/// the same bytes, so that nothing tells whether those rows are as they were last: they stand aside and come when asked for.
#[test]
fn a_row_that_may_have_changed_since_does_not_pass_for_what_was_lost() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 150, 3);
    let board = rusqlite::Connection::open(sandbox.board()).unwrap();
    let one = |sql: &str| board.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let root = usize::try_from(one("SELECT rootpage FROM sqlite_master WHERE name='tasks'")).unwrap();
    let before = std::fs::read(sandbox.board()).unwrap();
    let leaf = (first_child(&before, root) - 1) * 4096;
    let cell = (root - 1) * 4096 + 12;
    let cell = (root - 1) * 4096 + usize::from(u16::from_be_bytes([before[cell], before[cell + 1]]));
    let last = i64::from(before[cell + 4]);
    assert!(last < 128, "a number of one byte");
    let titles = |path: &std::path::Path| -> Vec<String> {
        let connection = rusqlite::Connection::open(path).unwrap();
        let mut rows = connection.prepare("SELECT title FROM tasks WHERE rowid <= ?").unwrap();
        rows.query_map([last], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let old = titles(&sandbox.board());
    board.execute("UPDATE tasks SET title = replace(title, ' ', '_') WHERE rowid <= ?", [last]).unwrap();
    board.close().unwrap();
    let hurt = |mut bytes: Vec<u8>| {
        bytes[leaf..leaf + 4096].fill(0);
        bytes
    };
    let hurts = [hurt(before), hurt(std::fs::read(sandbox.board()).unwrap())];
    assert!(old != titles(&sandbox.board()) && hurts[0][100..] == hurts[1][100..], "only the leaf differs");
    std::fs::write(sandbox.board(), &hurts[1]).unwrap();
    let recover = |name: &str, more: &[&str]| {
        let new = sandbox.work().join(name);
        let output = sandbox.run(&[&["recover", "--json", "--output", new.to_str().unwrap()], more].concat());
        assert_eq!(output.code(), 5, "{output}");
        (titles(&new), output.data()["tables"]["tasks"]["older_only"].as_u64())
    };
    let (without, aside) = recover("new.db", &[]);
    assert!(without.is_empty(), "{without:?}");
    let (with, _) = recover("asked.db", &["--include-older"]);
    assert!(!with.is_empty() && with.iter().all(|title| old.contains(title)), "{with:?}");
    assert_eq!(aside, Some(with.len() as u64));
}
