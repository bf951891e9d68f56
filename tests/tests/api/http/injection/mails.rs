//! The mails that texts come to stand in.

use std::slice;

use agentwarm_app::engine::compose::{Composer, opening};
use agentwarm_app::ports::days::AccountRef;
use agentwarm_app::ports::letters::Correspondent;
use agentwarm_app::ports::mail::OutgoingMail;
use agentwarm_core::account::Account;
use agentwarm_core::ids::SlotId;
use agentwarm_core::mail::slot::Slot;
use agentwarm_mail::mime::build::{Unsendable, build};
use agentwarm_testkit::payloads::payloads;
use agentwarm_testkit::store_contract::fixtures;
use mail_parser::{Address, MessageParser};

use crate::world::World;

/// The message builder by itself, for what no user can set: a payload in each part of a mail.
#[test]
fn no_part_of_a_mail_becomes_another() {
    type Put = fn(&mut OutgoingMail, String);
    const PARTS: &[(&str, Put)] = &[
        ("sender's name", |mail, text| mail.from.0 = text),
        ("recipient's name", |mail, text| mail.to.0 = text),
        ("subject", |mail, text| mail.subject = text),
        ("text", |mail, text| mail.text = text),
        ("Message-ID", |mail, text| mail.message_id = text),
        ("In-Reply-To", |mail, text| mail.in_reply_to = Some(text)),
        ("References", |mail, text| mail.references = vec![text]),
        ("token", |mail, text| {
            mail.headers = vec![(TOKEN_HEADER.into(), text)];
        }),
        ("header's name", |mail, text| {
            mail.headers = vec![(text, "x".into())];
        }),
    ];
    for (part, put) in PARTS {
        for payload in payloads() {
            let mut mail = mail();
            put(&mut mail, payload.clone());
            match build(&mail) {
                Ok(built) => check_mail(&built, &mail),
                Err(refused) => assert_ne!(refused, Unsendable::Build, "{part} {payload:?}"),
            }
        }
    }
}

const TOKEN_HEADER: &str = "X-AW-Token";

fn mail() -> OutgoingMail {
    OutgoingMail {
        from: ("Ada".into(), "ada@one.test".parse().unwrap()),
        to: ("Bob".into(), "bob@two.test".parse().unwrap()),
        subject: "Lunch".into(),
        text: "Hello".into(),
        message_id: "slot-7@one.test".into(),
        date: "2026-03-04T05:06:07Z".parse().unwrap(),
        in_reply_to: Some("slot-6@two.test".into()),
        references: vec!["slot-6@two.test".into()],
        headers: vec![(TOKEN_HEADER.into(), "v1.abc".into())],
    }
}

/// The mails that an account writes and gets, opening threads and answering.
pub(super) async fn check_mails(world: &World, id: &str) {
    let own = world.stored(id.parse().unwrap()).await;
    let partner = Account {
        email: "partner@example.org".parse().unwrap(),
        display_name: "Partner".to_owned(),
        persona: None,
        ..own.clone()
    };
    let composer = Composer {
        vault: world.vault.clone(),
        token_header: TOKEN_HEADER.to_owned(),
    };
    for (sender, recipient) in [(&own, &partner), (&partner, &own)] {
        for turn in 0..2 {
            let slot = slot(sender, turn);
            let mail = composer.outgoing(&slot, sender, recipient).await.unwrap();
            let built = build(&mail).unwrap_or_else(|error| panic!("{error}: {mail:?}"));
            check_mail(&built, &mail);
        }
    }
}

fn slot(sender: &Account, turn: u8) -> Slot {
    let owner = AccountRef::of(sender);
    let id = SlotId::new(sender.created_at, u128::from(turn));
    let mut position = opening(id, sender).unwrap();
    position.turn = turn;
    position.references = (0..turn).map(|n| format!("turn-{n}@example.org")).collect();
    Slot {
        id,
        position,
        ..fixtures::slot(owner, 0, "us")
    }
}

/// What was built says what was meant, as a parser of others reads it.
fn check_mail(built: &[u8], meant: &OutgoingMail) {
    let text = check_wire(built);
    let parsed = MessageParser::default().parse(built).unwrap();
    let names: Vec<&str> = parsed.headers_raw().map(|(name, _)| name).collect();
    let thread = [
        meant.in_reply_to.as_ref().map(|_| "In-Reply-To"),
        meant.references.first().map(|_| "References"),
    ];
    let further = meant.headers.iter().map(|(name, _)| name.as_str());
    let expected: Vec<&str> = ["From", "To", "Subject", "Message-ID", "Date"]
        .into_iter()
        .chain(thread.into_iter().flatten())
        .chain(further)
        .chain(["MIME-Version", "Content-Type", "Content-Transfer-Encoding"])
        .collect();
    assert_eq!(names, expected);
    check_people(parsed.from(), slice::from_ref(&meant.from), text);
    check_people(parsed.to(), slice::from_ref(&meant.to), text);
    assert_eq!(
        words(parsed.subject().unwrap_or_default()),
        words(&meant.subject)
    );
    assert_eq!(parsed.message_id(), Some(meant.message_id.as_str()));
    assert_eq!(
        (parsed.text_body_count(), parsed.attachment_count()),
        (1, 0)
    );
    let read = parsed.body_text(0).unwrap_or_default();
    assert_eq!(lines(&read), lines(&meant.text));
}

/// What goes over the wire: ASCII, in lines of at most 998 bytes that end in one way (RFC 5322 §2.1.1).
pub(super) fn check_wire(built: &[u8]) -> &str {
    let text = std::str::from_utf8(built).unwrap();
    assert!(text.is_ascii(), "{text}");
    for line in text.split("\r\n") {
        assert!(
            line.len() <= 998 && !line.contains(['\r', '\n', '\0']),
            "{line:?}"
        );
    }
    text
}

/// A header names these people, in this order, and nobody else.
pub(super) fn check_people(header: Option<&Address<'_>>, meant: &[Correspondent], text: &str) {
    let read = header.and_then(Address::as_list).unwrap_or_default();
    assert_eq!(read.len(), meant.len(), "{text}");
    for (read, (name, address)) in read.iter().zip(meant) {
        assert_eq!(read.address.as_deref(), Some(address.as_str()), "{text}");
        assert_eq!(words(read.name.as_deref().unwrap_or_default()), words(name));
    }
}

pub(super) fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// The lines of a text, however they end; those at its end that are empty do not count.
pub(super) fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.trim_end_matches('\n').to_owned()
}
