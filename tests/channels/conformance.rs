//! What every channel must do. A new messenger is one more [`Subject`].

use proptest::prelude::*;
use switchboard::channels::{EncodeError, Outbound, Progress, SendFailure, Verdict, VerifyError};
use switchboard::model::channel::SignatureEncoding;
use switchboard::model::effect::{Attempt, Refusal};

use super::*;

/// A channel with what the suite has to know about it.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) channel: Box<dyn Channel>,
    /// The header that carries the proof, or [`IN_BODY`].
    proof: &'static str,
    /// A body, and the right proof for it.
    body: Vec<u8>,
    right: String,
    /// The secrets that must never show.
    secrets: &'static [&'static str],
    /// An answer that says that a message was taken.
    pub(crate) taken: &'static str,
    /// Folders with bodies that the channel knows.
    pub(crate) fixtures: &'static str,
    /// What a call is answered with.
    answer: &'static str,
    /// The text that a request carries.
    text_of: fn(&Outbound) -> String,
    /// Somebody who can be written to.
    user: &'static str,
}

/// The proof is a part of the body; how it can be forged is for the messenger's own tests.
const IN_BODY: &str = "";

impl Subject {
    /// The headers of an authentic call.
    fn proven(&self) -> HeaderMap {
        if self.proof == IN_BODY { HeaderMap::new() } else { header(self.proof, &self.right) }
    }

    /// A text for somebody who can be written to.
    fn send(&self, text: &str) -> Effect {
        let mut effect = send(text);
        if let EffectAction::Send(outgoing) = &mut effect.action {
            outgoing.user = self.user.to_owned();
        }
        effect
    }
}

/// The body of a request.
fn body_of(outbound: &Outbound) -> &[u8] {
    match outbound {
        Outbound::Http(request) => &request.body,
        Outbound::Mail(mail) => &mail.message,
    }
}

fn text_at(outbound: &Outbound, place: &str) -> String {
    let body: Value = serde_json::from_slice(body_of(outbound)).unwrap();
    body.pointer(place).unwrap().as_str().unwrap().to_owned()
}

/// The text of a request whose body is JSON with a text at the top.
fn text_of_json(outbound: &Outbound) -> String {
    text_at(outbound, "/text")
}

/// The text of a request to WhatsApp.
fn text_of_whatsapp(outbound: &Outbound) -> String {
    text_at(outbound, "/text/body")
}

/// The text of a request to Messenger or Instagram.
fn text_of_message(outbound: &Outbound) -> String {
    text_at(outbound, "/message/text")
}

/// The text of a request whose body is a form.
fn message_of_form(outbound: &Outbound) -> String {
    super::vk::form(body_of(outbound)).remove("message").unwrap()
}

/// The text of a mail.
fn text_of_mail(outbound: &Outbound) -> String {
    let mail = mail_parser::MessageParser::default().parse(body_of(outbound)).unwrap();
    mail.body_text(0).unwrap().trim_end().to_owned()
}

const META_PROOF: &str = "x-hub-signature-256";
const META_SECRETS: &[&str] = &[META_TOKEN, META_APP_SECRET, META_VERIFY_TOKEN];

pub(crate) fn subjects() -> Vec<Subject> {
    let vectors: Value = serde_json::from_slice(&fixture("signature_vectors.json")).unwrap();
    let right = |channel: &str| {
        let vector = vectors.as_array().unwrap().iter().find(|vector| vector["channel"] == channel).unwrap();
        (fixture(vector["file"].as_str().unwrap()), vector["value"].as_str().unwrap().to_owned())
    };
    let (update, token) = right("telegram");
    let (event, event_signature) = right("viber");
    let (created, max_secret) = right("max");
    let (lead_body, signature) = right("webhook");
    let (whatsapp_body, whatsapp_signature) = right("whatsapp");
    let (messenger_body, messenger_signature) = right("messenger");
    let (instagram_body, instagram_signature) = right("instagram");
    vec![
        Subject {
            name: "telegram",
            channel: telegram(),
            proof: "x-telegram-bot-api-secret-token",
            body: update,
            right: token,
            secrets: &[TOKEN, "AAExampleTokenCanary", WEBHOOK_SECRET],
            taken: r#"{"ok":true,"result":{"message_id":1}}"#,
            fixtures: "telegram",
            answer: "",
            user: "1111111",
            text_of: text_of_json,
        },
        Subject {
            name: "whatsapp",
            channel: whatsapp(),
            proof: META_PROOF,
            body: whatsapp_body,
            right: whatsapp_signature,
            secrets: META_SECRETS,
            taken: r#"{"messages":[{"id":"1"}]}"#,
            fixtures: "whatsapp",
            answer: "",
            user: "1111111",
            text_of: text_of_whatsapp,
        },
        Subject {
            name: "messenger",
            channel: messenger(PAGE),
            proof: META_PROOF,
            body: messenger_body,
            right: messenger_signature,
            secrets: META_SECRETS,
            taken: r#"{"recipient_id":"2","message_id":"1"}"#,
            fixtures: "messenger",
            answer: "",
            user: "1111111",
            text_of: text_of_message,
        },
        Subject {
            name: "instagram",
            channel: instagram(ACCOUNT),
            proof: META_PROOF,
            body: instagram_body,
            right: instagram_signature,
            secrets: META_SECRETS,
            taken: r#"{"recipient_id":"2","message_id":"1"}"#,
            fixtures: "instagram",
            answer: "",
            user: "1111111",
            text_of: text_of_message,
        },
        Subject {
            name: "viber",
            channel: viber(),
            proof: "x-viber-content-signature",
            body: event,
            right: event_signature,
            secrets: &[VIBER_TOKEN],
            taken: r#"{"status":0,"status_message":"ok","message_token":1}"#,
            fixtures: "viber",
            answer: "",
            user: "1111111",
            text_of: text_of_json,
        },
        Subject {
            name: "vk",
            channel: vk(Groups::Refuse),
            proof: IN_BODY,
            body: fixture("vk/message_new.json"),
            right: String::new(),
            secrets: &[VK_TOKEN, VK_SECRET],
            taken: r#"{"response":1}"#,
            fixtures: "vk",
            answer: "ok",
            user: "1111111",
            text_of: message_of_form,
        },
        Subject {
            name: "max",
            channel: max(Groups::Refuse),
            proof: "x-max-bot-api-secret",
            body: created,
            right: max_secret,
            secrets: &[MAX_TOKEN, MAX_SECRET],
            taken: r#"{"message":{"body":{"mid":"1"}}}"#,
            fixtures: "max",
            answer: "",
            user: "1111111",
            text_of: text_of_json,
        },
        Subject {
            name: "email",
            channel: email(),
            proof: "x-switchboard-secret",
            body: fixture("email/plain.eml"),
            right: WEBHOOK_SECRET.to_owned(),
            secrets: &[WEBHOOK_SECRET, TOKEN],
            taken: "2.0.0 Ok: queued",
            fixtures: "email",
            answer: "",
            user: "anna@client.example",
            text_of: text_of_mail,
        },
        Subject {
            name: "webhook",
            channel: webhook(lead(), SignatureEncoding::Hex),
            proof: "x-signature",
            body: lead_body,
            right: signature,
            secrets: &[WEBHOOK_KEY],
            taken: r#"{"result":{"message":{"id":"1"}}}"#,
            fixtures: "webhook",
            answer: "",
            user: "1111111",
            text_of: text_of_json,
        },
    ]
}

/// The end of an attempt, in a word.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::More(_) => "more",
        Verdict::Ended(Attempt::Delivered { .. }) => "delivered",
        Verdict::Ended(Attempt::Retry { after_ms: Some(_), .. }) => "retry after a wait",
        Verdict::Ended(Attempt::Retry { after_ms: None, .. }) => "retry",
        Verdict::Ended(Attempt::Ambiguous { .. }) => "ambiguous",
        Verdict::Ended(Attempt::Refused { reason: Refusal::Permanent, .. }) => "refused: permanent",
        Verdict::Ended(Attempt::Refused { reason: Refusal::Blocked, .. }) => "refused: blocked",
        Verdict::Ended(Attempt::Refused { reason: Refusal::Gone, .. }) => "refused: gone",
        Verdict::Ended(Attempt::Refused { reason: Refusal::WindowClosed, .. }) => "refused: window closed",
    }
}

fn error_of(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Ended(
            Attempt::Retry { error, .. } | Attempt::Refused { error, .. } | Attempt::Ambiguous { error, .. },
        ) => error,
        Verdict::More(_) | Verdict::Ended(Attempt::Delivered { .. }) => "",
    }
}

#[test]
fn an_authentic_call_is_taken() {
    for subject in subjects() {
        let proven = subject.proven();
        let Subject { name, channel, proof, body, answer, .. } = subject;
        assert_eq!(channel.verify(&call(&proven, &body)), Ok(()), "{name}");
        // Before the body is there the head is not refused, and without its proof it is.
        assert_eq!(channel.verify_head(&call(&proven, b"").head()), Ok(()), "{name}");
        let bare = channel.verify_head(&call(&HeaderMap::new(), &body).head());
        assert_eq!(bare.is_ok(), proof == IN_BODY, "{name}");
        assert_eq!(channel.kind().as_str(), name);
        let decoded = channel.decode(&call(&HeaderMap::new(), &body)).unwrap();
        assert_eq!(decoded.received.len(), 1, "{name}");
        assert!(decoded.answer.status.is_success(), "{name}");
        assert_eq!(decoded.answer.body, answer, "{name}");
    }
}

#[test]
fn every_vector_of_signatures_holds() {
    let vectors: Value = serde_json::from_slice(&fixture("signature_vectors.json")).unwrap();
    for vector in vectors.as_array().unwrap() {
        let text = |key: &str| vector[key].as_str().unwrap();
        let channel = match (text("channel"), vector["encoding"].as_str()) {
            ("telegram", _) => telegram(),
            ("whatsapp", _) => whatsapp(),
            ("messenger", _) => messenger(PAGE),
            ("instagram", _) => instagram(ACCOUNT),
            ("viber", _) => viber(),
            ("max", _) => max(Groups::Refuse),
            (_, Some("base64")) => webhook(lead(), SignatureEncoding::Base64),
            _ => webhook(lead(), SignatureEncoding::Hex),
        };
        let (headers, body) = (header(text("header"), text("value")), fixture(text("file")));
        assert_eq!(channel.verify(&call(&headers, &body)), Ok(()), "{vector}");
    }
}

#[test]
fn a_forged_call_is_refused() {
    for Subject { name, channel, proof, body, right, .. } in subjects() {
        let none = HeaderMap::new();
        let get = WebhookCall { method: &Method::GET, ..call(&none, &body) };
        assert_eq!(channel.verify(&get), Err(VerifyError::Method), "{name}");
        if proof == IN_BODY {
            continue;
        }
        let verify =
            |headers: &HeaderMap| channel.verify(&call(headers, &body)).map_err(|error| error.reason());
        assert_eq!(verify(&HeaderMap::new()), Err("missing"), "{name}");
        assert_eq!(verify(&header(proof, "")), Err("empty"), "{name}");
        assert_eq!(verify(&header("x-other", &right)), Err("missing"), "{name}");

        let mut twice = header(proof, &right);
        twice.append(proof, HeaderValue::from_str(&right).unwrap());
        assert_eq!(verify(&twice), Err("duplicate"), "{name}");

        let mut raw = HeaderMap::new();
        raw.insert(proof, HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        assert!(verify(&raw).is_err(), "{name}");

        // Each beginning of the proof, the proof with more behind it, and each single wrong character.
        for end in 1..right.len() {
            assert!(verify(&header(proof, right.get(..end).unwrap())).is_err(), "{name}: the first {end}");
        }
        assert!(verify(&header(proof, &format!("{right}0"))).is_err(), "{name}");
        assert!(verify(&header(proof, &format!("{right},{right}"))).is_err(), "{name}");
        for at in 0..right.len() {
            let mut wrong = right.clone().into_bytes();
            wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(verify(&header(proof, &wrong)).is_err(), "{name}: {wrong}");
        }
        let headers = header(proof, &right);
        let get = WebhookCall { method: &Method::GET, ..call(&headers, &body) };
        assert_eq!(channel.verify(&get), Err(VerifyError::Method), "{name}");
    }
}

#[test]
fn a_changed_body_breaks_a_signature() {
    for Subject { name, channel, proof, mut body, right, .. } in subjects() {
        // They sign nothing: the secret itself goes along.
        if ["telegram", "vk", "max", "email"].contains(&name) {
            continue;
        }
        body.push(b' ');
        let verified = channel.verify(&call(&header(proof, &right), &body));
        assert_eq!(verified, Err(VerifyError::Mismatch), "{name}");
    }
}

/// Status by status, with no body, with HTML and with JSON of somebody else.
#[test]
fn every_status_has_a_meaning() {
    let effect = send("hello");
    for Subject { name, channel, .. } in subjects() {
        let mut lines: Vec<(u16, u16, &'static str)> = Vec::new();
        for status in 0..=999_u16 {
            let classify = |body: &'static str| {
                channel.classify(&effect, &Progress::default(), Ok(&answer(status, body)))
            };
            let verdict = classify("");
            for body in ["<html>no</html>", "{}", "[1]", "\"x\""] {
                assert_eq!(word(&classify(body)), word(&verdict), "{name} {status} {body}");
            }
            let word = word(&verdict);
            assert!((200..300).contains(&status) || word != "delivered", "{name} {status}");
            match lines.last_mut() {
                Some((_, last, same)) if *same == word => *last = status,
                _ => lines.push((status, status, word)),
            }
        }
        let table: Vec<String> =
            lines.iter().map(|(first, last, word)| format!("{first:03}-{last:03} {word}")).collect();
        insta::assert_snapshot!(format!("statuses__{name}"), table.join("\n"));
    }
}

#[test]
fn a_missing_answer_is_a_retry_only_when_nothing_was_sent() {
    let effect = Effect { parts_done: 0, ..send("hello") };
    for Subject { name, channel, secrets, .. } in subjects() {
        let reason = format!("/bot{}/x\r\n", secrets.join("/"));
        let progress = Progress { parts_done: 3, ..Progress::default() };
        for (failure, expected) in [
            (SendFailure::NotSent(reason.clone()), "retry"),
            (SendFailure::Ambiguous(reason.clone()), "ambiguous"),
            (SendFailure::TooLarge, "ambiguous"),
            (SendFailure::Refused(reason.clone()), "refused: permanent"),
        ] {
            let verdict = channel.classify(&effect, &progress, Err(&failure));
            assert_eq!(word(&verdict), expected, "{name}");
            let error = error_of(&verdict);
            assert!(!error.is_empty() && !error.contains(char::is_control), "{name}: {error}");
            assert!(!secrets.iter().any(|secret| error.contains(secret)), "{name}: {error}");
            // What arrived before is not forgotten.
            let (Verdict::Ended(Attempt::Retry { parts_done, .. })
            | Verdict::Ended(Attempt::Ambiguous { parts_done, .. })
            | Verdict::Ended(Attempt::Refused { parts_done, .. })) = verdict
            else {
                panic!("{name}: {verdict:?}");
            };
            assert_eq!(parts_done, 3, "{name}");
        }
    }
}

#[test]
fn the_longest_text_goes_out_whole_and_no_longer_one_begins() {
    for subject in subjects() {
        let Subject { name, channel, taken, text_of, .. } = &subject;
        let capabilities = channel.capabilities();
        let word_length = capabilities.text.length - 1;
        let words: Vec<String> = (0..capabilities.parts_max).map(|_| "ж".repeat(word_length / 2)).collect();
        let effect = subject.send(&words.join(" "));
        let mut progress = Progress::resume(&effect);
        let mut requests = 0;
        loop {
            let text = text_of(&channel.outbound(&effect, &progress).unwrap());
            assert!(capabilities.text.unit.measure(&text) <= capabilities.text.length, "{name}");
            requests += 1;
            match channel.classify(&effect, &progress, Ok(&answer(200, *taken))) {
                Verdict::More(further) => progress = further,
                Verdict::Ended(attempt) => {
                    let Attempt::Delivered { external_id: Some(id) } = attempt else {
                        panic!("{name}: {attempt:?}")
                    };
                    assert!(id == "1" || (*name == "email" && id.starts_with("out.e-7.")), "{name}: {id}");
                    break;
                }
            }
        }
        assert!(requests >= 1 && requests <= capabilities.parts_max, "{name}: {requests}");

        let too_long = subject.send(&"ж".repeat(capabilities.text.length * capabilities.parts_max + 1));
        let refused = channel.outbound(&too_long, &Progress::default());
        assert!(matches!(refused, Err(EncodeError::TooLong { .. })), "{name}: {refused:?}");
    }
}

#[test]
fn the_same_effect_makes_the_same_request() {
    for subject in subjects() {
        let effect = subject.send("hello");
        let outbound = || subject.channel.outbound(&effect, &Progress::default()).unwrap();
        assert_eq!(outbound(), outbound(), "{}", subject.name);
    }
}

#[test]
fn no_secret_is_in_a_debug_form() {
    for subject in subjects() {
        let headers = subject.proven();
        let Subject { name, channel, proof, right, body, secrets, .. } = &subject;
        let request = channel.outbound(&subject.send("hello"), &Progress::default()).unwrap();
        let shown = format!("{channel:?} {request:?} {:?}", call(&headers, body));
        assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{name}: {shown}");
        assert!(!shown.contains("hello"), "{name}: {shown}");
        assert!(*proof == IN_BODY || !shown.contains(right), "{name}: {shown}");
    }
}

/// Any JSON, of a size that a test can afford.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,12}".prop_map(Value::from),
        "[a-z0-9:/\n-]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// All places of a tree, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                places(field, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

fn check_decoding(channel: &dyn Channel, body: &[u8]) -> Result<(), TestCaseError> {
    let headers = HeaderMap::new();
    let first = channel.decode(&call(&headers, body));
    if let Ok(decoded) = &first {
        for received in &decoded.received {
            prop_assert!(received.input_id.starts_with("shop/"));
            prop_assert!(received.input_id.len() < 400);
            prop_assert!(!received.input_id.contains(char::is_control));
            // What is journaled can be read again.
            let written = serde_json::to_vec(&received.inbound).unwrap();
            prop_assert_eq!(
                &serde_json::from_slice::<switchboard::model::inbound::Inbound>(&written).unwrap(),
                &received.inbound
            );
        }
    }
    prop_assert_eq!(first, channel.decode(&call(&headers, body)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_decoded_or_refused(body in prop::collection::vec(any::<u8>(), 0..200), other in any_json()) {
        for subject in subjects() {
            check_decoding(&*subject.channel, &body)?;
            check_decoding(&*subject.channel, other.to_string().as_bytes())?;
        }
    }

    #[test]
    fn a_known_body_with_something_else_in_it_is_decoded_or_refused(
        which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), other in any_json(),
    ) {
        for subject in subjects() {
            let names = fixtures_of(subject.fixtures);
            let mut raw = fixture(which.get::<String>(&names));
            if subject.name == "email" {
                let at = place.index(raw.len());
                raw.splice(at..at, other.to_string().into_bytes());
                check_decoding(&*subject.channel, &raw)?;
                check_decoding(&*subject.channel, &raw[..at])?;
                continue;
            }
            let mut body: Value = serde_json::from_slice(&raw).unwrap();
            let mut all = Vec::new();
            places(&body, "", &mut all);
            *body.pointer_mut(place.get::<String>(&all)).unwrap() = other.clone();
            check_decoding(&*subject.channel, body.to_string().as_bytes())?;
        }
    }

    #[test]
    fn any_answer_has_a_meaning(
        status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..200), other in any_json(), done in any::<u32>(),
    ) {
        let effect = send("hello");
        let progress = Progress { parts_done: done, ..Progress::default() };
        for subject in subjects() {
            for body in [body.clone(), other.to_string().into_bytes()] {
                let verdict = subject.channel.classify(&effect, &progress, Ok(&answer(status, body)));
                prop_assert!(error_of(&verdict).len() <= 512);
            }
        }
    }
}
