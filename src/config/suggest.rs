//! "Did you mean …": the nearest of the allowed words.

/// Longer words are not compared: nobody mistypes them by a letter, and the cost is their product.
const WORD_CHARS_MAX: usize = 64;

/// The candidate that is so near to `word` that it was probably meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length == 0 || length > WORD_CHARS_MAX {
        return None;
    }
    // One slip in a short word, and one more for each four letters of a longer one.
    let allowed = (length / 4).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word && candidate.chars().count() <= WORD_CHARS_MAX)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two words,
/// without regard to case.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let at = |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, column) + usize::from(a != b);
            let mut best = replaced.min(at(&last, column + 1) + 1).min(at(&line, column) + 1);
            let swapped =
                row > 0 && column > 0 && left.get(row - 1) == Some(b) && right.get(column - 1) == Some(a);
            if swapped {
                best = best.min(at(&before, column - 1) + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut last, line);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_recognised() {
        let words = ["message.text", "message.id", "dialog.line"];
        assert_eq!(nearest("mesage.text", words), Some("message.text"));
        assert_eq!(nearest("message.txet", words), Some("message.text"));
        assert_eq!(nearest("dialog.lines", words), Some("dialog.line"));
        assert_eq!(nearest("weather", words), None);
    }

    #[test]
    fn distances_count_swaps_of_neighbours_as_one() {
        assert_eq!(nearest("", ["on"]), None);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
