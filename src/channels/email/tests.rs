//! Tests of what goes out, and of connecting.

use bytes::Bytes;
use mail_parser::{MessageParser, MimeHeaders};

use super::*;
use crate::channels::samples::{self, Names};
use crate::channels::wire::Mail;
use crate::model::effect::{Attempt, Outgoing};
use crate::model::message::{AttachmentKind, Button};
use crate::model::secret::SecretRef;

const SECRET: &str = "a-secret-of-the-shop";

fn settings() -> EmailSettings {
    EmailSettings {
        address: "Sales@shop.example".to_owned(),
        name: Some("Отдел продаж".to_owned()),
        webhook_secret: SecretRef::Env(SECRET.to_owned()),
        smtp: Some(SmtpSettings {
            url: "smtp://mail.shop.example".to_owned(),
            username: Some("sales".to_owned()),
            password: Some(SecretRef::Env("the-password".to_owned())),
        }),
    }
}

fn connect(settings: &EmailSettings) -> Result<Email, ConnectError> {
    Email::connect(&ChannelId::from("shop"), settings, &Names)
}

fn mail(outgoing: Outgoing) -> Result<Mail, EncodeError> {
    let effect = samples::effect(EffectAction::Send(outgoing));
    match connect(&settings()).unwrap().outbound(&effect, &Progress::default())? {
        Outbound::Mail(mail) => Ok(mail),
        Outbound::Http(request) => panic!("{request:?}"),
    }
}

fn outgoing(text: &str) -> Outgoing {
    let context = r#"{"subject":"Цена","last":"2@c","references":["1@c"]}"#;
    Outgoing {
        chat: "abc".to_owned(),
        user: "anna@client.example".to_owned(),
        context: Some(context.to_owned()),
        ..samples::outgoing(text)
    }
}

fn shown(mail: &Mail) -> String {
    String::from_utf8(mail.message.to_vec()).unwrap().replace("\r\n", "\n")
}

#[test]
fn an_answer_is_a_mail_in_its_conversation() {
    let answer = mail(Outgoing {
        sender: Some("Анна".to_owned()), ..outgoing("Да, есть.\nОтложить?")
    })
    .unwrap();
    assert_eq!(
        (answer.from.to_string(), answer.to.to_string()),
        ("sales@shop.example".to_owned(), "anna@client.example".to_owned())
    );
    insta::assert_snapshot!(shown(&answer));
    let read = MessageParser::default().parse(&answer.message[..]).unwrap();
    assert_eq!(read.subject(), Some("Re: Цена"));
    assert_eq!(read.from().unwrap().first().unwrap().name.as_deref(), Some("Анна, Отдел продаж"));
    assert_eq!(read.body_text(0).unwrap().trim(), "Да, есть.\r\nОтложить?");
}

#[test]
fn an_automatic_text_says_so_and_buttons_are_lines() {
    let button = |title: &str| Button { title: title.to_owned(), data: "x".to_owned() };
    let buttons = vec![button("Да"), button("Нет\r\nBcc: evil@x")];
    let answer = mail(Outgoing { automatic: true, buttons, ..outgoing("Всё?") }).unwrap();
    let read = MessageParser::default().parse(&answer.message[..]).unwrap();
    assert_eq!(read.header_raw("Auto-Submitted").unwrap().trim(), "auto-replied");
    assert_eq!(read.body_text(0).unwrap().trim(), "Всё?\r\n\r\n- Да\r\n- Нет Bcc: evil@x");
    let by_a_person = shown(&mail(outgoing("Всё?")).unwrap());
    assert!(!by_a_person.contains("Auto-Submitted"), "{by_a_person}");
}

#[test]
fn a_conversation_that_we_begin_has_its_text_as_subject() {
    let begun = mail(Outgoing { context: None, ..outgoing("\nYour order is ready\nCome by") }).unwrap();
    let read = MessageParser::default().parse(&begun.message[..]).unwrap();
    assert_eq!(read.subject(), Some("Your order is ready"));
    assert!(!shown(&begun).contains("In-Reply-To"));
}

#[test]
fn files_go_along_in_one_mail() {
    let mut sent = outgoing("See");
    sent.attachments = vec![Attachment::of(AttachmentKind::Document)];
    let effect = samples::effect(EffectAction::Send(sent));
    let email = connect(&settings()).unwrap();
    let bytes = Bytes::from_static(b"one\ntwo\r\n.\r\nMAIL FROM:<x>\r\n\0");
    let file = |name: &str| FileBytes {
        name: name.to_owned(),
        media_type: "text/csv\r\nX-Evil: 1".to_owned(),
        bytes: bytes.clone(),
    };
    let progress = |file| Progress::default().with_files(Arc::from([file]));
    let Ok(Outbound::Mail(mail)) =
        email.outbound(&effect, &progress(Some(file("Счёт №42\r\nX-Evil: 1.pdf"))))
    else {
        panic!("no mail");
    };
    let read = MessageParser::default().parse(&mail.message[..]).unwrap();
    let part = read.attachment(0).unwrap();
    assert_eq!(part.contents(), &bytes[..]);
    assert_eq!(part.attachment_name(), Some("Счёт №42 X-Evil: 1.pdf"));
    assert_eq!(read.header_raw("X-Evil"), None);
    assert!(!shown(&mail).lines().any(|line| line == "." || line.starts_with("X-Evil")), "{}", shown(&mail));
    assert!(matches!(email.outbound(&effect, &progress(None)), Err(EncodeError::File { number: 1, .. })));
}

#[test]
fn nothing_that_people_write_begins_a_header_or_a_command() {
    let evil = "x\r\nBcc: evil@x\r\n\r\n.\r\nMAIL FROM:<evil@x>\r\n\u{0}\u{85}\u{2028}y";
    let context =
        serde_json::json!({ "subject": evil, "last": evil, "references": [evil, "1@c"], "reply_to": null });
    let sent = Outgoing {
        sender: Some(evil.to_owned()),
        reply_to: Some(evil.to_owned()),
        context: Some(context.to_string()),
        ..outgoing(evil)
    };
    let mail_of = mail(sent).unwrap();
    assert!(letter::is_clean(&mail_of.message));
    let read = MessageParser::default().parse(&mail_of.message[..]).unwrap();
    assert!(read.bcc().is_none());
    assert_eq!(read.to().unwrap().iter().count(), 1);
    for address in ["evil@x\r\nRCPT TO:<b@c>", "a b@c", "<a@b>", "a@b>", "", "@", "a@b c"] {
        let refused = mail(Outgoing { user: address.to_owned(), ..outgoing("x") });
        assert!(matches!(refused, Err(EncodeError::NotCarried { .. })), "{address}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_makes_a_clean_mail(text in "(\\PC|\r|\n|\u{0}|\\.|é){1,200}", name in "(\\PC|\r|\n|\"|,|<){0,60}") {
        let context = serde_json::json!({ "subject": name }).to_string();
        let sent = Outgoing { sender: Some(name), context: Some(context), ..outgoing(&text) };
        match mail(sent) {
            Ok(mail) => {
                proptest::prop_assert!(letter::is_clean(&mail.message));
                let read = MessageParser::default().parse(&mail.message[..]).unwrap();
                proptest::prop_assert!(read.message_id().is_some_and(|id| id.starts_with("out.e-7.abc.")));
                proptest::prop_assert_eq!(read.to().unwrap().iter().count(), 1);
            }
            Err(error) => proptest::prop_assert_eq!(error, EncodeError::EmptyText),
        }
    }
}

#[test]
fn what_was_taken_is_known_by_the_id_that_it_was_sent_with() {
    let email = connect(&settings()).unwrap();
    let effect = samples::effect(EffectAction::Send(outgoing("x")));
    let taken =
        WireResponse { status: 250, headers: http::HeaderMap::new(), body: Bytes::from_static(b"2.0.0 Ok") };
    let Verdict::Ended(Attempt::Delivered { external_id: Some(id) }) =
        email.classify(&effect, &Progress::default(), Ok(&taken))
    else {
        panic!("not delivered");
    };
    assert!(shown(&mail(outgoing("x")).unwrap()).contains(&format!("Message-ID: <{id}>")), "{id}");
    assert_eq!(email.threads.of_message_id(&id).as_deref(), Some("abc"));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    type Change = fn(&mut EmailSettings);
    let changes: [Change; 9] = [
        |it| it.address = "sales".to_owned(),
        |it| it.address = "почта@пример.рф".to_owned(),
        |it| it.address = "sales@shop.example\r\nBcc: a@b".to_owned(),
        |it| it.name = Some("a\nb".to_owned()),
        |it| it.webhook_secret = SecretRef::Env("short".to_owned()),
        |it| it.webhook_secret = SecretRef::Env("a secret with blanks in it".to_owned()),
        |it| it.smtp.as_mut().unwrap().url = "https://mail.shop.example".to_owned(),
        |it| it.smtp.as_mut().unwrap().url = "smtp+plain://mail.shop.example".to_owned(),
        |it| it.smtp.as_mut().unwrap().username = None,
    ];
    let told: Vec<String> = changes
        .into_iter()
        .map(|change| {
            let mut settings = settings();
            change(&mut settings);
            connect(&settings).unwrap_err().to_string()
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn without_a_server_mail_only_comes_in() {
    let email = connect(&EmailSettings { smtp: None, ..settings() }).unwrap();
    let refused = email.outbound(&samples::effect(EffectAction::Send(outgoing("x"))), &Progress::default());
    assert_eq!(
        refused.unwrap_err().to_string(),
        "email channels do not carry answers while they have no `smtp`"
    );
}
