//! Every parser of what strangers write, against bad input made out of good: none panics, none takes long, and
//! what is taken can be written down and read again.
//!
//! A run has a bounded number of inputs and always the same ones. `SWITCHBOARD_FUZZ` makes it longer (inputs per
//! target; 300 where nothing is said), `SWITCHBOARD_FUZZ_SEED` makes others. A failure names target and seed.

mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::world::random::Random;

const INPUTS: u64 = 300;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn no_parser_panics_on_anything() {
    let inputs = setting("SWITCHBOARD_FUZZ", INPUTS);
    let first = setting("SWITCHBOARD_FUZZ_SEED", 0);
    for target in targets::all() {
        assert!(!target.corpus.is_empty(), "{} has no good input", target.name);
        for seed in first..first + inputs {
            let mut random = Random::new(seed);
            let good = random.pick(&target.corpus).clone();
            let other = random.pick(&target.corpus).clone();
            let input = mutate::mutated(&mut random, &good, &other);
            let tried = catch_unwind(AssertUnwindSafe(|| (target.try_one)(&input)));
            assert!(
                tried.is_ok(),
                "{} fails on the input of seed {seed}:\n{}",
                target.name,
                String::from_utf8_lossy(&input)
            );
        }
    }
}
