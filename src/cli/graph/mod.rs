//! `switchboard graph`: where messages go, as a picture: channels → lines → topics, overflow → teams and
//! operators, and the rules with the events that start them.
//!
//! `picture` draws the configuration as nodes and arrows; `mermaid` and `dot` write them down. Reads files
//! alone: no daemon has to run.

mod dot;
mod mermaid;
mod picture;

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::config::load::load;
use crate::config::source::SourceSet;

use super::Arguments;

#[derive(Debug, Args)]
pub(super) struct Graph {
    /// In which language the picture is written.
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    format: Format,
    /// Only this line and what leads to it or from it.
    #[arg(long, value_name = "LINE")]
    line: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Mermaid, which code hosts show in Markdown.
    Mermaid,
    /// Graphviz.
    Dot,
}

pub(super) fn run(arguments: &Arguments, wanted: &Graph) -> ExitCode {
    let set = SourceSet::read(&arguments.config);
    let Some(config) = load(&set).config else {
        eprintln!("error: the configuration has errors; `switchboard check` tells them");
        return ExitCode::FAILURE;
    };
    let line = wanted.line.as_deref();
    if let Some(line) = line
        && !config.lines.contains_key(line)
    {
        eprintln!("error: there is no line `{line}`");
        return ExitCode::FAILURE;
    }
    let picture = picture::of(&config, line);
    print!(
        "{}",
        match wanted.format {
            Format::Mermaid => mermaid::write(&picture),
            Format::Dot => dot::write(&picture),
        }
    );
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn example() -> picture::Picture {
        let set = SourceSet::read(Path::new(env!("CARGO_MANIFEST_DIR")));
        picture::of(&load(&set).config.unwrap(), None)
    }

    #[test]
    fn the_example_is_drawn_in_mermaid() {
        insta::assert_snapshot!(mermaid::write(&example()));
    }

    #[test]
    fn the_example_is_drawn_in_dot() {
        insta::assert_snapshot!(dot::write(&example()));
    }

    #[test]
    fn one_line_is_drawn_with_what_leads_to_it_and_from_it() {
        let set = SourceSet::read(Path::new(env!("CARGO_MANIFEST_DIR")));
        let picture = picture::of(&load(&set).config.unwrap(), Some("support"));
        assert!(picture.nodes.contains_key("line:support") && !picture.nodes.contains_key("line:sales"));
        assert!(picture.arrows.iter().all(|arrow| {
            picture.nodes.contains_key(&arrow.from) && picture.nodes.contains_key(&arrow.to)
        }));
    }
}
