//! `switchboard rebuild`: the store, made anew from the journal.

use std::process::ExitCode;

use crate::journal::files::FileJournal;
use crate::journal::{self, Journal as _};
use crate::node::data::{journal_folder, store_folder};
use crate::store::Store;

use super::replay::replay;
use super::{Arguments, REFUSED, complain, data_folder, require_journal};

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match rebuild(arguments) {
        Ok((entries, digest)) => {
            println!("The store is made anew from {entries} entries.\nDigest: {digest}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(error.as_ref());
            ExitCode::from(REFUSED)
        }
    }
}

fn rebuild(arguments: &Arguments) -> Result<(u64, String), Box<dyn std::error::Error>> {
    let data = data_folder(arguments);
    require_journal(&data)?;
    // The journal first: it is locked while the daemon runs.
    let (journal, _) = FileJournal::open(&journal_folder(&data), journal::Settings::default())?;
    let folder = store_folder(&data);
    // Beside the old one, which goes only when the new one is whole: should the journal turn out to be
    // damaged, the old store may be all that is left of what came before the damage.
    let aside = folder.with_extension("rebuilding");
    let (store, _) = replay(&journal, &aside)?;
    let digest = store.digest()?;
    drop(store);
    Store::replace(&folder, &aside)?;
    Ok((journal.head().seq, digest))
}
