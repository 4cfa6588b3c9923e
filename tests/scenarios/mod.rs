//! Domain scripts.
