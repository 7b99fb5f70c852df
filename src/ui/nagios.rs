//! Health as the one line of a Nagios plug-in: status word, text, `|`, performance data. Pure.
//!
//! Not here: which status it is ([`crate::health`], [`Exit::nagios`]).

use std::fmt::Write as _;

use super::prom::{Metric, MetricValues};
use super::text::{TextGuard, guard, truncate};
use crate::failure::exit::Exit;

/// Columns after which a plug-in's text is cut; monitoring shows one line.
const LONGEST: usize = 400;

/// Return one line for all boards: the worst exit decides the word, `reason` says why (the first finding's message).
///
/// Of several boards the text counts the verdicts and names the worst boards first; the performance data are sums. So a
/// thousand boards fit the 4 kB that a monitor reads.
pub fn render(exit: Exit, boards: &[MetricValues], reason: Option<&str>) -> String {
    let word = match exit.nagios() {
        0 => "OK",
        1 => "WARNING",
        2 => "CRITICAL",
        _ => "UNKNOWN",
    };
    let mut message = if boards.len() > 1 { of_several(boards) } else { of_each(boards) };
    if let Some(reason) = reason {
        // A long list of boards leaves room for the reason.
        message = truncate(&message, LONGEST / 2, true).into_owned();
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(reason);
    }
    // A pipe sign would begin the performance data.
    let message = guard(&message, TextGuard::Terminal).replace('|', "/");
    let mut line = format!("KANBAN {word} - {}", truncate(&message, LONGEST, true));
    match boards {
        [_] => push_performance(&mut line, boards),
        [] => {}
        several => push_performance(&mut line, &[summed(several)]),
    }
    line.push('\n');
    line
}

/// Verdicts, the worst first.
const WORST_FIRST: [&str; 4] = ["damaged", "unchecked", "degraded", "healthy"];

fn of_each(boards: &[MetricValues]) -> String {
    boards
        .iter()
        .map(|figures| format!("{} {}", figures.board, figures.verdict))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How many boards have which verdict, and the boards that are not healthy, the worst first.
fn of_several(boards: &[MetricValues]) -> String {
    let of = |verdict: &str| boards.iter().filter(|figures| figures.verdict == verdict).count();
    let counts: Vec<String> =
        WORST_FIRST.iter().filter(|word| of(word) > 0).map(|word| format!("{} {word}", of(word))).collect();
    let place = |figures: &&MetricValues| WORST_FIRST.iter().position(|word| *word == figures.verdict);
    let mut named: Vec<&MetricValues> =
        boards.iter().filter(|figures| figures.verdict != "healthy").collect();
    named.sort_by_key(place);
    let list = named.iter().map(|figures| format!("{} {}", figures.board, figures.verdict));
    let list = list.collect::<Vec<_>>().join(", ");
    let list = if list.is_empty() { list } else { format!(" ({list})") };
    format!("{} boards: {}{list}", boards.len(), counts.join(", "))
}

/// The figures of all boards together.
fn summed(boards: &[MetricValues]) -> MetricValues {
    let mut sum = MetricValues::default();
    for figures in boards {
        for (total, count) in sum.findings.iter_mut().zip(figures.findings) {
            *total += count;
        }
    }
    let count = |verdict: &str| boards.iter().filter(|figures| figures.verdict == verdict).count();
    let metric =
        |name, value| Metric { name, help: "", label: None, value: i64::try_from(value).unwrap_or(i64::MAX) };
    sum.metrics.push(metric("boards", boards.len()));
    sum.metrics.extend(WORST_FIRST.map(|verdict| metric(verdict, count(verdict))));
    sum
}

/// `'metric'=value`, space separated.
fn push_performance(line: &mut String, boards: &[MetricValues]) {
    let mut begun = false;
    for figures in boards {
        let [_, warnings, errors] = figures.findings;
        let findings = [("warnings", warnings), ("errors", errors)];
        let findings =
            findings.map(|(name, count)| (name.to_owned(), i64::try_from(count).unwrap_or(i64::MAX)));
        let metrics = figures.metrics.iter().map(|metric| {
            let label = metric.label.as_ref().map(|(_, value)| format!("_{value}")).unwrap_or_default();
            (format!("{}{label}", metric.name), metric.value)
        });
        for (name, value) in findings.into_iter().chain(metrics) {
            line.push_str(if begun { " " } else { " | " });
            begun = true;
            // Writing to a String cannot fail.
            let _ = write!(line, "'{}'={value}", performance_label(&name));
        }
    }
}

/// A label may hold neither quote, equals sign nor pipe (Monitoring Plugins guidelines, "Performance data").
fn performance_label(name: &str) -> String {
    guard(name, TextGuard::Terminal).replace(['\'', '=', '|'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_that_text_cannot_break() {
        let metric = Metric { name: "wal_bytes", help: "", label: None, value: 12 };
        let figures = MetricValues {
            board: "main".into(),
            verdict: "damaged".into(),
            is_present: true,
            findings: [0, 1, 2],
            metrics: vec![metric],
        };
        let line = render(Exit::Damaged, &[figures], Some("page 7\n|'x'=1 is torn\u{1b}[2J"));
        let expected = "KANBAN CRITICAL - main damaged: page 7\\n/'x'=1 is torn\\x1b[2J \
                        | 'warnings'=1 'errors'=2 'wal_bytes'=12\n";
        assert_eq!(line, expected);
    }

    #[test]
    fn two_thousand_boards_fit_what_a_monitor_reads_with_the_worst_first() {
        let board = |at: usize| MetricValues {
            board: format!("board-{at}"),
            is_present: true,
            verdict: match at {
                7..300 => "degraded",
                1500 => "damaged",
                _ => "healthy",
            }
            .into(),
            findings: [1, 1, 0],
            metrics: vec![Metric {
                name: "rows",
                help: "",
                label: Some(("table", "tasks".into())),
                value: 12,
            }],
        };
        let boards: Vec<MetricValues> = (0..2000).map(board).collect();
        let line = render(Exit::Damaged, &boards, Some("page 7 is torn"));
        let start = "KANBAN CRITICAL - 2000 boards: 1 damaged, 293 degraded, 1706 healthy (board-1500 damaged, board-7 degraded";
        assert!(line.starts_with(start), "{line}");
        assert!(line.len() < 1024, "{}", line.len());
        assert!(
            line.ends_with("'boards'=2000 'damaged'=1 'unchecked'=0 'degraded'=293 'healthy'=1706\n"),
            "{line}"
        );
    }

    #[test]
    fn what_could_not_be_checked_is_unknown() {
        assert_eq!(render(Exit::NoBoard, &[], Some("No board.")), "KANBAN UNKNOWN - No board.\n");
    }
}
