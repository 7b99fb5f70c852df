//! Numbers with what they count, in English.

/// A number and what it counts, with the verb where one follows: `1 row is`, `2 rows are`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular_and_nothing_is_not() {
        let copies = |number| counted(number, "copy is", "copies are");
        assert_eq!([copies(0), copies(1), copies(2)], ["0 copies are", "1 copy is", "2 copies are"]);
    }
}
