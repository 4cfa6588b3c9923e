//! The parsers, each with good input to begin with.

use std::rc::Rc;

use http::HeaderMap;
use switchboard::channels::{Channel, Progress, Verdict};
use switchboard::config::load::load;
use switchboard::config::source::SourceSet;
use switchboard::journal::{FileJournal, Journal as _, Settings};
use switchboard::model::effect::Attempt;
use switchboard::model::inbound::Inbound;

use crate::channels::conformance::subjects;
use crate::channels::{answer, call, fixture, fixtures_of, send};

/// Tries one input.
type TryOne = dyn Fn(&[u8]);

/// A parser.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) corpus: Vec<Vec<u8>>,
    /// Panics when something is not as it should be.
    pub(super) try_one: Box<TryOne>,
}

/// The most facts of one call.
const FACTS_MAX: usize = 1_000;

pub(super) fn all() -> Vec<Target> {
    let mut all = Vec::new();
    for subject in subjects() {
        let corpus: Vec<_> = fixtures_of(subject.fixtures).iter().map(|name| fixture(name)).collect();
        let calls: Rc<dyn Channel> = subject.channel.into();
        let answers = Rc::clone(&calls);
        all.push(Target {
            name: format!("calls of {}", subject.name),
            corpus,
            try_one: Box::new(move |input| decode(&*calls, input)),
        });
        let answers_of = fixtures_of("outbound").into_iter().filter(|name| name.contains(subject.name));
        let mut corpus: Vec<_> = answers_of.map(|name| fixture(&name)).collect();
        corpus.push(subject.taken.as_bytes().to_vec());
        all.push(Target {
            name: format!("answers of {}", subject.name),
            corpus,
            try_one: Box::new(move |input| classify(&*answers, input)),
        });
    }
    for file in [
        "channels.yaml",
        "lines.yaml",
        "operators.yaml",
        "switchboard.yaml",
        "templates.yaml",
        "rules/refunds.yaml",
    ] {
        all.push(configuration(file));
    }
    all.push(journal());
    all
}

fn decode(channel: &dyn Channel, input: &[u8]) {
    let headers = HeaderMap::new();
    // Whether it is authentic is asked of anything, and decoding must not rely on it.
    drop(channel.verify(&call(&headers, input)));
    let Ok(decoded) = channel.decode(&call(&headers, input)) else { return };
    assert!(decoded.received.len() <= FACTS_MAX, "{} facts", decoded.received.len());
    for received in decoded.received {
        assert!(received.input_id.len() < 400 && !received.input_id.contains(char::is_control));
        let written = serde_json::to_vec(&received.inbound).unwrap();
        assert_eq!(serde_json::from_slice::<Inbound>(&written).unwrap(), received.inbound);
    }
}

fn classify(channel: &dyn Channel, input: &[u8]) {
    let effect = send("hello");
    for status in [200, 400, 429, 500] {
        let verdict = channel.classify(&effect, &Progress::default(), Ok(&answer(status, input.to_vec())));
        if let Verdict::Ended(
            Attempt::Retry { error, .. } | Attempt::Refused { error, .. } | Attempt::Ambiguous { error, .. },
        ) = verdict
        {
            assert!(error.len() <= 512 && !error.contains(char::is_control));
        }
    }
}

/// One file of the example, the others as they are.
fn configuration(file: &'static str) -> Target {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read(root.join(file)).unwrap();
    let files = ["channels.yaml", "lines.yaml", "operators.yaml", "switchboard.yaml", "templates.yaml"];
    let others: Vec<(String, String)> = files
        .into_iter()
        .filter(|other| *other != file)
        .map(|other| (other.to_owned(), String::from_utf8(read(other)).unwrap()))
        .collect();
    Target {
        name: file.to_owned(),
        corpus: vec![read(file)],
        try_one: Box::new(move |input| {
            let text = String::from_utf8_lossy(input).into_owned();
            let loaded =
                load(&SourceSet::from_files(others.iter().cloned().chain([(file.to_owned(), text)])));
            assert_eq!(loaded.config.is_none(), loaded.has_errors());
        }),
    }
}

/// The last segment of a journal: it opens with what was whole, or says what is damaged.
fn journal() -> Target {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/version-1/journal");
    let mut segments: Vec<_> = std::fs::read_dir(golden)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "journal"))
        .collect();
    segments.sort();
    let first = segments.first().unwrap();
    let name = first.file_name().unwrap().to_owned();
    Target {
        name: "the journal".to_owned(),
        corpus: vec![std::fs::read(first).unwrap()],
        try_one: Box::new(move |input| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(&name), input).unwrap();
            let Ok((journal, _)) =
                FileJournal::open(folder.path(), Settings { spare: false, ..Settings::default() })
            else {
                return;
            };
            drop(journal.verify(&mut |_, _| {}));
            if let Ok(entries) = journal.read_from(1) {
                // The list ends with the first damage.
                assert!(entries.count() <= 100_000);
            }
        }),
    }
}
