//! Bars on stderr for work that takes a while. A bar is drawn only on a terminal and never with `-q`.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text::{self, TextGuard};

/// A line of words that may be too long for the terminal.
const WAITING: &str = "{spinner} {wide_msg}";

/// Work that ends sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(200);

/// A line on the terminal that comes and goes: what is waited for. Clones draw the same line.
#[derive(Clone, Debug)]
pub struct ProgressLine {
    bars: MultiProgress,
    ascii: bool,
    shown: Arc<Mutex<Option<ProgressBar>>>,
}

impl ProgressLine {
    pub(super) fn on(bars: &MultiProgress, ascii: bool) -> Self {
        Self { bars: bars.clone(), ascii, shown: Arc::default() }
    }

    /// Shows `text` in the place of what was there, or nothing.
    pub fn show(&self, text: Option<&str>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match text {
            Some(text) => {
                let bar = shown.get_or_insert_with(|| {
                    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
                    let bar = self.bars.add(bar.with_style(styled(WAITING, self.ascii)));
                    bar.enable_steady_tick(Duration::from_millis(200));
                    bar
                });
                bar.set_message(text::guard(text, TextGuard::Terminal).into_owned());
            }
            None => {
                if let Some(bar) = shown.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

/// One piece of work in progress; gone from the screen when dropped.
#[derive(Debug)]
pub struct Progress {
    drawing: Option<Drawing>,
}

#[derive(Debug)]
struct Drawing {
    bars: MultiProgress,
    label: String,
    total: u64,
    ascii: bool,
    since: Instant,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    /// Draws nothing.
    pub fn none() -> Self {
        Self { drawing: None }
    }

    pub(super) fn on(bars: &MultiProgress, label: &str, total: u64, ascii: bool) -> Self {
        let label = text::guard(label, TextGuard::Terminal).into_owned();
        let (bars, since) = (bars.clone(), Instant::now());
        Self { drawing: Some(Drawing { bars, label, total, ascii, since, bar: OnceLock::new() }) }
    }

    /// Says that `done` of `total` units are done; `total` 0 is what was said at first. Cheap; drawn at most twenty times a second,
    /// and not at all before 200 ms have passed.
    pub fn update(&self, done: u64, total: u64) {
        let Some(drawing) = &self.drawing else { return };
        if drawing.bar.get().is_none() && drawing.since.elapsed() < PATIENCE {
            return;
        }
        let total = if total > 0 { total } else { drawing.total };
        let bar = drawing.bar.get_or_init(|| drawing.begin(total));
        if total > 0 && bar.length() != Some(total) {
            if bar.length().is_none() {
                bar.set_style(style(total, drawing.ascii));
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

impl Drawing {
    fn begin(&self, total: u64) -> ProgressBar {
        let length = (total > 0).then_some(total);
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden())
            .with_style(style(total, self.ascii))
            .with_message(self.label.clone())
            .with_elapsed(self.since.elapsed());
        let bar = self.bars.add(bar);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.drawing.take().and_then(|drawing| drawing.bar.into_inner()) {
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
    styled(template, ascii)
}

fn styled(template: &str, ascii: bool) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style =
        if ascii { style.tick_chars("-\\|/ ") } else { style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧ ") };
    if ascii { style.progress_chars("=> ") } else { style.progress_chars("━╸ ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_work_draws_nothing_and_long_work_one_bar() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let mut progress = Progress::on(&bars, "Working", 0, true);
        progress.update(1, 9);
        let drawing = progress.drawing.as_mut().unwrap();
        assert!(drawing.bar.get().is_none());
        drawing.since = Instant::now().checked_sub(PATIENCE).unwrap();
        progress.callback()(2, 9);
        let bar = progress.drawing.as_ref().unwrap().bar.get().unwrap();
        assert_eq!((bar.position(), bar.length()), (2, Some(9)));
        Progress::none().update(1, 1);
    }
}
