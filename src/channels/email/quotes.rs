//! What a client wrote, without what their mail program repeats and adds: for show; the whole is kept beside it.
//!
//! Where nothing would be left, everything stays: some people answer between the lines.

/// The most lines over which the line before a quotation is wrapped.
const ATTRIBUTION_LINES: usize = 3;

/// The longest line before a quotation, in bytes.
const ATTRIBUTION_BYTES: usize = 400;

/// The most lines of a signature. More than this behind a `-- ` is something else.
const SIGNATURE_LINES: usize = 20;

/// The most lines between the first of the head of a repeated mail and the other ones.
const HEAD_LINES: usize = 5;

/// The text without the quotation and the signature at its end.
pub(super) fn without(text: &str) -> &str {
    let lines: Vec<Line<'_>> = lines(text).collect();
    let mut end = cut(&lines).unwrap_or(lines.len());
    end = above_signature(&lines, end);
    while end > 0 && lines.get(end - 1).is_some_and(|line| line.says_nothing()) {
        end -= 1;
    }
    let end = end.checked_sub(1).and_then(|last| lines.get(last)).map_or(0, |line| line.end);
    let rest = text.get(..end).unwrap_or(text).trim();
    if rest.is_empty() { text.trim() } else { rest }
}

/// A line, and where it ends in its text.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    end: usize,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut end = 0;
    text.split_inclusive('\n').map(move |line| {
        end += line.len();
        Line { text: line.trim_end_matches(['\n', '\r']), end }
    })
}

impl Line<'_> {
    fn trimmed(&self) -> &str {
        self.text.trim()
    }

    fn is_quoted(&self) -> bool {
        self.text.trim_start().starts_with('>')
    }

    /// Empty, quoted, or what a telephone adds.
    fn says_nothing(&self) -> bool {
        self.trimmed().is_empty() || self.is_quoted() || is_of_a_device(self.trimmed())
    }
}

/// Where what is repeated begins.
fn cut(lines: &[Line<'_>]) -> Option<usize> {
    (0..lines.len()).find(|at| {
        let rest = lines.get(*at..).unwrap_or_default();
        begins_repetition(rest)
            || (1..=ATTRIBUTION_LINES).any(|count| {
                let (Some(head), Some(behind)) = (rest.get(..count), rest.get(count..)) else { return false };
                is_attribution(head)
                    && behind.iter().any(Line::is_quoted)
                    && behind.iter().all(Line::says_nothing)
            })
    })
}

/// `On Monday Ann wrote:` in the languages of most mail programs.
fn is_attribution(head: &[Line<'_>]) -> bool {
    const ENDS: [&str; 14] = [
        "пишет:",
        "написал:",
        "написала:",
        "написал(а):",
        "писал:",
        "писал(а):",
        "пише:",
        "wrote:",
        "schrieb:",
        "a écrit:",
        "a écrit :",
        "escribió:",
        "ha scritto:",
        "escreveu:",
    ];
    let length: usize = head.iter().map(|line| line.text.len()).sum();
    if length > ATTRIBUTION_BYTES
        || head.iter().any(|line| line.is_quoted() || line.trimmed().is_empty())
        // A wrapped one names a date or an address; a sentence before it is not a part of it.
        || (head.len() > 1
            && !head.first().is_some_and(|line| {
                line.text.contains(|character: char| character.is_ascii_digit() || character == '@')
            }))
    {
        return false;
    }
    let joined = head.iter().map(Line::trimmed).collect::<Vec<_>>().join(" ").to_lowercase();
    let joined = joined.replace('\u{a0}', " ");
    // Gmail in Russian names the address and no verb.
    let names_an_address =
        joined.ends_with(">:") && joined.contains('@') && joined.contains(|it: char| it.is_ascii_digit());
    names_an_address || ENDS.iter().any(|end| joined.ends_with(end))
}

/// A mark behind which a mail program repeats the mail that is answered.
fn begins_repetition(rest: &[Line<'_>]) -> bool {
    const ORIGINAL: [&str; 7] = [
        "original message",
        "исходное сообщение",
        "исходное письмо",
        "ursprüngliche nachricht",
        "original-nachricht",
        "message d'origine",
        "mensaje original",
    ];
    let Some(first) = rest.first() else { return false };
    let line = first.trimmed();
    if line.len() >= 10 && line.bytes().all(|byte| byte == b'_') {
        return true;
    }
    if let Some(inner) = line.strip_prefix("--") {
        let inner = inner.trim_matches(['-', ' ']).to_lowercase();
        return ORIGINAL.iter().any(|words| inner.starts_with(words));
    }
    // The head of the repeated mail, as Outlook writes it.
    let key_of = |line: &Line<'_>| {
        let key = line.trimmed().trim_start_matches('*').split_once(':').map(|(key, _)| key)?;
        (key.len() <= 24).then(|| key.trim_matches(['*', ' ']).to_lowercase())
    };
    let is = |key: Option<String>, names: &[&str]| key.is_some_and(|key| names.contains(&key.as_str()));
    is(key_of(first), &["from", "от", "von", "de"])
        && [
            ["sent", "date", "отправлено", "дата", "gesendet", "envoyé", "enviado"].as_slice(),
            ["to", "кому", "an", "à", "para", "получатели"].as_slice(),
        ]
        .iter()
        .all(|names| rest.iter().skip(1).take(HEAD_LINES).any(|line| is(key_of(line), names)))
}

/// What telephones and mail programs write below.
fn is_of_a_device(line: &str) -> bool {
    const BEGINNINGS: [&str; 18] = [
        "отправлено с iphone",
        "отправлено с ipad",
        "отправлено с android",
        "отправлено с моего",
        "отправлено с помощью",
        "отправлено с устройства",
        "отправлено из мобильн",
        "отправлено из почт",
        "отправлено из mail",
        "отправлено из outlook",
        "отправлено из яндекс",
        "sent from my ",
        "sent from mail",
        "sent from outlook",
        "get outlook for ",
        "von meinem ",
        "gesendet von ",
        "envoyé de mon ",
    ];
    let lower = line.to_lowercase();
    line.len() <= 120 && BEGINNINGS.iter().any(|beginning| lower.starts_with(beginning))
}

/// Where a signature of the standard form begins, or `end`.
fn above_signature(lines: &[Line<'_>], end: usize) -> usize {
    let mark = lines.iter().take(end).rposition(|line| matches!(line.text, "-- " | "--"));
    match mark {
        Some(at) => {
            let signature = lines.get(at + 1..end).unwrap_or_default();
            let count = signature.iter().filter(|line| !line.says_nothing()).count();
            if count <= SIGNATURE_LINES { at } else { end }
        }
        None => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_and_signatures_at_the_end_are_left_out() {
        for text in [
            "Yes.\n\nOn Mon, 12 Jan 2026 at 11:40, Sales <sales@shop.example> wrote:\n> Hello\n>\n>> How much?\n",
            "Yes.\n\nOn Mon, 12 Jan 2026 at 11:40, Sales\n<sales@shop.example>\nwrote:\n\n> Hello\n\nSent from my iPhone\n",
            "Yes.\r\n\r\n12.01.2026 11:40, Отдел продаж пишет:\r\n> Здравствуйте\r\n\r\nОтправлено с iPhone\r\n",
            "Yes.\nпн, 12 янв. 2026 г. в 11:40, Sales <s@shop.example>:\n> Hello",
            "Yes.\n> Hello\n> there\n",
            "Yes.\n-- \nAnna\n+7 900\n",
            "Yes.\n-- \nAnna\n\nOn Monday Sales wrote:\n> Hello\n",
            "Yes.\n\n-----Original Message-----\nFrom: Sales\nHello\n",
            "Yes.\n\n-------- Исходное сообщение --------\nТекст\n",
            "Yes.\n________________________________\nFrom: Sales\nHello\n",
            "Yes.\n\nFrom: Sales <s@shop.example>\nSent: Monday\nTo: Anna\nSubject: x\n\nHello\n",
            "Yes.\n\n*От:* Sales\n*Отправлено:* 12 января\n*Кому:* Anna\n\nТекст\n",
            "\n\nYes.\n\n\n",
        ] {
            assert_eq!(without(text), "Yes.", "{text}");
        }
    }

    #[test]
    fn what_is_not_surely_repeated_stays() {
        for text in [
            "> How much?\n990\n> When?\nFriday",
            "He wrote:\nsomething that I do not understand",
            "From: my heart\nTo: you",
            "a -- b\n--- c",
            "See below.\n\n---------- Forwarded message ----------\nFrom: Bob\nHello",
        ] {
            assert_eq!(without(text), text, "{text}");
        }
        let long = format!("Text.\n-- \n{}", "line\n".repeat(40));
        assert_eq!(without(&long), long.trim());
    }

    #[test]
    fn where_nothing_would_be_left_everything_stays() {
        for text in ["> Hello", "-- \nAnna", "On Monday Sales wrote:\n> Hello", "Sent from my iPhone"] {
            assert_eq!(without(text), text);
        }
        assert_eq!(without(""), "");
    }

    proptest::proptest! {
        #[test]
        fn what_is_left_is_a_part_of_the_text(text in "(>|-- |On 1 wrote:|From: a|To: b|Sent: c|[a-я ]{1,5}|\r?\n){0,40}") {
            let rest = without(&text);
            proptest::prop_assert!(text.contains(rest));
            proptest::prop_assert_eq!(rest.is_empty(), text.trim().is_empty());
        }
    }
}
