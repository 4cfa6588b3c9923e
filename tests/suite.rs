//! All tests of the product in one binary: one folder per kind.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod world;
