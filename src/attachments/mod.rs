//! Files that clients and operators send: their content, kept on the disk.
//!
//! What lives here: the content by its hash (`content`), which file of a message has which content and what
//! operators uploaded (`keeper`), links that a messenger may fetch a file by (`link`), names and media types
//! (`name`). May be called by `outbox`, which fetches files and sends them, by `node` and by `api`; calls `model`.
//! Everything here waits for the disk: callers use threads that may.
//!
//! Invariants: a file is complete on the disk or not there; its path comes from its hash alone, never from a name
//! that somebody gave; nothing here is needed to apply the journal, and what is lost is fetched again as long as
//! the messenger has it. An id gives no right: who may read a file is for the caller to say.

mod content;
mod keeper;
mod link;
mod name;

pub use content::ContentHash;
pub use keeper::{Keeper, Kept, Upload, UploadId};
pub use link::{LINK_MS, Link, LinkError};
pub use name::{content_disposition, kind_of, media_type_of, passive, safe_name};
