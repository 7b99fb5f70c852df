//! Health as the one line of a Nagios plug-in: status word, text, `|`, performance data. Pure.
//!
//! Not here: which status it is ([`crate::health`], [`Exit::nagios`]).

use std::fmt::Write as _;

use super::prom::MetricValues;
use super::text::{TextGuard, guard, truncate};
use crate::failure::exit::Exit;

/// Columns after which a plug-in's text is cut; monitoring shows one line.
const LONGEST: usize = 400;

/// One line for all boards: the worst exit decides the word, `reason` says why (the first finding's message).
pub fn render(exit: Exit, boards: &[MetricValues], reason: Option<&str>) -> String {
    let word = match exit.nagios() {
        0 => "OK",
        1 => "WARNING",
        2 => "CRITICAL",
        _ => "UNKNOWN",
    };
    let mut message = boards
        .iter()
        .map(|figures| format!("{} {}", figures.board, figures.verdict))
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(reason) = reason {
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(reason);
    }
    // A pipe sign would begin the performance data.
    let message = guard(&message, TextGuard::Terminal).replace('|', "/");
    let mut line = format!("KANBAN {word} - {}", truncate(&message, LONGEST, true));
    push_performance(&mut line, boards);
    line.push('\n');
    line
}

/// `'board/metric'=value`, space separated; the board is left out when there is one only.
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
            let name = if boards.len() > 1 { format!("{}/{name}", figures.board) } else { name };
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
    use crate::ui::prom::Metric;

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
    fn what_could_not_be_checked_is_unknown() {
        assert_eq!(render(Exit::NoBoard, &[], Some("No board.")), "KANBAN UNKNOWN - No board.\n");
    }
}
