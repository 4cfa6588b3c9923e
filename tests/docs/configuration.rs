//! Every block that a document marks as a configuration file loads without errors.

use switchboard::config::load::load;
use switchboard::config::source::SourceSet;

use super::markdown::{documents, fences, read, root};

#[test]
fn every_configuration_file_in_a_document_loads() {
    let example = SourceSet::read(root());
    let mut seen = 0;
    for document in documents() {
        for fence in fences(&read(&document)) {
            let Some(file) = fence.mark.strip_prefix("config:").map(str::trim) else { continue };
            seen += 1;
            // The block takes the place of the example's file; the others are as shipped.
            let others = example.files.iter().filter(|(path, _)| path.as_str() != file);
            let files = others
                .map(|(path, text)| (path.clone(), text.clone()))
                .chain([(file.to_owned(), fence.text.clone())]);
            let loaded = load(&SourceSet::from_files(files));
            assert!(
                loaded.config.is_some(),
                "{}:{}: {:#?}",
                document.display(),
                fence.line,
                loaded.diagnostics
            );
        }
    }
    assert!(seen > 0, "no document shows a whole configuration file");
}
