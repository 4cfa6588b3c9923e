//! The text of a mail: of all its parts that are shown, as plain text.

use mail_parser::{Message, MessagePart, MimeHeaders, PartType};

use crate::model::message::Letter;

use super::{html, quotes};

/// The longest text that is shown, in bytes: a long letter. Of a longer one the beginning is shown.
const TEXT_MAX: usize = 64 * 1024;

/// The longest text that is kept, in bytes, with everything that is repeated in it.
const FULL_MAX: usize = 256 * 1024;

/// The longest HTML that is read, in bytes. Behind a MiB of it there are only the repetitions of repetitions.
const HTML_MAX: usize = 1024 * 1024;

/// The longest subject that is kept, in bytes: longer than any line of a header may be.
const SUBJECT_MAX: usize = 1000;

/// What a mail says.
#[derive(Debug, PartialEq)]
pub(super) struct Body {
    /// For show: without quotation and signature. A mail without a text shows its subject.
    pub(super) text: String,
    /// What stands beside it.
    pub(super) letter: Letter,
    /// Even what is kept is not all.
    pub(super) is_cut: bool,
}

pub(super) fn read(message: &Message<'_>) -> Body {
    let subject = message.subject().map(one_line).filter(|subject| !subject.is_empty());
    let mut full = texts(message, &message.text_body);
    if full.trim().is_empty() {
        // Some programs send an empty plain part beside the HTML.
        full = texts(message, &message.html_body);
    }
    let is_cut = full.len() > FULL_MAX;
    full.truncate(full.floor_char_boundary(FULL_MAX));
    let full = full.trim();
    let shown = quotes::without(full);
    let mut text = if shown.is_empty() { subject.clone().unwrap_or_default() } else { shown.to_owned() };
    text.truncate(text.floor_char_boundary(TEXT_MAX));
    let full_text = (!full.is_empty() && text != full).then(|| full.to_owned());
    Body { text, letter: Letter { subject, full_text }, is_cut }
}

/// A text of a header on one line.
pub(super) fn one_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.retain(|character| !character.is_control());
    line.truncate(line.floor_char_boundary(SUBJECT_MAX));
    line
}

fn texts(message: &Message<'_>, parts: &[u32]) -> String {
    let mut whole = String::new();
    for part in parts.iter().filter_map(|id| message.part(*id)) {
        let text = match &part.body {
            PartType::Text(text) => plain(part, text),
            PartType::Html(source) => {
                let source = source.get(..source.floor_char_boundary(HTML_MAX)).unwrap_or_default();
                html::text(source, FULL_MAX + 1)
            }
            // Pictures in between are among the files.
            PartType::Binary(_)
            | PartType::InlineBinary(_)
            | PartType::Message(_)
            | PartType::Multipart(_) => continue,
        };
        if !whole.is_empty() && !text.is_empty() {
            whole.push_str("\n\n");
        }
        whole.push_str(text.trim_end());
        if whole.len() > FULL_MAX {
            break;
        }
    }
    whole
}

fn plain(part: &MessagePart<'_>, text: &str) -> String {
    // What is longer is cut anyway, and stays longer.
    let text = text.get(..text.floor_char_boundary(2 * FULL_MAX)).unwrap_or(text);
    let mut text = text.replace("\r\n", "\n");
    text.retain(|character| character == '\n' || character == '\t' || !character.is_control());
    let attribute =
        |name: &str| part.content_type().and_then(|kind| kind.attribute(name)).unwrap_or_default();
    if attribute("format").eq_ignore_ascii_case("flowed") {
        flowed(&text, attribute("delsp").eq_ignore_ascii_case("yes"))
    } else {
        text
    }
}

/// Joins the lines of `format=flowed` (RFC 3676): one that ends with a blank goes on in the next.
fn flowed(text: &str, drops_the_blank: bool) -> String {
    let mut whole = String::with_capacity(text.len());
    // The depth of the line that goes on.
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let content = line.get(depth..).unwrap_or_default();
        // A blank is put before lines that would be taken for something else.
        let content = content.strip_prefix(' ').unwrap_or(content);
        // The mark of a signature ends with a blank and is no flowing line.
        let is_mark = content == "-- ";
        match open.take() {
            Some(before) if before == depth && !is_mark => {}
            before => {
                if before.is_some() || !whole.is_empty() {
                    whole.push('\n');
                }
                whole.extend(std::iter::repeat_n('>', depth));
                if depth > 0 {
                    whole.push(' ');
                }
            }
        }
        let flows = content.ends_with(' ') && !is_mark;
        if flows {
            open = Some(depth);
        }
        whole.push_str(if flows && drops_the_blank { content.trim_end_matches(' ') } else { content });
    }
    whole
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    fn body(raw: &str) -> Body {
        read(&MessageParser::default().parse(raw.as_bytes()).unwrap())
    }

    #[test]
    fn flowing_lines_are_joined_and_signatures_are_not() {
        assert_eq!(
            flowed("Please answer by \nFriday.\n\n-- \nAnna", false),
            "Please answer by Friday.\n\n-- \nAnna"
        );
        assert_eq!(flowed("> one \n> two\n>> three \nfour", false), "> one two\n>> three \nfour");
        assert_eq!(flowed(" From me \nto you", false), "From me to you");
        assert_eq!(flowed("日本 \n語", true), "日本語");
        assert_eq!(flowed("a \n", false), "a ");
    }

    #[test]
    fn several_texts_are_one_and_an_empty_one_gives_way_to_the_html() {
        let mail = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nOne\r\n--b\r\n\r\nTwo\r\n--b--\r\n";
        assert_eq!(body(mail).text, "One\n\nTwo");
        let mail = "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Three</p>\r\n--b--\r\n";
        assert_eq!(body(mail).text, "Three");
    }

    #[test]
    fn a_mail_without_a_text_shows_its_subject() {
        let read = body("Subject: Call\r\n me\r\n\r\n\r\n");
        assert_eq!((read.text.as_str(), read.letter.subject.as_deref()), ("Call me", Some("Call me")));
        assert_eq!(read.letter.full_text, None);
    }

    #[test]
    fn what_is_not_shown_is_kept_up_to_a_limit() {
        let read = body("Subject: s\r\n\r\nYes\r\n> No\r\n");
        assert_eq!((read.text.as_str(), read.letter.full_text.as_deref()), ("Yes", Some("Yes\n> No")));
        assert!(!read.is_cut);
        let read = body(&format!("Subject: s\r\n\r\n{}", "word ".repeat(200_000)));
        assert_eq!((read.text.len(), read.is_cut), (TEXT_MAX, true));
        assert!(read.letter.full_text.unwrap().len() > FULL_MAX - 2);
    }
}
