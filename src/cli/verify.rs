//! `switchboard verify`: the whole journal checked and applied once more, and the store against it.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use crate::engine::Violation;
use crate::journal::files::FileJournal;
use crate::journal::{self, Journal as _};
use crate::node::data::{journal_folder, store_folder};
use crate::store::{self, Store};

use super::progress::ProgressLine;
use super::replay::replay;
use super::{Arguments, complain, data_folder, require_journal};

/// What is wrong with data whose files are intact.
#[derive(Debug, thiserror::Error)]
enum VerifyError {
    #[error(
        "this version of the program leads the journal to a state that must never be; please report it:{}",
        listed(.0)
    )]
    Invariants(Vec<Violation>),
    #[error(
        "the store is not what the journal leads to (its digest is {found}, and {wanted} is right): \
         run `switchboard rebuild`"
    )]
    Digest { found: String, wanted: String },
}

/// One mistake may break an invariant in every dialog: the first of these say as much as all.
const VIOLATIONS_SHOWN_MAX: usize = 20;

fn listed(violations: &[Violation]) -> String {
    let shown = violations.iter().take(VIOLATIONS_SHOWN_MAX).map(|violation| format!("\n  {violation}"));
    let left_out = violations.len().saturating_sub(VIOLATIONS_SHOWN_MAX);
    let rest = (left_out > 0).then(|| format!("\n  and {left_out} more"));
    shown.chain(rest).collect()
}

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

fn verify(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let data = data_folder(arguments);
    require_journal(&data)?;
    let (journal, _) = FileJournal::open(&journal_folder(&data), journal::Settings::default())?;
    let mut line = ProgressLine::new("bytes");
    journal.verify(&mut |done, total| line.show(done, total))?;
    line.finish();
    let wanted = replayed_digest(&journal, &data)?;
    let entries = journal.head().seq;
    let mut text = format!(
        "The journal is intact: {entries} entries.\n\
         Applied once more, they lead to a state in which every invariant holds.\n"
    );
    let folder = store_folder(&data);
    if !Store::exists(&folder)? {
        text.push_str("There is no store: `switchboard rebuild` or the next start makes it.\n");
        write!(text, "Digest of a store made from it: {wanted}")?;
        return Ok(text);
    }
    let store = Store::open(&folder, store::Settings::default())?;
    let position = store.position()?;
    journal.verify_contains(position.seq, position.hash)?;
    let found = store.digest()?;
    if position.seq == entries {
        if found != wanted {
            return Err(VerifyError::Digest { found, wanted }.into());
        }
        text.push_str("The store is what they lead to.\n");
    } else {
        // Its rows cannot be compared with those of another position.
        writeln!(
            text,
            "The store fits it and has applied {}; the next start applies the rest.",
            position.seq
        )?;
    }
    write!(text, "Digest of the store: {found}")?;
    Ok(text)
}

/// The digest of a store that is made from the journal alone, in which the invariants were found to hold.
fn replayed_digest(journal: &FileJournal, data: &std::path::Path) -> Result<String, Box<dyn Error>> {
    let aside = store_folder(data).with_extension("verifying");
    let (store, state) = replay(journal, &aside)?;
    let (violations, digest) = (state.violations(), store.digest()?);
    drop(store);
    Store::remove(&aside)?;
    if violations.is_empty() { Ok(digest) } else { Err(VerifyError::Invariants(violations).into()) }
}
