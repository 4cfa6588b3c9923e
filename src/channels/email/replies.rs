//! What a mail server's replies mean.
//!
//! The enhanced code (RFC 3463) counts more than the bare one, and the step more than both: who cannot log in is refused
//! for all mail, who does not exist for one.

use crate::model::effect::{Attempt, Refusal};

use crate::channels::codec::Verdict;
use crate::channels::fault::Fault;
use crate::channels::wire::{SMTP_STEP, SmtpStep, WireResponse};

/// How long to wait when the login or the sender is refused: a person has to act, and servers lock accounts that try
/// too often.
const LOGIN_WAIT_MS: u64 = 10 * 60 * 1000;

/// How long a server that does not know us yet makes senders wait (greylisting): five minutes are what most ask for.
const GREYLIST_WAIT_MS: u64 = 5 * 60 * 1000;

/// How long to wait for a full mailbox. Nobody empties it within minutes.
const FULL_WAIT_MS: u64 = 60 * 60 * 1000;

/// What a reply means. `id`: that of the mail, without the angle brackets.
pub(super) fn read(
    fault: Fault<'_>,
    response: &WireResponse,
    id: impl FnOnce() -> Option<String>,
) -> Verdict {
    let text = String::from_utf8_lossy(&response.body);
    let error = format!("{} {}", response.status, text.trim());
    let error = error.trim_end();
    match response.status {
        200..=299 => Verdict::Ended(Attempt::Delivered { external_id: id() }),
        400..=599 => failed(fault, response.status, enhanced(&text), step(response), error),
        // No reply that ends a mail: who speaks there is no mail server, or is out of step with us.
        _ => fault.ambiguous(&format!("not a reply to a mail: {error}")),
    }
}

fn failed(
    fault: Fault<'_>,
    status: u16,
    enhanced: Option<(u16, u16)>,
    step: SmtpStep,
    error: &str,
) -> Verdict {
    let is_transient = status < 500;
    let refused_account =
        |what: &str| fault.retry_channel(Some(LOGIN_WAIT_MS), &format!("{what} ({error}): check `smtp`"));
    match (step, status) {
        // It goes away, or has too much to do: for all mail.
        (_, 421) => fault.retry_channel(None, error),
        (SmtpStep::Greeting | SmtpStep::Login | SmtpStep::Sender, _) if is_transient => {
            fault.retry_channel(None, error)
        }
        (SmtpStep::Greeting, _) => refused_account("the server takes no mail from here"),
        (SmtpStep::Login, _) => refused_account("login refused"),
        (_, 530 | 534 | 535 | 538) => refused_account("the server wants a login"),
        // Too large is a matter of the one mail.
        (SmtpStep::Sender, _) if !is_too_large(status, enhanced) => sender_refused(fault, error),
        _ if is_transient => {
            let is_greylisted = matches!(status, 450 | 451)
                && enhanced.is_none_or(|(subject, detail)| subject == 7 || (subject, detail) == (2, 0));
            let wait = match enhanced {
                Some((2, 2)) => Some(FULL_WAIT_MS),
                _ => is_greylisted.then_some(GREYLIST_WAIT_MS),
            };
            fault.retry(wait, error)
        }
        _ => of_one_mail(fault, status, enhanced, step, error),
    }
}

/// The server takes no mail from our address: a person has to act.
fn sender_refused(fault: Fault<'_>, error: &str) -> Verdict {
    fault.retry_channel(Some(LOGIN_WAIT_MS), &format!("sender refused ({error}): check `address`"))
}

/// A 5xx that concerns one mail.
fn of_one_mail(
    fault: Fault<'_>,
    status: u16,
    enhanced: Option<(u16, u16)>,
    step: SmtpStep,
    error: &str,
) -> Verdict {
    match enhanced {
        Some((2, 2)) => fault.retry(Some(FULL_WAIT_MS), error),
        // Said of the sender, whatever the step.
        Some((1, 7 | 8)) => sender_refused(fault, error),
        // No such mailbox, no such domain, or one that is closed.
        Some((1, _) | (2, 1)) => fault.refused(Refusal::Blocked, error),
        Some(_) => fault.refused(Refusal::Permanent, error),
        None => match (step, status) {
            (_, 552) => fault.retry(Some(FULL_WAIT_MS), error),
            (SmtpStep::Recipient, 550 | 551 | 553) => fault.refused(Refusal::Blocked, error),
            _ => fault.refused(Refusal::Permanent, error),
        },
    }
}

fn is_too_large(status: u16, enhanced: Option<(u16, u16)>) -> bool {
    matches!(enhanced, Some((2, 3) | (3, 4))) || (status == 552 && enhanced.is_none())
}

/// Which step the server replied to; the last one when nothing says it.
fn step(response: &WireResponse) -> SmtpStep {
    let word = response.headers.get(SMTP_STEP).and_then(|value| value.to_str().ok());
    SmtpStep::ALL.into_iter().find(|step| Some(step.as_str()) == word).unwrap_or(SmtpStep::Message)
}

/// Subject and detail of an enhanced code such as `5.1.1` at the beginning of a line.
fn enhanced(text: &str) -> Option<(u16, u16)> {
    text.lines().find_map(|line| {
        let word = line.split_whitespace().next()?;
        let mut numbers = word.split('.');
        let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let is_code = numbers.next().is_none() && matches!(class, "4" | "5");
        is_code.then_some((subject.parse().ok()?, detail.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::channels::codec::Progress;

    fn meaning(step: SmtpStep, status: u16, text: &str) -> String {
        let headers = HeaderMap::from_iter([(SMTP_STEP, HeaderValue::from_static(step.as_str()))]);
        let response = WireResponse { status, headers, body: Bytes::from(text.to_owned()) };
        let progress = Progress::default();
        match read(Fault::new(&progress, &[]), &response, || Some("1@a".to_owned())) {
            Verdict::Ended(Attempt::Retry { after_ms, scope, .. }) => format!("retry {after_ms:?} {scope:?}"),
            Verdict::Ended(Attempt::Refused { reason, .. }) => format!("{reason:?}"),
            Verdict::Ended(Attempt::Ambiguous { .. }) => "ambiguous".to_owned(),
            Verdict::Ended(Attempt::Delivered { external_id }) => {
                format!("delivered {}", external_id.unwrap())
            }
            Verdict::More(_) => "more".to_owned(),
        }
    }

    #[test]
    fn each_documented_reply_has_its_meaning() {
        use SmtpStep::{Greeting, Login, Message, Recipient, Sender};
        let lines: Vec<String> = [
            (Message, 250, "2.0.0 Ok: queued as 4AbC"),
            (Greeting, 421, "4.3.2 Service not available"),
            (Greeting, 554, "5.7.1 No service for you"),
            (Login, 454, "4.7.0 Temporary authentication failure"),
            (Login, 535, "5.7.8 Authentication credentials invalid"),
            (Login, 504, "no mechanism in common"),
            (Sender, 530, "5.7.0 Authentication required"),
            (Sender, 553, "5.7.1 Sender address rejected: not owned by user"),
            (Sender, 451, "4.7.1 Try again later"),
            (Sender, 552, "5.3.4 Message size exceeds fixed limit"),
            (Recipient, 450, "4.2.0 Greylisted, see http://postgrey"),
            (Recipient, 451, "4.7.1 Greylisting in action"),
            (Recipient, 450, "Greylisted"),
            (Recipient, 452, "4.2.2 Over quota"),
            (Recipient, 452, "4.5.3 Too many recipients"),
            (Recipient, 550, "5.1.8 Sender domain not found"),
            (Recipient, 421, "Closing"),
            (Recipient, 550, "5.1.1 <n@b>: Recipient address rejected"),
            (Recipient, 550, "No such user"),
            (Recipient, 550, "5.7.1 Relaying denied"),
            (Recipient, 550, "5.2.1 Mailbox disabled"),
            (Recipient, 552, "5.2.2 Mailbox full"),
            (Recipient, 553, "Mailbox name not allowed"),
            (Recipient, 556, "5.1.10 Recipient address has null MX"),
            (Message, 550, "5.7.26 Unauthenticated mail is not accepted"),
            (Message, 550, "Content rejected"),
            (Message, 552, "5.2.3 Message too large"),
            (Message, 552, "Mailbox full"),
            (Message, 554, "5.7.1 Spam"),
            (Message, 554, "Transaction failed"),
            (Message, 451, "4.3.0 Local error"),
            (Message, 354, "Go ahead"),
            (Message, 0, ""),
        ]
        .into_iter()
        .map(|(step, status, text)| format!("{step:?} {status} {text}: {}", meaning(step, status, text)))
        .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
