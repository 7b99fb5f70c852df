//! Health as Prometheus text exposition: escaping and the order of lines. Pure.
//!
//! Not here: which metrics there are ([`crate::health`]).

use std::fmt::Write as _;

use super::text::{TextGuard, guard, is_hazard, push_escaped};

/// One board's figures.
#[derive(Clone, Debug, Default)]
pub struct MetricValues {
    /// The board, as its label says it: slug or path.
    pub board: String,
    /// `healthy`, `degraded`, `damaged` or `unchecked`.
    pub verdict: String,
    /// False where no board is any more.
    pub is_present: bool,
    /// Findings by severity: info, warning, error.
    pub findings: [u64; 3],
    /// Everything measured.
    pub metrics: Vec<Metric>,
}

/// One measured value.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Name without prefix, with its unit: `wal_bytes`, `tasks`.
    pub name: &'static str,
    /// What it is, for `# HELP`.
    pub help: &'static str,
    /// One label besides the board, where the metric comes in several: `("status", "done")`.
    pub label: Option<(&'static str, String)>,
    /// The value.
    pub value: i64,
}

const VERDICTS: [&str; 4] = ["healthy", "degraded", "damaged", "unchecked"];
const SEVERITIES: [&str; 3] = ["info", "warning", "error"];

/// Return the exposition of all boards, written at `now` (Unix seconds): each family once, with one sample for each board.
/// `sqlite` is the version that the program brings along.
pub fn render(boards: &[MetricValues], now: i64, sqlite: &str) -> String {
    let mut text = String::new();
    family(&mut text, "build_info", "1, with the versions of kanbanctl and of its SQLite as labels.");
    let version = env!("CARGO_PKG_VERSION");
    let _ =
        writeln!(text, "kanbanctl_build_info{{version=\"{version}\",sqlite=\"{}\"}} 1", label_value(sqlite));
    family(&mut text, "check_timestamp_seconds", "When health looked, in Unix seconds.");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "kanbanctl_check_timestamp_seconds {now}");
    family(&mut text, "boards", "Boards that are there.");
    let _ = writeln!(text, "kanbanctl_boards {}", boards.iter().filter(|board| board.is_present).count());
    family(&mut text, "board_present", "1 for a board that is there, 0 for one that is gone.");
    for figures in boards {
        sample(&mut text, "board_present", &figures.board, None, i64::from(figures.is_present));
    }
    family(&mut text, "health", "1 for the verdict that health came to, 0 for the others.");
    for figures in boards {
        for verdict in VERDICTS {
            let value = i64::from(figures.verdict == verdict);
            sample(&mut text, "health", &figures.board, Some(("verdict", verdict)), value);
        }
    }
    family(&mut text, "findings", "Findings of health by severity.");
    for figures in boards {
        for (severity, count) in SEVERITIES.iter().zip(figures.findings) {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            sample(&mut text, "findings", &figures.board, Some(("severity", severity)), count);
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for metric in boards.iter().flat_map(|figures| &figures.metrics) {
        if seen.contains(&metric.name) {
            continue;
        }
        seen.push(metric.name);
        family(&mut text, metric.name, metric.help);
        for figures in boards {
            for same in figures.metrics.iter().filter(|other| other.name == metric.name) {
                let label = same.label.as_ref().map(|(name, value)| (*name, value.as_str()));
                sample(&mut text, same.name, &figures.board, label, same.value);
            }
        }
    }
    text
}

fn family(to: &mut String, name: &str, help: &str) {
    let help = guard(help, TextGuard::Terminal);
    // Writing to a String cannot fail.
    let _ = writeln!(to, "# HELP kanbanctl_{name} {help}\n# TYPE kanbanctl_{name} gauge");
}

fn sample(to: &mut String, name: &str, board: &str, label: Option<(&str, &str)>, value: i64) {
    let _ = write!(to, "kanbanctl_{name}{{board=\"{}\"", label_value(board));
    if let Some((key, text)) = label {
        let _ = write!(to, ",{key}=\"{}\"", label_value(text));
    }
    let _ = writeln!(to, "}} {value}");
}

/// A label value: backslash, quote and newline as the format has them, other hazards as visible text.
fn label_value(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            _ if is_hazard(character) => {
                // The format knows no other escapes, so the visible form's own backslash is doubled.
                escaped.push('\\');
                push_escaped(&mut escaped, character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_come_once_and_labels_are_escaped() {
        let wal = |value| Metric { name: "wal_bytes", help: "Bytes in the WAL.", label: None, value };
        let one = MetricValues {
            board: "a\"b\\c\nd\u{1b}".into(),
            verdict: "degraded".into(),
            is_present: true,
            findings: [0, 2, 0],
            metrics: vec![wal(7)],
        };
        let two = MetricValues {
            board: "two".into(),
            verdict: "healthy".into(),
            metrics: vec![wal(0)],
            ..one.clone()
        };
        let text = render(&[one, two], 1_780_000_000, "3.54.1");
        assert!(text.contains("kanbanctl_check_timestamp_seconds 1780000000\n"));
        assert!(text.contains(",sqlite=\"3.54.1\"} 1\n"));
        assert_eq!(text.matches("# TYPE kanbanctl_wal_bytes gauge").count(), 1);
        let expected =
            "kanbanctl_wal_bytes{board=\"a\\\"b\\\\c\\nd\\\\x1b\"} 7\nkanbanctl_wal_bytes{board=\"two\"} 0\n";
        assert!(text.ends_with(expected), "{text}");
        assert!(text.contains("kanbanctl_health{board=\"two\",verdict=\"healthy\"} 1\n"));
        assert!(text.contains("kanbanctl_findings{board=\"two\",severity=\"warning\"} 2\n"));
        assert!(!text.contains('\u{1b}'));
    }
}
