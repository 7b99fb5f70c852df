//! Lanes beside each other: headings with cards below them, in as many rows of lanes as the page needs.
//!
//! Not here: what a lane or a card is about.

use super::label::Label;
use super::text::{self, TextGuard};

/// Columns between two lanes.
const GAP: usize = 2;
/// Columns that a lane needs to be read.
const LEAST: usize = 22;
/// Columns of a lane on a page of any width.
const NATURAL: usize = 32;

/// A line of a lane in labelled pieces.
type LaneLine = Vec<(Label, String)>;

/// One lane.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    lines: Vec<LaneLine>,
}

impl Lane {
    /// A lane with its heading.
    pub fn new(heading: LaneLine) -> Self {
        Self { lines: vec![heading] }
    }

    /// Add one line.
    pub fn line(&mut self, line: LaneLine) {
        self.lines.push(line);
    }
}

/// Lanes in their order.
#[derive(Clone, Debug, Default)]
pub struct Lanes(Vec<Lane>);

impl Lanes {
    /// Add a lane to the right.
    pub fn push(&mut self, lane: Lane) {
        self.0.push(lane);
    }

    pub(super) fn draw(
        &self,
        to: &mut String,
        guard: TextGuard,
        color: bool,
        ascii: bool,
        width: Option<usize>,
    ) {
        let count = self.0.len().max(1);
        let most = width.map_or(count, |width| ((width + GAP) / (LEAST + GAP)).clamp(1, count));
        // The same number in each row, so that the last one is not left with a single lane.
        let bands = count.div_ceil(most);
        let beside = count.div_ceil(bands);
        let lane_width = width.map_or(NATURAL, |width| (width + GAP) / beside - GAP);
        for (band, lanes) in self.0.chunks(beside).enumerate() {
            if band > 0 {
                to.push('\n');
            }
            let height = lanes.iter().map(|lane| lane.lines.len()).max().unwrap_or(0);
            for row in 0..height {
                let mut behind = 0;
                for (at, lane) in lanes.iter().enumerate() {
                    let column = at * (lane_width + GAP);
                    let Some(line) = lane.lines.get(row).filter(|line| !line.is_empty()) else { continue };
                    to.extend(std::iter::repeat_n(' ', column - behind));
                    behind = column + draw_line(to, line, guard, color, ascii, lane_width);
                }
                to.truncate(to.trim_end_matches(' ').len());
                to.push('\n');
            }
        }
    }
}

/// Write one line cut to the lane; the columns that it takes.
fn draw_line(
    to: &mut String,
    line: &LaneLine,
    guard: TextGuard,
    color: bool,
    ascii: bool,
    width: usize,
) -> usize {
    let mut used = 0;
    for (label, text) in line {
        let safe = text::guard(text, guard);
        let shown = text::truncate(&safe, width - used, ascii);
        used += text::width(&shown).min(width - used);
        label.paint(to, &shown, color);
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(count: usize) -> Lanes {
        let mut lanes = Lanes::default();
        for number in 0..count {
            let mut lane = Lane::new(vec![(Label::Heading, format!("lane {number}"))]);
            for card in 0..number {
                lane.line(vec![
                    (Label::Id, format!("t_{card}")),
                    (Label::Text, " 日本語 and so on, for long".to_owned()),
                ]);
            }
            lanes.push(lane);
        }
        lanes
    }

    fn drawn(count: usize, width: Option<usize>) -> String {
        let mut text = String::new();
        lanes(count).draw(&mut text, TextGuard::Terminal, false, false, width);
        text
    }

    #[test]
    fn lanes_fill_the_width_and_no_more() {
        for width in [20, 60, 80, 120, 200] {
            let text = drawn(5, Some(width));
            assert!(text.lines().all(|line| text::width(line) <= width), "{width}\n{text}");
        }
    }

    #[test]
    fn rows_of_lanes_are_even() {
        let headings: Vec<usize> =
            drawn(5, Some(100)).lines().map(|line| line.matches("lane").count()).filter(|n| *n > 0).collect();
        assert_eq!(headings, [3, 2]);
    }
}
