//! What a piece of text means; its colour follows. The one palette: callers name a meaning, never a colour.

use console::Style;

/// The meaning of a piece of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Label {
    /// Ordinary text.
    #[default]
    Text,
    /// A column's or section's name.
    Heading,
    /// A task, board or backup id.
    Id,
    /// Done, healthy.
    Good,
    /// In work, waiting for somebody.
    Active,
    /// Ready to be taken.
    Ready,
    /// A warning, degraded.
    Warning,
    /// An error, damaged, blocked.
    Bad,
    /// What matters less.
    Dim,
    /// What to do next.
    Hint,
}

impl Label {
    /// The label of a task status, of a verdict, or of a severity, by its stored name.
    pub fn of_status(status: &str) -> Self {
        match status {
            "done" | "healthy" | "ok" => Self::Good,
            "running" | "review" => Self::Active,
            "ready" => Self::Ready,
            "scheduled" | "degraded" | "warning" | "unchecked" | "partial" => Self::Warning,
            "blocked" | "damaged" | "error" => Self::Bad,
            "archived" | "info" => Self::Dim,
            _ => Self::Text,
        }
    }

    /// A sign for a task status that can be told without colour; two statuses never share one.
    pub fn symbol_of_status(status: &str, ascii: bool) -> &'static str {
        let (sign, plain) = match status {
            "triage" => ("◇", "?"),
            "todo" => ("◻", "-"),
            "scheduled" => ("◷", "@"),
            "ready" => ("▶", ">"),
            "running" => ("●", "*"),
            "blocked" => ("⊘", "x"),
            "review" => ("◎", "%"),
            "done" => ("✓", "+"),
            "archived" => ("—", "_"),
            _ => ("·", "."),
        };
        if ascii { plain } else { sign }
    }

    /// The style in which `console` draws it.
    pub(super) fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Text => style,
            Self::Heading => style.bold(),
            Self::Id => style.magenta(),
            Self::Good => style.green(),
            Self::Active | Self::Hint => style.cyan(),
            Self::Ready => style.blue(),
            Self::Warning => style.yellow(),
            Self::Bad => style.red(),
            Self::Dim => style.dim(),
        }
    }

    /// Appends safe text in this label's colour, when there is to be colour.
    pub(super) fn paint(self, to: &mut String, text: &str, color: bool) {
        if color && self != Self::Text {
            let painted = self.style().force_styling(true).apply_to(text);
            to.push_str(&painted.to_string());
        } else {
            to.push_str(text);
        }
    }
}
