//! How the process takes memory from the operating system.

/// Asks the system for small pages from now on: of the huge ones that it would give, two thirds were
/// cleared and never used, which cost a twentieth of the time of a message and tens of megabytes.
///
/// Where the system does not know the wish, memory comes as it always did.
pub fn prefer_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "The system gives huge pages all the same.");
    }
}
