mod rows;

use super::by_number::moved_payload;
use super::*;

/// `name: column=value, ...` rows as values; text in quotes.
fn values(columns: &[&str], row: &[OwnedValue]) -> Values {
    assert_eq!(columns.len(), row.len());
    row.to_vec()
}

fn text(text: &str) -> OwnedValue {
    OwnedValue::Text(text.as_bytes().to_vec())
}

fn number(number: i64) -> OwnedValue {
    OwnedValue::Integer(number)
}

fn columns(names: &[&str]) -> [Vec<String>; 2] {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    [names.clone(), names]
}

const EVENT: [&str; 6] = ["id", "task_id", "run_id", "kind", "payload", "created_at"];
const RUN: [&str; 5] = ["id", "task_id", "status", "started_at", "ended_at"];
const TASK: [&str; 5] = ["id", "title", "status", "created_at", "current_run_id"];
const SUB: [&str; 4] = ["task_id", "platform", "created_at", "last_event_id"];

fn event(task: &str, run: Option<i64>, kind: &str, time: i64) -> Values {
    let run_id = run.map_or(OwnedValue::Null, number);
    let payload =
        run.map_or(OwnedValue::Null, |run| text(&format!("{{\"lock\": \"h:1\", \"run_id\": {run}}}")));
    values(&EVENT, &[OwnedValue::Null, text(task), run_id, text(kind), payload, number(time)])
}

fn run(task: &str, status: &str, started: i64, ended: Option<i64>) -> Values {
    let ended = ended.map_or(OwnedValue::Null, number);
    values(&RUN, &[OwnedValue::Null, text(task), text(status), number(started), ended])
}

fn task(id: &str, status: &str, run: Option<i64>) -> Values {
    let run = run.map_or(OwnedValue::Null, number);
    values(&TASK, &[text(id), text("title"), text(status), number(1000), run])
}

fn sub(task: &str, cursor: i64) -> Values {
    values(&SUB, &[text(task), text("chat"), number(1000), number(cursor)])
}

/// A table of which both histories have the numbers up to `common`.
fn table(
    names: &[&str],
    key: RowKey,
    common: i64,
    main: &[(i64, Values)],
    second: &[(i64, Values)],
) -> BranchRow {
    let mut split = Split::default();
    for rowid in 1..=common {
        split.see(rowid, Alike::Same);
    }
    split.time = (common > 0).then_some(1000 + common);
    let last = |rows: &[(i64, Values)]| rows.iter().map(|(rowid, _)| *rowid).max().unwrap_or(0).max(common);
    BranchRow {
        key,
        old: std::collections::BTreeSet::new(),
        columns: columns(names),
        last: [last(main), last(second)],
        main: main.iter().cloned().collect(),
        second: second.iter().cloned().collect(),
        split,
    }
}

fn by(columns: &[&str]) -> RowKey {
    RowKey::Columns(columns.iter().map(|name| (*name).to_owned()).collect())
}

fn joined(tables: &[(&str, BranchRow)]) -> Joined {
    let tables = tables.iter().map(|(name, table)| ((*name).to_owned(), table.clone())).collect();
    join(&tables, true, &|_, _| false)
}

fn put<'j>(joined: &'j Joined, table: &str, from: i64) -> &'j Put {
    let mut found =
        joined.puts.iter().filter(|put| put.table == table && put.from == from && put.side == Branch::Second);
    let put = found.next().unwrap_or_else(|| panic!("{table} {from} is not put: {joined:?}"));
    assert!(found.next().is_none(), "{table} {from} is put twice");
    put
}

#[test]
fn the_second_history_moves_above_both_and_what_names_its_runs_moves_with_them() {
    let tables = [
        (
            "tasks",
            table(
                &TASK,
                by(&["id"]),
                1,
                &[(2, task("t_m", "running", Some(6)))],
                &[(2, task("t_s", "running", Some(6)))],
            ),
        ),
        (
            "task_runs",
            table(
                &RUN,
                RowKey::Number,
                5,
                &[(6, run("t_m", "running", 2000, None))],
                &[(6, run("t_s", "running", 2001, None))],
            ),
        ),
        (
            "task_events",
            table(
                &EVENT,
                RowKey::Number,
                10,
                &[(11, event("t_m", None, "created", 2000)), (12, event("t_m", Some(6), "claimed", 2000))],
                &[(11, event("t_s", None, "created", 2001)), (12, event("t_s", Some(6), "claimed", 2001))],
            ),
        ),
    ];
    let joined = joined(&tables);
    assert_eq!(put(&joined, "task_runs", 6).rowid, 7);
    assert_eq!(put(&joined, "task_events", 11).rowid, 13);
    let claimed = put(&joined, "task_events", 12);
    assert_eq!(claimed.rowid, 14);
    let values = claimed.values.as_ref().unwrap();
    assert_eq!((&values[2], &values[4]), (&number(7), &text("{\"lock\": \"h:1\", \"run_id\": 7}")));
    let task = put(&joined, "tasks", 2);
    assert_eq!((task.rowid, &task.values.as_ref().unwrap()[4]), (3, &number(7)));
    assert_eq!(joined.puts.len(), 4);
    assert!(joined.conflicts.is_empty());
}

#[test]
fn where_the_main_line_has_not_gone_on_numbers_stay() {
    let tables = [(
        "task_events",
        table(&EVENT, RowKey::Number, 10, &[], &[(11, event("t_s", None, "created", 2001))]),
    )];
    let joined = joined(&tables);
    assert_eq!(put(&joined, "task_events", 11).rowid, 11);
}

#[test]
fn a_number_that_the_main_line_gave_out_and_deleted_is_not_given_again() {
    let mut events = table(&EVENT, RowKey::Number, 10, &[], &[(11, event("t_s", None, "created", 2001))]);
    events.last = [15, 11];
    let joined = joined(&[("task_events", events)]);
    assert_eq!(put(&joined, "task_events", 11).rowid, 16);
}

#[test]
fn a_task_that_both_changed_is_the_later_ones_and_the_other_version_is_told() {
    let changed = |main: i64, second: i64| {
        let tables = [
            (
                "tasks",
                table(
                    &TASK,
                    by(&["id"]),
                    0,
                    &[(1, task("t_1", "done", None))],
                    &[(1, task("t_1", "blocked", None))],
                ),
            ),
            (
                "task_events",
                table(
                    &EVENT,
                    RowKey::Number,
                    10,
                    &[(11, event("t_1", None, "completed", main))],
                    &[(11, event("t_1", None, "blocked", second))],
                ),
            ),
        ];
        joined(&tables)
    };
    let later = changed(2000, 2001);
    assert_eq!(put(&later, "tasks", 1).rowid, 1);
    assert_eq!((later.conflicts[0].kept, &later.conflicts[0].other[2].1), (Branch::Second, &text("done")));
    let earlier = changed(2001, 2000);
    assert!(earlier.puts.iter().all(|put| put.table != "tasks"));
    assert_eq!(
        (earlier.conflicts[0].kept, &earlier.conflicts[0].other[2].1),
        (Branch::Main, &text("blocked"))
    );
}

#[test]
fn a_run_goes_with_its_task() {
    let tables = [
        (
            "tasks",
            table(
                &TASK,
                by(&["id"]),
                0,
                &[(1, task("t_1", "running", Some(3)))],
                &[(1, task("t_1", "done", None))],
            ),
        ),
        (
            "task_runs",
            table(
                &RUN,
                RowKey::Number,
                3,
                &[(3, run("t_1", "running", 900, None))],
                &[(3, run("t_1", "done", 900, Some(2000)))],
            ),
        ),
        (
            "task_events",
            table(&EVENT, RowKey::Number, 10, &[], &[(11, event("t_1", Some(3), "completed", 2000))]),
        ),
    ];
    let joined = joined(&tables);
    assert_eq!(put(&joined, "task_runs", 3).rowid, 3);
    assert_eq!(put(&joined, "tasks", 1).rowid, 1);
    // The run that both know keeps its number, and so does what names it.
    assert_eq!(put(&joined, "task_events", 11).values, None);
}

#[test]
fn what_the_main_line_deleted_stays_deleted_with_all_that_came_later() {
    let tables = |later: &[(i64, Values)]| {
        let mut second = vec![(5, event("t_gone", None, "created", 900))];
        second.extend(later.iter().cloned());
        [
            ("tasks", table(&TASK, by(&["id"]), 3, &[], &[(2, task("t_gone", "ready", None))])),
            ("task_events", table(&EVENT, RowKey::Number, 10, &[], &second)),
            (
                "kanban_notify_subs",
                table(&SUB, by(&["task_id", "platform"]), 0, &[], &[(1, sub("t_gone", 0))]),
            ),
        ]
    };
    let left = joined(&tables(&[]));
    assert!(left.puts.is_empty(), "{left:?}");
    assert!(joined(&tables(&[(11, event("t_gone", None, "commented", 2000))])).puts.is_empty());
}

#[test]
fn what_the_main_line_may_have_lost_comes_back_at_its_number() {
    let events = table(&EVENT, RowKey::Number, 10, &[], &[(5, event("t_1", None, "created", 900))]);
    let tables = BTreeMap::from([("task_events".to_owned(), events)]);
    let joined = join(&tables, true, &|table, rowid| table == "task_events" && rowid == 5);
    assert_eq!(put(&joined, "task_events", 5).rowid, 5);
}

#[test]
fn what_nobody_says_to_be_another_row_is_the_same_one_with_a_flaw() {
    let flawed = |main: &str| [(11, event("t_1", None, main, 900))];
    let events = table(&EVENT, RowKey::Number, 10, &flawed("created"), &flawed("createe"));
    let tables = BTreeMap::from([("task_events".to_owned(), events)]);
    assert!(join(&tables, false, &|_, _| false).puts.is_empty());
    let better = join(&tables, false, &|_, rowid| rowid == 11);
    assert_eq!(put(&better, "task_events", 11).rowid, 11);
}

#[test]
fn a_main_line_that_lost_its_last_rows_gets_them_back_and_keeps_its_tasks() {
    let mut events = table(&EVENT, RowKey::Number, 10, &[], &[(11, event("t_1", None, "assigned", 2000))]);
    events.last = [15, 11];
    let tasks =
        table(&TASK, by(&["id"]), 0, &[(1, task("t_1", "done", None))], &[(1, task("t_1", "ready", None))]);
    let tables = BTreeMap::from([("task_events".to_owned(), events), ("tasks".to_owned(), tasks)]);
    let joined = join(&tables, false, &|table, rowid| table == "task_events" && rowid > 10);
    assert_eq!(put(&joined, "task_events", 11).rowid, 11);
    assert_eq!(joined.puts.len(), 1);
}

#[test]
fn cursors_follow_the_events() {
    let events = table(
        &EVENT,
        RowKey::Number,
        10,
        &[(11, event("t_1", None, "completed", 2000))],
        &[(11, event("t_1", None, "blocked", 2000)), (12, event("t_2", None, "blocked", 2000))],
    );
    let subs = |main: &[(i64, Values)], second: &[(i64, Values)]| {
        let subs = table(&SUB, by(&["task_id", "platform"]), 0, main, second);
        let joined = joined(&[("task_events", events.clone()), ("kanban_notify_subs", subs)]);
        let put = joined.puts.iter().find(|put| put.table == "kanban_notify_subs");
        put.map(|put| (put.rowid, put.values.as_ref().unwrap()[3].clone()))
    };
    // Both have told everything: the second history's event is number 13 by now.
    assert_eq!(subs(&[(1, sub("t_1", 11))], &[(1, sub("t_1", 11))]), Some((1, number(13))));
    // The second history has told of its event, the main line not of its own: that must not be skipped.
    assert_eq!(subs(&[(1, sub("t_1", 10))], &[(1, sub("t_1", 11))]), None);
    assert_eq!(subs(&[(1, sub("t_1", 11))], &[(1, sub("t_1", 10))]), None);
    // A subscription of the second history's own, its clock at the split or later.
    let mut own = sub("t_2", 12);
    own[2] = number(3000);
    assert_eq!(subs(&[], &[(1, own)]), Some((1, number(14))));
}

#[test]
fn links_come_unless_they_were_cut() {
    const LINK: [&str; 2] = ["parent_id", "child_id"];
    let link = |parent: &str, child: &str| values(&LINK, &[text(parent), text(child)]);
    let key = || by(&["parent_id", "child_id"]);
    let links = table(
        &LINK,
        key(),
        0,
        &[(7, link("t_x", "t_y"))],
        &[(7, link("t_1", "t_2")), (8, link("t_1", "t_3"))],
    );
    let mut cut = event("t_3", None, "unlinked", 2000);
    cut[4] = text("{\"parent\": \"t_1\", \"child\": \"t_3\"}");
    let events = table(&EVENT, RowKey::Number, 10, &[(11, cut)], &[]);
    let joined = joined(&[("task_events", events), ("task_links", links)]);
    assert_eq!(put(&joined, "task_links", 7).rowid, 9);
    assert_eq!(joined.puts.len(), 1);
}

#[test]
fn payloads_keep_every_byte_but_the_number() {
    let moved = |payload: &str| {
        let bytes = moved_payload(payload.as_bytes(), |run| if run == 6 { 17 } else { run });
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    assert_eq!(
        moved("{\"a\":\"\\\"run_id\\\": 6\" , \"run_id\" :6 }").unwrap(),
        "{\"a\":\"\\\"run_id\\\": 6\" , \"run_id\" :17 }"
    );
    assert_eq!(
        moved("{\"x\": {\"run_id\": 6}, \"run_id\": 6}").unwrap(),
        "{\"x\": {\"run_id\": 6}, \"run_id\": 17}"
    );
    for payload in ["{\"run_id\": 5}", "{\"run_id\": \"6\"}", "{\"run_id\": null}", "[6]", "no JSON", ""] {
        assert_eq!(moved(payload), None, "{payload}");
    }
}
