//! The known name that a mistyped one is closest to.
//!
//! Not here: words that mean the same but are spelt otherwise.

/// A name that differs in at most a third of its characters is worth a question.
const ALIKE: f64 = 0.66;

/// Return the known name that is spelt most like `typed`, when one is close enough.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let scored = known
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&typed, &name.to_lowercase()), name));
    scored
        .filter(|(score, _)| *score >= ALIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn two_exchanged_letters_are_close_and_other_words_are_not() {
        let boards = ["default", "prod", "staging"];
        assert_eq!(nearest("prdo", boards), Some("prod"));
        assert_eq!(nearest("Stagin", boards), Some("staging"));
        assert_eq!(nearest("marketing", boards), None);
        assert_eq!(nearest("x", []), None);
    }
}
