//! Reports of delivery (RFC 3464): what became of a mail of ours after a server had taken it.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};

use crate::model::inbound::Fate;

/// The longest reason that is kept, in bytes.
const REASON_MAX: usize = 500;

/// What a report says.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    /// The id of the mail that it is about, without the angle brackets.
    pub(super) message: String,
    /// What became of it; `None`: it is only late.
    pub(super) fate: Option<Fate>,
}

/// Reads a report; `None`: the mail is none, or does not say which mail it is about.
pub(super) fn read(message: &Message<'_>) -> Option<Report> {
    let status = message.parts.iter().find(|part| is_kind(part, "message", "delivery-status"))?;
    let fields = fields(status.contents());
    let value = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let fate = match value("action").unwrap_or_default().to_ascii_lowercase().as_str() {
        "failed" => {
            Some(Fate::Failed { reason: reason(value("status"), value("diagnostic-code")), refusal: None })
        }
        "delivered" => Some(Fate::Delivered),
        // Late, handed on, or spread to several.
        _ => None,
    };
    Some(Report { message: original(message)?, fate })
}

fn is_kind(part: &MessagePart<'_>, kind: &str, subtype: &str) -> bool {
    part.content_type().is_some_and(|found| {
        found.ctype().eq_ignore_ascii_case(kind)
            && found.subtype().is_some_and(|found| found.eq_ignore_ascii_case(subtype))
    })
}

/// The fields of all groups, in their order; folded ones on one line.
fn fields(bytes: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

fn reason(status: Option<&str>, diagnostic: Option<&str>) -> String {
    // `smtp; 550 5.1.1 <a@b>: …`: the kind of the code says nothing to people.
    let diagnostic = diagnostic.map(|text| text.split_once(';').map_or(text, |(_, text)| text).trim());
    let mut reason = match (status, diagnostic) {
        (Some(status), Some(text)) if text.contains(status) => text.to_owned(),
        (Some(status), Some(text)) => format!("{status} {text}"),
        (Some(status), None) => format!("the mail came back ({status})"),
        (None, Some(text)) => text.to_owned(),
        (None, None) => "the mail came back".to_owned(),
    };
    reason = reason.replace(char::is_control, " ");
    reason.truncate(reason.floor_char_boundary(REASON_MAX));
    reason
}

/// The id of the mail that came back, from its head or from the whole of it.
fn original(message: &Message<'_>) -> Option<String> {
    message.parts.iter().find_map(|part| match &part.body {
        PartType::Message(inner) => inner.message_id().map(str::to_owned),
        _ if is_kind(part, "text", "rfc822-headers") || is_kind(part, "message", "rfc822") => {
            let inner = MessageParser::default().parse_headers(part.contents())?;
            inner.message_id().map(str::to_owned)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(action: &str, original: &str) -> Option<Report> {
        let raw = format!(
            "Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
             --b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\n\
             Final-Recipient: rfc822; n@b\r\n{action}\r\n--b\r\n{original}\r\n--b--\r\n"
        );
        read(&MessageParser::default().parse(raw.as_bytes()).unwrap())
    }

    const HEAD: &str = "Content-Type: text/rfc822-headers\r\n\r\nFrom: a@b\r\nMessage-ID: <out.1@b>\r\n";
    const WHOLE: &str =
        "Content-Type: message/rfc822\r\n\r\nFrom: a@b\r\nMessage-ID:\r\n <out.1@b>\r\n\r\nHello\r\n";

    #[test]
    fn a_report_says_what_became_of_which_mail() {
        let failed =
            "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 <n@b>:\r\n No such user";
        for original in [HEAD, WHOLE] {
            let report = report(failed, original).unwrap();
            assert_eq!(report.message, "out.1@b");
            let reason = "550 5.1.1 <n@b>: No such user".to_owned();
            assert_eq!(report.fate, Some(Fate::Failed { reason, refusal: None }));
        }
        assert_eq!(report("Action: delayed\r\nStatus: 4.4.1", HEAD).unwrap().fate, None);
        assert_eq!(report("Action: Delivered", HEAD).unwrap().fate, Some(Fate::Delivered));
    }

    #[test]
    fn a_report_about_nothing_that_it_names_is_none() {
        assert_eq!(report("Action: failed", "Content-Type: text/plain\r\n\r\nHello\r\n"), None);
        assert_eq!(report("Action: failed", "Content-Type: text/rfc822-headers\r\n\r\nFrom: a@b\r\n"), None);
        let mail = MessageParser::default().parse(b"Subject: s\r\n\r\nHello\r\n".as_slice()).unwrap();
        assert_eq!(read(&mail), None);
    }
}
