//! Domain scripts: what people do, line by line, and what must follow.
//!
//! A script is `tests/scenarios/*.script`. It begins with `given` lines that change the company of
//! [`configs::shop`]. Then each line is `TIME WHO DOES WHAT`; lines that begin with `expect` say what
//! must be true after the line before. Timers that are due before a line fire by themselves, at their
//! time; `time passes` fires those that are due at its own time too. Dialogs and effects are called `d1`,
//! `d2`, `e1` … in the order in which they come into being. `#` begins a comment.

mod configs;
mod duplicates;
mod expect;
mod play;
mod random_days;
mod told;
mod words;

use std::path::{Path, PathBuf};

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "script"))
        .collect();
    scripts.sort();
    scripts
}

#[test]
fn every_script_goes_as_it_says() {
    let scripts = scripts();
    assert!(scripts.len() >= 30, "the scripts were not found");
    let failed: Vec<String> = scripts
        .iter()
        .filter_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let played = std::panic::catch_unwind(|| play::play(&text));
            played.err().map(|cause| {
                let cause = cause.downcast_ref::<play::Failure>().map_or_else(
                    || "failed, see above".to_owned(),
                    |failure| format!("line {}: {}\n  {}", failure.line, failure.text, failure.why),
                );
                format!("{name}: {cause}")
            })
        })
        .collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

/// What users of other systems of this kind complain about.
const COMPLAINTS: [&str; 11] = [
    "freed slot",
    "two operators take one chat",
    "limits exceeded under load",
    "chats nobody can see or close",
    "reopened chat stuck with an absent operator",
    "one operator gets the whole nights backlog",
    "duplicate webhooks in and out",
    "automation loops",
    "no time-based rules",
    "dst shifts in business hours",
    "sla clocks do not override each other",
];

#[test]
fn every_complaint_about_such_systems_has_a_script_of_its_name() {
    let scripts: Vec<String> =
        scripts().iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    for complaint in COMPLAINTS {
        let name = complaint.replace(' ', "_");
        assert!(scripts.iter().any(|script| script.starts_with(&name)), "nothing shows: {complaint}");
    }
}
