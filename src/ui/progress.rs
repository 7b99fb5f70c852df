//! Bars on stderr for work that takes a while.
//!
//! Responsible for when a bar is drawn: only on a terminal, and not when told to be quiet. Whoever works calls
//! [`Progress::update`] and need not know.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text::{self, Guard};

/// One piece of work in progress; gone from the screen when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    ascii: bool,
}

impl Progress {
    /// Draws nothing.
    pub fn none() -> Self {
        Self { bar: None, ascii: false }
    }

    pub(super) fn on(bars: &MultiProgress, label: &str, total: u64, ascii: bool) -> Self {
        let bar = bars.add(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()));
        bar.set_style(style(total, ascii));
        bar.set_message(text::guard(label, Guard::Terminal).into_owned());
        if total > 0 {
            bar.set_length(total);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar: Some(bar), ascii }
    }

    /// Says that `done` of `total` units are done. Cheap; drawn at most twenty times a second.
    pub fn update(&self, done: u64, total: u64) {
        let Some(bar) = &self.bar else { return };
        if total > 0 && bar.length() != Some(total) {
            if bar.length().is_none() {
                bar.set_style(style(total, self.ascii));
            }
            bar.set_length(total);
        }
        bar.set_position(done);
    }

    /// The same as a closure, for layers that take one.
    pub fn callback(&self) -> impl Fn(u64, u64) + '_ {
        |done, total| self.update(done, total)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn style(total: u64, ascii: bool) -> ProgressStyle {
    let template = if total > 0 {
        "{msg} [{bar:24}] {percent:>3}% {eta:>4}"
    } else {
        "{spinner} {msg} {pos} {elapsed:>4}"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style =
        if ascii { style.tick_chars("-\\|/ ") } else { style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧ ") };
    if ascii { style.progress_chars("=> ") } else { style.progress_chars("━╸ ") }
}
