//! The one sentence with which every recovery ends.

use super::Report;
use crate::failure::count::counted;

/// The tables that the sentence names, and their rows' names.
const SPOKEN: [(&str, &str, &str); 2] = [("tasks", "task", "tasks"), ("task_events", "event", "events")];

/// Say what comes back and what does not; `is_up_to_date` tells that the board already is the result.
pub fn verdict(report: &Report, is_up_to_date: bool) -> String {
    let beyond: u64 =
        report.sources.iter().filter(|source| source.is_later).map(|source| source.beyond).sum();
    if is_up_to_date {
        if beyond > 0 {
            let rows =
                counted(beyond, "row that it does not have stands", "rows that it does not have stand");
            return format!("This board is sound; {rows} in a later copy, which comes in when it is named.");
        }
        return "This board is sound; nothing to do.".to_owned();
    }
    let count = |name: &str| report.tables.get(name).map_or(0, |table| table.recovered);
    if !report.is_partial() {
        let parts: Vec<String> =
            SPOKEN.iter().map(|(name, one, many)| counted(count(name), one, many)).collect();
        return format!("{}: everything comes back.", parts.join(", "));
    }
    let mut flaws = Vec::new();
    let tasks = report.tables.get("tasks");
    let (recovered, lost) = (count("tasks"), tasks.map_or(0, |table| table.lost));
    let estimate = |is: bool| if is { "about " } else { "" };
    let begin = if lost > 0 {
        let about = estimate(tasks.is_some_and(|table| table.lost_is_estimate));
        let are = if lost == 1 { "is" } else { "are" };
        flaws.push(format!("{about}{lost} {are} lost"));
        let come = if recovered == 1 { "comes" } else { "come" };
        format!("{recovered} of {about}{} {come} back", counted(recovered + lost, "task", "tasks"))
    } else {
        let come = if recovered == 1 { "comes" } else { "come" };
        format!("{} {come} back", counted(recovered, "task", "tasks"))
    };
    let others = report.tables.iter().filter(|(name, _)| name.as_str() != "tasks");
    let (mut rows, mut about) = (0, false);
    for (_, table) in others {
        rows += table.lost;
        about |= table.lost_is_estimate && table.lost > 0;
    }
    if rows > 0 {
        let name = if rows == 1 { "row of other tables is lost" } else { "rows of other tables are lost" };
        flaws.push(format!("{}{rows} {name}", estimate(about)));
    }
    let sum = |of: fn(&super::TableReport) -> u64| report.tables.values().map(of).sum::<u64>();
    let stale = sum(|table| table.stale);
    if stale > 0 {
        flaws.push(counted(stale, "row may be out of date", "rows may be out of date"));
    }
    let conflicting = sum(|table| table.conflicting);
    if conflicting > 0 {
        flaws.push(counted(conflicting, "row has the key of another", "rows have the key of another"));
    }
    if beyond > 0 {
        flaws.push(counted(beyond, "row stands only in a later copy", "rows stand only in a later copy"));
    }
    if report.uncounted_pages() > 0 || report.lost_frames() > 0 {
        flaws.push("what else is lost could not be counted".to_owned());
    }
    if !report.unread_tables.is_empty() {
        flaws.push(format!(
            "{} could not be read",
            counted(report.unread_tables.len() as u64, "table", "tables")
        ));
    }
    if flaws.is_empty() {
        return format!("{begin}.");
    }
    format!("{begin}; {}.", flaws.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recover::report::TableReport;

    fn report(tasks: (u64, u64), events: (u64, u64), stale: u64) -> Report {
        let table =
            |(recovered, lost), stale| TableReport { recovered, lost, stale, ..TableReport::default() };
        let tables =
            [("tasks".to_owned(), table(tasks, stale)), ("task_events".to_owned(), table(events, 0))];
        Report { tables: tables.into(), ..Report::default() }
    }

    #[test]
    fn the_sentence_counts_tasks_first() {
        for (report, sentence) in [
            (report((409, 0), (509, 0), 0), "409 tasks, 509 events: everything comes back."),
            (report((345, 55), (509, 0), 0), "345 of 400 tasks come back; 55 are lost."),
            (report((1, 1), (3, 1), 0), "1 of 2 tasks comes back; 1 is lost; 1 row of other tables is lost."),
            (report((4, 0), (3, 0), 2), "4 tasks come back; 2 rows may be out of date."),
        ] {
            assert_eq!(verdict(&report, false), sentence);
        }
        assert_eq!(verdict(&report((1, 0), (1, 0), 0), true), "This board is sound; nothing to do.");
    }
}
