//! HTML as text: what a reader sees, without anything that acts.
//!
//! The tokens come from the parser of browsers (`html5ever`), so that tags, entities and scripts are told apart as a
//! browser does; no tree is made, so that nothing can be nested too deeply. Quotations get a `>` before each line, as
//! in plain mail.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// The deepest quotation that is marked as such. Longer threads than this are read by nobody.
const QUOTES_MAX: usize = 8;

/// The longest address of a link that is written beside its words. Longer ones are for machines.
const LINK_MAX: usize = 300;

/// The longest words in place of a picture that are shown: an emoji.
const EMOJI_MAX: usize = 4;

/// Stands where a mail program begins what it repeats; see `quotes.rs`.
const REPEATED: &str = "________________________________";

/// The text of `html`; ends when it has `bytes_max` bytes.
pub(super) fn text(html: &str, bytes_max: usize) -> String {
    let writer = Writer { state: RefCell::new(State { bytes_max, ..State::default() }) };
    let tokenizer = Tokenizer::new(writer, TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(html));
    // Nobody runs scripts, so nothing is left to be done in between.
    drop(tokenizer.feed(&queue));
    tokenizer.end();
    tokenizer.sink.state.into_inner().text
}

struct Writer {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    text: String,
    bytes_max: usize,
    /// White space came since the last word.
    has_space: bool,
    /// Line ends that come before the next word.
    breaks: usize,
    quotes: usize,
    /// The element whose content is not shown.
    hidden: Option<String>,
    /// White space counts as it stands.
    is_preformatted: bool,
    /// The address of the present link, and where its words begin.
    link: Option<(String, usize)>,
}

impl TokenSink for Writer {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.words(&text),
            Token::TagToken(tag) => {
                return match tag.kind {
                    TagKind::StartTag => state.start(&tag),
                    TagKind::EndTag => {
                        state.end(&tag.name);
                        TokenSinkResult::Continue
                    }
                };
            }
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn words(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        for character in text.chars() {
            match character {
                '\n' if self.is_preformatted => self.line_end(),
                ' ' | '\t' if self.is_preformatted => self.character(' '),
                ' ' | '\t' | '\n' | '\r' | '\u{c}' => self.has_space = true,
                // What mail programs put in to keep blanks apart.
                '\u{a0}' => self.character(' '),
                other if other.is_control() => {}
                other => self.character(other),
            }
        }
    }

    fn character(&mut self, character: char) {
        if self.text.len() >= self.bytes_max {
            return;
        }
        let is_beginning = self.text.is_empty();
        if self.breaks > 0 || is_beginning {
            if !is_beginning {
                self.text.extend(std::iter::repeat_n('\n', self.breaks));
            }
            self.text.extend(std::iter::repeat_n("> ", self.quotes));
        } else if self.has_space {
            self.text.push(' ');
        }
        self.breaks = 0;
        self.has_space = false;
        self.text.push(character);
    }

    fn line_end(&mut self) {
        self.breaks = (self.breaks + 1).min(2);
    }

    fn block(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
    }

    fn line(&mut self, line: &str) {
        self.block(2);
        line.chars().for_each(|character| self.character(character));
        self.block(1);
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let attribute = |name: &str| {
            tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|it| &*it.value)
        };
        if self.hidden.is_some() {
            return TokenSinkResult::Continue;
        }
        if let Some("divRplyFwdMsg" | "appendonsend" | "mail-editor-reference-message-container") =
            attribute("id")
        {
            self.line(REPEATED);
        }
        let name: &str = &tag.name;
        match name {
            "script" | "style" | "title" | "textarea" | "iframe" | "noframes" | "noembed" | "xmp" => {
                self.hidden = Some(name.to_owned());
                return TokenSinkResult::RawData(match name {
                    "script" => RawKind::ScriptData,
                    "title" | "textarea" => RawKind::Rcdata,
                    _ => RawKind::Rawtext,
                });
            }
            "br" => self.line_end(),
            "li" => {
                self.block(1);
                "- ".chars().for_each(|character| self.character(character));
            }
            "blockquote" => {
                self.block(2);
                self.quotes = (self.quotes + 1).min(QUOTES_MAX);
            }
            "pre" => {
                self.block(2);
                self.is_preformatted = true;
            }
            "a" => {
                let address = attribute("href").map(str::trim).filter(|href| is_shown(href));
                self.link = address.map(|address| (address.to_owned(), self.text.len()));
            }
            "img" => {
                let words = attribute("alt").unwrap_or_default();
                let is_emoji =
                    words.chars().count() <= EMOJI_MAX && !words.chars().any(char::is_alphanumeric);
                if is_emoji {
                    self.words(words);
                }
            }
            other => self.block(breaks_of(other)),
        }
        if matches!(name, "td" | "th") {
            self.has_space = true;
        }
        TokenSinkResult::Continue
    }

    fn end(&mut self, name: &str) {
        if let Some(hidden) = &self.hidden {
            if hidden == name {
                self.hidden = None;
            }
            return;
        }
        match name {
            "blockquote" => {
                self.block(2);
                self.quotes = self.quotes.saturating_sub(1);
            }
            "pre" => {
                self.block(2);
                self.is_preformatted = false;
            }
            "a" => self.end_link(),
            other => self.block(breaks_of(other)),
        }
    }

    /// Writes the address of a link beside its words, unless they are the address themselves.
    fn end_link(&mut self) {
        let Some((address, begin)) = self.link.take() else { return };
        let words = self.text.get(begin..).unwrap_or_default().trim();
        let bare = |text: &str| {
            text.trim_start_matches("https://")
                .trim_start_matches("http://")
                .trim_start_matches("mailto:")
                .trim_end_matches('/')
                .to_owned()
        };
        if !words.is_empty() && bare(words) != bare(&address) {
            format!(" ({address})").chars().for_each(|character| self.character(character));
        }
    }
}

/// Whether an address is one that a reader can use.
fn is_shown(address: &str) -> bool {
    let begin = address.get(..8).unwrap_or(address).to_ascii_lowercase();
    address.len() <= LINK_MAX
        && ["https://", "http://", "mailto:"].iter().any(|scheme| begin.starts_with(scheme))
        && !address.contains(|character: char| character.is_whitespace() || character.is_control())
}

/// The line ends that an element puts before and after itself.
fn breaks_of(name: &str) -> usize {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "table" | "hr" | "figure" => 2,
        "div" | "tr" | "li" | "dt" | "dd" | "section" | "article" | "header" | "footer" | "address"
        | "form" | "center" | "body" | "option" => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> String {
        text(html, 10_000)
    }

    #[test]
    fn what_is_seen_is_kept_and_what_acts_is_not() {
        let html = "<html><head><title>t</title><style>p{color:red}</style></head><body><p>Hello,&nbsp;<b>world</b>!</p>\
                    <script>alert('<p>1</p>')</script><img src=\"https://tracker.example/p.gif\" alt=\"\">\
                    <div>one</div><div>two<br>three</div><div><br></div><div>four</div>\
                    <ul><li>a<li>b</ul><table><tr><td>1</td><td>2</td></tr></table></body></html>";
        insta::assert_snapshot!(shown(html), @r"
        Hello, world!

        one
        two
        three

        four

        - a
        - b

        1 2
        ");
    }

    #[test]
    fn quotations_are_marked_as_in_plain_mail() {
        let html = "<div>Yes.</div><div class=\"gmail_quote\"><div>On Mon, Ann wrote:<br></div>\
                    <blockquote>one<br>two<blockquote>three</blockquote></blockquote></div>";
        insta::assert_snapshot!(shown(html), @r"
        Yes.
        On Mon, Ann wrote:

        > one
        > two

        > > three
        ");
        assert_eq!(shown("a<div id=\"appendonsend\"></div>b"), format!("a\n\n{REPEATED}\nb"));
    }

    #[test]
    fn a_link_shows_where_it_leads_when_its_words_do_not() {
        assert_eq!(shown("<a href=\"https://a.example/x\">here</a>."), "here (https://a.example/x).");
        assert_eq!(shown("<a href=\"https://a.example/\">a.example</a>"), "a.example");
        assert_eq!(shown("<a href=\"mailto:b@a.example\">b@a.example</a>"), "b@a.example");
        assert_eq!(shown("<a href=\"javascript:alert(1)\">here</a>"), "here");
        assert_eq!(shown("<a href=\"https://a.example/x\"><img src=x></a>"), "");
    }

    #[test]
    fn an_emoji_that_is_a_picture_is_shown() {
        assert_eq!(shown("ok <img alt=\"\u{1f44d}\"> <img alt=\"Logo\">"), "ok \u{1f44d}");
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = format!("{}x", "<blockquote>".repeat(50_000));
        assert_eq!(shown(&deep), format!("{}x", "> ".repeat(QUOTES_MAX)));
        assert!(text(&"<p>word</p>".repeat(1000), 100).len() < 120);
        assert_eq!(shown("<style>p{}"), "");
    }

    proptest::proptest! {
        #[test]
        fn any_html_is_read(html in "(<(/?)(p|a href='|blockquote|script|style|!--|pre|br|img alt='')[> ']?|\\PC|&amp;|&#x1F;|\n){0,60}") {
            let text = text(&html, 200);
            proptest::prop_assert!(text.len() < 200 + 40 + LINK_MAX);
            proptest::prop_assert!(!text.chars().any(|character| character.is_control() && character != '\n'));
        }
    }
}
