//! The whole journal, applied once more.

use std::error::Error;
use std::path::Path;

use crate::engine::State;
use crate::journal::Journal;
use crate::node::recover::recover;
use crate::store::{self, Store};

use super::progress::ProgressLine;

/// Makes a store in the folder `aside` out of every entry, and the state at the end. What was in the folder is
/// what a command that was killed has left: it is removed.
pub(super) fn replay(journal: &dyn Journal, aside: &Path) -> Result<(Store, State), Box<dyn Error>> {
    Store::remove(aside)?;
    let store = Store::open(aside, store::Settings::default())?;
    let mut line = ProgressLine::new("entries");
    let state = recover(journal, &store, &mut |progress| line.show(progress.applied, progress.total))?;
    line.finish();
    store.flush()?;
    Ok((store, state))
}
