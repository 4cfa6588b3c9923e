//! `switchboard verify`: the whole journal checked, and the store against it.

use std::process::ExitCode;

use crate::journal::files::FileJournal;
use crate::journal::{self, Journal as _};
use crate::node::start::{journal_folder, store_folder};
use crate::store::{self, Store};

use super::progress::ProgressLine;
use super::{Arguments, complain, data_folder, require_journal};

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match verify(arguments) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn verify(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    let data = data_folder(arguments);
    require_journal(&data)?;
    let (journal, _) = FileJournal::open(&journal_folder(&data), journal::Settings::default())?;
    let mut line = ProgressLine::new("bytes");
    journal.verify(&mut |done, total| line.show(done, total))?;
    line.finish();
    if !Store::exists(&store_folder(&data))? {
        return Ok(format!(
            "The journal is intact: {} entries.\nThere is no store: `switchboard rebuild` or the next start makes it.",
            journal.head().seq
        ));
    }
    let store = Store::open(&store_folder(&data), store::Settings::default())?;
    let position = store.position()?;
    journal.verify_contains(position.seq, position.hash)?;
    Ok(format!(
        "The journal is intact: {} entries.\nThe store fits it and has applied {}.\nDigest of the store: {}",
        journal.head().seq,
        position.seq,
        store.digest()?
    ))
}
