//! Task ids: `t_` and eight lower-case hex digits, which Hermes' own tools look for (docs/board-format.md, 8.9).

use crate::failure::Outcome;
use crate::process::random;

/// Random bytes for ids, read once for many of them.
pub struct Ids {
    bytes: Vec<u8>,
    used: usize,
    batch: usize,
}

impl Ids {
    /// Room for `batch` ids before the kernel is asked again.
    pub fn new(batch: usize) -> Self {
        Self { bytes: Vec::new(), used: 0, batch: batch.clamp(1, 65_536) }
    }

    /// A fresh id. It may exist on the board: the primary key tells.
    pub fn next_id(&mut self) -> Outcome<String> {
        if let Some([a, b, c, d]) = self.bytes.get(self.used..self.used + 4) {
            self.used += 4;
            return Ok(format!("t_{a:02x}{b:02x}{c:02x}{d:02x}"));
        }
        self.bytes.resize(self.batch * 4, 0);
        self.used = 0;
        random::fill(&mut self.bytes)?;
        self.next_id()
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn ids_have_hermes_form_and_differ() {
        let mut ids = Ids::new(3);
        let drawn: std::collections::HashSet<String> = (0..100).map(|_| ids.next_id().unwrap()).collect();
        assert!(drawn.len() > 98);
        assert!(drawn.iter().all(|id| id.len() == 10 && super::super::text::task_ids(id).len() == 1));
    }
}
