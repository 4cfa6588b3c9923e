//! All tests of the product in one binary: one folder per kind.

#[cfg(test)]
mod config;
#[cfg(test)]
mod channels;
