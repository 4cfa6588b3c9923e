//! Sets of small numbers, dense: a thousand operators are sixteen words, and to ask whether two sets meet
//! costs less than to look one name up.

/// A set of numbers below a bound that is fixed when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bits(Vec<u64>);

const WORD: u32 = u64::BITS;

fn word_of(number: u32) -> usize {
    usize::try_from(number / WORD).unwrap_or(usize::MAX)
}

const fn mask_of(number: u32) -> u64 {
    1 << (number % WORD)
}

impl Bits {
    /// An empty set of numbers below `bound`.
    pub fn below(bound: u32) -> Self {
        Self(vec![0; word_of(bound.div_ceil(WORD).saturating_mul(WORD))])
    }

    /// Puts a number in or takes it out. A number beyond the bound is not kept.
    pub fn set(&mut self, number: u32, is_in: bool) {
        if let Some(word) = self.0.get_mut(word_of(number)) {
            if is_in {
                *word |= mask_of(number);
            } else {
                *word &= !mask_of(number);
            }
        }
    }

    /// Whether a number is in it.
    pub fn has(&self, number: u32) -> bool {
        self.0.get(word_of(number)).is_some_and(|word| word & mask_of(number) != 0)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// How many numbers are in it.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether something is in both.
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    /// The numbers, in their order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0u32..).zip(&self.0).flat_map(|(place, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros();
                    left &= left - 1;
                    place * WORD + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_it_from_when_they_are_put_in_until_they_are_taken_out() {
        let mut set = Bits::below(130);
        for number in [0, 63, 64, 129] {
            set.set(number, true);
        }
        set.set(64, false);
        set.set(5_000, true);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 129]);
        assert_eq!(set.len(), 3);
        assert!(set.has(129) && !set.has(64) && !set.has(5_000));
    }

    #[test]
    fn two_sets_meet_where_both_have_a_number() {
        let (mut a, mut b) = (Bits::below(70), Bits::below(70));
        a.set(3, true);
        a.set(69, true);
        b.set(69, true);
        assert!(a.meets(&b));
        assert_eq!(a.and(&b).iter().collect::<Vec<_>>(), [69]);
        b.set(69, false);
        assert!(!a.meets(&b) && b.is_empty());
    }
}
