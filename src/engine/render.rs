//! Filling in ready texts.
//!
//! Templates are minijinja, without escaping: a chat message is plain text, and what a client wrote is
//! data, never template source. Fuel, recursion and output are bounded, so that no template can hold
//! the daemon up.

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::Value;

use crate::model::bounded_text::BoundedText;
use crate::model::config::Config;
use crate::model::id::TemplateId;
use crate::model::message::Button;
use crate::model::rule::{Content, RuleAction};
use crate::model::template::Template;

/// Instructions that one rendering may execute. A text of a few lines takes some hundreds.
const FUEL: u64 = 20_000;
/// Nesting of blocks and macros.
const RECURSION_MAX: usize = 32;
/// The longest text that a rendering may give, in bytes: four of the longest messages of any messenger.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// How a missing value is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is an error: somebody asked for this text and can be told.
    Refuse,
    /// It is empty: the names were checked when the configuration was loaded, and a greeting without the
    /// client's name is better than none.
    Empty,
}

/// All ready texts of a configuration, compiled.
#[derive(Debug)]
pub(super) struct Templates {
    refusing: Environment<'static>,
    lenient: Environment<'static>,
    templates: std::collections::BTreeMap<TemplateId, Template>,
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            refusing: environment(UndefinedBehavior::Strict),
            lenient: environment(UndefinedBehavior::Lenient),
            templates: std::collections::BTreeMap::new(),
        }
    }
}

/// A template cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("template `{template}`: {reason}")]
pub struct TemplateError {
    /// The template, or the text itself where it stands in a rule.
    pub template: String,
    /// What is wrong.
    pub reason: String,
}

/// A text that was filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rendered {
    /// The text.
    pub(super) text: String,
    /// The buttons below it.
    pub(super) buttons: Vec<Button>,
}

/// Why a text could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RenderError {
    /// There is no such template.
    #[error("there is no such template")]
    Unknown,
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

impl Templates {
    pub(super) fn compile(config: &Config) -> Result<Self, TemplateError> {
        let mut templates = Self { templates: config.templates.clone(), ..Self::default() };
        for (id, template) in &config.templates {
            for (language, text) in &template.text {
                templates.add(name_of(id, language), text)?;
            }
        }
        let of_rules = config.rules.iter().flat_map(|rule| &rule.actions);
        let of_lines = config.lines.values().flat_map(|line| line.routing.otherwise.iter());
        for action in of_rules.chain(of_lines.flat_map(|otherwise| &otherwise.actions)) {
            match action {
                RuleAction::Note(text)
                | RuleAction::Reply(Content::Text(text))
                | RuleAction::Notify { content: Some(Content::Text(text)), .. } => {
                    templates.add(inline_name_of(text), text)?;
                }
                _ => {}
            }
        }
        Ok(templates)
    }

    fn add(&mut self, name: String, text: &str) -> Result<(), TemplateError> {
        let failed = |error: minijinja::Error, name: &str| TemplateError {
            template: name.to_owned(),
            reason: describe(&error),
        };
        self.refusing
            .add_template_owned(name.clone(), text.to_owned())
            .map_err(|error| failed(error, &name))?;
        self.lenient.add_template_owned(name.clone(), text.to_owned()).map_err(|error| failed(error, &name))
    }

    /// Fills in a template in the first of `languages` that it has.
    pub(super) fn render(
        &self,
        id: &TemplateId,
        languages: &[impl AsRef<str>],
        facts: &Value,
        missing: Missing,
    ) -> Result<Rendered, RenderError> {
        let template = self.templates.get(id).ok_or(RenderError::Unknown)?;
        let language = choose_language(template, languages).ok_or(RenderError::Unknown)?;
        let text = self.render_named(&name_of(id, language), facts, missing)?;
        Ok(Rendered { text, buttons: template.buttons.clone() })
    }

    /// Fills in a text that stands in a rule or in the last resort of a line.
    pub(super) fn render_inline(
        &self,
        source: &str,
        facts: &Value,
        missing: Missing,
    ) -> Result<String, RenderError> {
        self.render_named(&inline_name_of(source), facts, missing)
    }

    fn render_named(&self, name: &str, facts: &Value, missing: Missing) -> Result<String, RenderError> {
        let environment = match missing {
            Missing::Refuse => &self.refusing,
            Missing::Empty => &self.lenient,
        };
        let template = environment.get_template(name).map_err(|_| RenderError::Unknown)?;
        let mut output = BoundedText::new(OUTPUT_BYTES_MAX);
        match template.render_captured_to(facts, &mut output) {
            Ok(_) => Ok(output.into_text().trim_end().to_owned()),
            Err(error) => Err(RenderError::Failed(describe(&error))),
        }
    }
}

fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(undefined);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_MAX);
    environment
}

fn name_of(id: &TemplateId, language: &str) -> String {
    format!("{id}/{language}")
}

/// Ids have no colon, so an inline text never takes the name of a template.
fn inline_name_of(text: &str) -> String {
    format!("text:{text}")
}

fn choose_language<'a>(template: &'a Template, wanted: &[impl AsRef<str>]) -> Option<&'a str> {
    let by_tag = |tag: &str| template.text.get_key_value(tag).map(|(language, _)| language.as_str());
    wanted
        .iter()
        .map(AsRef::as_ref)
        // `ru-RU` is served by `ru` when there is no text of its own.
        .find_map(|tag| by_tag(tag).or_else(|| tag.split(['-', '_']).next().and_then(by_tag)))
        .or_else(|| by_tag(Template::ANY))
        .or_else(|| template.text.keys().next().map(String::as_str))
}

fn describe(error: &minijinja::Error) -> String {
    match (error.detail(), error.line()) {
        (Some(detail), Some(line)) => format!("{detail} (line {line})"),
        (Some(detail), None) => detail.to_owned(),
        (None, Some(line)) => format!("{} (line {line})", error.kind()),
        (None, None) => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn templates(sources: &[(&str, &[(&str, &str)])]) -> Templates {
        let mut templates = Templates::default();
        for (id, texts) in sources {
            let id = TemplateId::from(*id);
            for (language, text) in *texts {
                templates.add(name_of(&id, language), text).unwrap();
            }
            let text = texts.iter().map(|(language, text)| ((*language).into(), (*text).into())).collect();
            templates.templates.insert(id, Template { text, buttons: Vec::new() });
        }
        templates
    }

    fn render(templates: &Templates, languages: &[&str], missing: Missing) -> Result<String, RenderError> {
        let facts = json!({"client": {"name": "{{ 7 * 7 }} <b>"}});
        templates.render(&"hello".into(), languages, &facts, missing).map(|rendered| rendered.text)
    }

    #[test]
    fn the_client_language_wins_over_the_line_language() {
        let templates = templates(&[("hello", &[("en", "Hello"), ("ru", "Привет"), ("pt-BR", "Olá")])]);
        assert_eq!(render(&templates, &["ru-RU", "en"], Missing::Refuse).unwrap(), "Привет");
        assert_eq!(render(&templates, &["pt-BR", "en"], Missing::Refuse).unwrap(), "Olá");
        assert_eq!(render(&templates, &["fr", "ru"], Missing::Refuse).unwrap(), "Привет");
        assert_eq!(render(&templates, &["fr"], Missing::Refuse).unwrap(), "Hello");
    }

    #[test]
    fn client_data_is_data_and_never_template_source() {
        let templates = templates(&[("hello", &[("", "Hello {{ client.name }}!")])]);
        assert_eq!(render(&templates, &[], Missing::Refuse).unwrap(), "Hello {{ 7 * 7 }} <b>!");
    }

    #[test]
    fn a_missing_value_is_refused_or_empty_as_asked() {
        let templates = templates(&[("hello", &[("", "Hello{{ client.surname }}!")])]);
        assert!(matches!(render(&templates, &[], Missing::Refuse), Err(RenderError::Failed(_))));
        assert_eq!(render(&templates, &[], Missing::Empty).unwrap(), "Hello!");
    }

    #[test]
    fn an_endless_loop_runs_out_of_fuel_and_a_huge_text_is_cut_off() {
        for source in [
            "{% for a in range(9999) %}{% for b in range(9999) %}{% set c = b %}{% endfor %}{% endfor %}",
            "{% for a in range(9000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{{ 'bbbbbbbbbbbbb' * 100 }}{% endfor %}",
        ] {
            let templates = templates(&[("hello", &[("", source)])]);
            assert!(
                matches!(render(&templates, &[], Missing::Empty), Err(RenderError::Failed(_))),
                "{source}"
            );
        }
    }
}
