//! Tests of reading mail, with mail that no recorded payload shows.

use zeroize::Zeroizing;

use super::*;
use crate::channels::samples;
use crate::model::inbound::Fate;

struct Mailbox {
    channel: ChannelId,
    threads: Threads,
}

fn mailbox() -> Mailbox {
    let channel = ChannelId::from("shop");
    let threads = Threads::new(&channel, &Zeroizing::new("a secret of the shop".to_owned()), "crm.example");
    Mailbox { channel, threads }
}

impl Mailbox {
    fn read(&self, raw: &str) -> Received {
        let reader = Reader { channel: &self.channel, own: "sales@crm.example", threads: &self.threads };
        reader.read(raw.replace('\n', "\r\n").as_bytes())
    }

    fn message(&self, raw: &str) -> InboundMessage {
        match self.read(raw).inbound.fact {
            Fact::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    fn unsupported(&self, raw: &str) -> String {
        match self.read(raw).inbound.fact {
            Fact::Unsupported { what, .. } => what,
            other => panic!("{other:?}"),
        }
    }
}

const HEAD: &str = "From: Anna <Anna@Client.example>\nTo: sales@crm.example\nSubject: Price\nMessage-ID: <1@client.example>\n";

#[test]
fn an_answer_comes_into_its_conversation_by_address_or_by_the_message_that_it_answers() {
    let mailbox = mailbox();
    let first = mailbox.message(&format!("{HEAD}\nHello\n"));
    let thread = first.chat.id;
    let address = mailbox.threads.reply_address(&thread).unwrap();
    let ours = mailbox.threads.message_id(&samples::send("hello"), &thread);
    for line in [
        format!("To: \"Sales\" <{address}>"),
        format!("To: a@b\nCc: x@y,\n {}", address.to_uppercase()),
        format!("Delivered-To: {address}"),
        format!("X-Original-To: {address}"),
        format!("In-Reply-To: <{ours}>"),
        format!("References: <0@a>\n <{ours}> <9@b>"),
    ] {
        let answer = mailbox.message(&format!(
            "From: anna@client.example\nSubject: Re: Price\nMessage-ID: <2@c>\n{line}\n\nYes\n"
        ));
        assert_eq!(answer.chat.id, thread, "{line}");
    }
    // Signed by nobody: a conversation of its own.
    for line in ["To: reply+c0190c0de.k7qm2sv9x4tbaaaa@crm.example", "In-Reply-To: <1@client.example>"] {
        let other =
            mailbox.message(&format!("From: anna@client.example\nMessage-ID: <2@c>\n{line}\n\nYes\n"));
        assert_ne!(other.chat.id, thread, "{line}");
    }
}

#[test]
fn another_person_in_a_conversation_is_another_person() {
    let mailbox = mailbox();
    let thread = mailbox.message(&format!("{HEAD}\nHello\n")).chat.id;
    let address = mailbox.threads.reply_address(&thread).unwrap();
    let other =
        mailbox.message(&format!("From: bob@client.example\nTo: {address}\nMessage-ID: <3@c>\n\nMe too\n"));
    assert_eq!((other.chat.id, other.user.id.as_str()), (thread, "bob@client.example"));
}

#[test]
fn what_an_answer_must_know_travels_with_the_chat() {
    let message = mailbox().message(
        "From: anna@client.example\nReply-To: orders@client.example\nSubject: RE: Fwd: Price\nMessage-ID: <2@c>\nReferences: <0@c> <1@c>\n\nHello\n",
    );
    let context = Context::read(message.chat.context.as_deref());
    assert_eq!(context.subject.as_deref(), Some("Price"));
    assert_eq!(context.reply_to.as_deref(), Some("orders@client.example"));
    assert_eq!(context.all_references(), ["0@c", "1@c", "2@c"]);
}

#[test]
fn mail_of_ours_that_comes_back_opens_nothing() {
    let mailbox = mailbox();
    let id = mailbox.threads.message_id(&samples::send("hello"), "abc");
    for head in [
        "From: Sales <SALES@crm.example>".to_owned(),
        format!("From: anna@client.example\nMessage-ID: <{id}>"),
        format!("From: anna@client.example\nX-Switchboard-Mail: {}", mailbox.threads.own_mark()),
    ] {
        assert_eq!(
            mailbox.unsupported(&format!("{head}\n\nHello\n")),
            "mail of ours that came back",
            "{head}"
        );
    }
    // The mark of somebody else is no reason.
    mailbox.message("From: anna@client.example\nX-Switchboard-Mail: aaaaaaaaaaaaaaaa\n\nHello\n");
}

#[test]
fn a_bounce_is_the_fate_of_our_message_and_one_of_others_is_kept() {
    let mailbox = mailbox();
    let ours = mailbox.threads.message_id(&samples::send("hello"), "abc");
    let bounce = |id: &str, action: &str| {
        format!(
            "From: MAILER-DAEMON@mx\nMessage-ID: <b@mx>\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
             --b\n\nSorry\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; n@c\nAction: {action}\nStatus: 5.1.1\n\n\
             --b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\n\n--b--\n"
        )
    };
    let read = mailbox.read(&bounce(&ours, "failed"));
    assert_eq!(read.input_id, "shop/update/b@mx");
    let fate = Fate::Failed { reason: "the mail came back (5.1.1)".to_owned(), refusal: None };
    assert_eq!(
        read.inbound.fact,
        Fact::Fate { chat: ExternalChat::of("abc".to_owned()), message: ours.clone(), fate }
    );
    assert_eq!(mailbox.unsupported(&bounce(&ours, "delayed")), "report that a mail of ours is late");
    assert_eq!(mailbox.unsupported(&bounce("1@other", "failed")), "report about a mail that is not ours");
}

#[test]
fn the_same_mail_is_known_again_and_another_one_with_its_id_is_not_lost() {
    let mailbox = mailbox();
    let key = |raw: &str| mailbox.read(raw).input_id;
    let first = key(&format!("{HEAD}\nHello\n"));
    assert_eq!(key(&format!("Received: by b\nDelivered-To: sales@crm.example\n{HEAD}\nHello\n")), first);
    assert_ne!(key(&format!("{HEAD}\nBye\n")), first);
    assert_eq!(key(&format!("From anna@client.example Mon Jan 12 10:15:30 2026\n{HEAD}\nHello\n")), first);
    // Without an id it is known by its bytes.
    assert_eq!(key("From: a@b\n\nx\n"), key("From: a@b\n\nx\n"));
    assert_ne!(key("From: a@b\n\nx\n"), key("From: a@b\n\ny\n"));
}

#[test]
fn what_comes_from_nobody_is_kept() {
    for head in ["Subject: x", "From:", "From: undisclosed", "From: <>", "From: \"a b\"@"] {
        let what = mailbox().unsupported(&format!("{head}\n\nHello\n"));
        assert_eq!(what, "mail without an address that it comes from", "{head}");
    }
    let message = mailbox().message("From: nobody\nSender: anna@client.example\n\nHello\n");
    assert_eq!(message.user.id, "anna@client.example");
}

#[test]
fn nothing_but_white_space_is_kept_as_such() {
    let mailbox = mailbox();
    let reader = Reader { channel: &mailbox.channel, own: "sales@crm.example", threads: &mailbox.threads };
    for body in ["", "\r\n\r\n", "From anna Mon\n"] {
        let fact = reader.read(body.as_bytes()).inbound.fact;
        assert!(matches!(fact, Fact::Unsupported { .. }), "{body} {fact:?}");
    }
}

#[test]
fn files_are_named_without_folders_and_found_by_their_references() {
    let raw = "From: a@b\nMessage-ID: <1@b>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSee\n--b\n\
               Content-Type: application/x-sh\nContent-Disposition: attachment; filename=\"../../etc/run.sh\"\n\necho\n--b\n\
               Content-Type: message/rfc822\n\nFrom: c@d\nSubject: inner\n\nInner\n--b--\n";
    let message = mailbox().message(raw);
    let names: Vec<_> = message.attachments.iter().map(|file| file.name.as_deref()).collect();
    assert_eq!(names, [Some("run.sh"), None]);
    let files = files(raw.replace('\n', "\r\n").as_bytes());
    assert_eq!(files.len(), 2);
    for (attachment, (reference, file)) in message.attachments.iter().zip(&files) {
        assert_eq!(attachment.reference.as_ref(), Some(reference));
        assert_eq!(attachment.size, Some(file.bytes.len() as u64));
    }
    assert_eq!(&*files[0].1.bytes, b"echo");
}

#[test]
fn a_large_mail_is_kept_within_the_limits_of_the_journal() {
    let message = mailbox().message(&format!("{HEAD}\n{}", "word ".repeat(1_000_000)));
    assert_eq!(message.text.len(), 64 * 1024);
    let raw = message.unsupported.unwrap();
    assert_eq!(raw.len(), RAW_MAX);
    let parts = "--b\nContent-Type: application/pdf\n\nx\n".repeat(1_000);
    let head = "From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n";
    let message = mailbox().message(&format!("{head}{parts}--b--\n"));
    assert_eq!(message.attachments.len(), FILES_MAX);
    assert!(message.unsupported.is_some());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        at in 0_usize..2000, with in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40), which in 0_usize..8,
    ) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/channels/email");
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
        names.sort();
        let mut raw = std::fs::read(&names[which % names.len()]).unwrap();
        let at = at.min(raw.len());
        let end = (at + with.len()).min(raw.len());
        raw.splice(at..end, with);
        let mailbox = mailbox();
        let reader = Reader { channel: &mailbox.channel, own: "sales@crm.example", threads: &mailbox.threads };
        let read = reader.read(&raw);
        proptest::prop_assert_eq!(&read, &reader.read(&raw));
        proptest::prop_assert!(read.input_id.len() < 400 && !read.input_id.contains(char::is_control));
        if let Fact::Message(message) = read.inbound.fact {
            proptest::prop_assert_eq!(message.attachments.len(), files(&raw).len());
        }
        // Cut off anywhere.
        let _cut = reader.read(raw.get(..at).unwrap_or_default());
    }
}
