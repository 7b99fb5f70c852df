//! Which rows of the two histories are one, and what comes of those that are not.

use super::*;

#[test]
fn rows_of_a_number_are_compared_by_what_does_not_change() {
    let main = run("t_1", "running", 900, None);
    assert_eq!(compare("task_runs", &columns(&RUN), &main, &run("t_1", "done", 900, Some(1))), Alike::Same);
    assert_eq!(compare("task_runs", &columns(&RUN), &main, &run("t_2", "done", 901, None)), Alike::Not);
    let one = event("t_1", None, "created", 900);
    assert_eq!(
        compare("task_events", &columns(&EVENT), &one, &event("t_1", None, "created", 900)),
        Alike::Same
    );
    assert_eq!(
        compare("task_events", &columns(&EVENT), &one, &event("t_1", None, "createe", 900)),
        Alike::Nearly
    );
    assert_eq!(
        compare("task_events", &columns(&EVENT), &one, &event("t_1", None, "blocked", 900)),
        Alike::Not
    );
    assert_eq!(
        compare("task_events", &columns(&EVENT), &one, &event("t_1", None, "\0\0\0\0\0\0\0", 900)),
        Alike::Nearly
    );
    assert_eq!(
        compare("task_events", &columns(&EVENT), &one, &event("t_2", None, "blocked", 900)),
        Alike::Not
    );
}

#[test]
fn rows_of_tables_that_we_do_not_know_come_in_where_their_key_is_free() {
    const NOTE: [&str; 2] = ["name", "text"];
    let note = |name: &str, words: &str| values(&NOTE, &[text(name), text(words)]);
    let notes = |key: RowKey| {
        let main = [(4, note("one", "main")), (5, note("mine", "main"))];
        let second = [(4, note("one", "second")), (5, note("theirs", "second")), (6, note("also", "second"))];
        joined(&[("notes", table(&NOTE, key, 3, &main, &second))])
    };
    let by_name = notes(by(&["name"]));
    assert_eq!((put(&by_name, "notes", 5).rowid, put(&by_name, "notes", 6).rowid), (7, 8));
    assert_eq!((by_name.puts.len(), by_name.conflicts[0].rowid), (2, 4));
    // Numbers that somebody has chosen are not changed: two rows of one are told.
    let chosen = notes(RowKey::Chosen);
    assert_eq!((put(&chosen, "notes", 6).rowid, chosen.puts.len(), chosen.conflicts.len()), (6, 1, 2));
    // Numbers that nobody chose are.
    let counted = notes(RowKey::Number);
    assert_eq!([4, 5, 6].map(|from| put(&counted, "notes", from).rowid), [7, 8, 9]);
}

#[test]
fn equal_cursors_of_both_histories_have_passed_the_events_of_both() {
    let events = table(
        &EVENT,
        RowKey::Number,
        5,
        &[(6, event("t_1", None, "completed", 2000))],
        &[(6, event("t_1", None, "blocked", 2000))],
    );
    let subs = table(&SUB, by(&["task_id", "platform"]), 1, &[(1, sub("t_1", 6))], &[(1, sub("t_1", 6))]);
    let joined = joined(&[("task_events", events), ("kanban_notify_subs", subs)]);
    let cursor = joined.puts.iter().find(|put| put.table == "kanban_notify_subs").unwrap();
    assert_eq!(cursor.values.as_ref().unwrap()[3], number(7));
}

#[test]
fn what_an_earlier_recovery_brought_in_does_not_come_again() {
    let claimed = |run| event("t_2", Some(run), "claimed", 2001);
    let main_events = [
        (6, event("t_1", None, "edited", 2000)),
        (7, claimed(4)),
        (8, event("t_2", None, "completed", 2002)),
        (9, event("t_2", None, "archived", 3000)),
    ];
    let second_events = [(6, claimed(3)), (7, event("t_2", None, "completed", 2002))];
    let runs = |rowid, status| [(rowid, run("t_2", status, 2001, None))];
    let main_runs = [(3, run("t_1", "running", 2000, None)), (4, run("t_2", "running", 2001, None))];
    let tables = |second: &[(i64, Values)]| {
        joined(&[
            (EVENTS, table(&EVENT, RowKey::Number, 5, &main_events, second)),
            (RUNS, table(&RUN, RowKey::Number, 2, &main_runs, &runs(3, "running"))),
        ])
    };
    let again = tables(&second_events);
    assert!(again.puts.is_empty() && again.conflicts.is_empty(), "{again:?}");
    // It has gone on since: nothing of it is taken for what is there.
    let mut more = second_events.to_vec();
    more.push((8, event("t_2", None, "edited", 4000)));
    assert_eq!(put(&tables(&more), EVENTS, 8).values, None);
}
