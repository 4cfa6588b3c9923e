//! All tests of the product in one binary: one folder per kind.

mod config;
#[cfg(test)]
mod channels;
