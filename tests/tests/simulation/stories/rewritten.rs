//! Servers that give mails a Message-ID of their own, as Amazon SES and Outlook do.

use agentwarm_app::ports::mail::{Folder, FoundContent, OutgoingMail};
use agentwarm_core::mail::receipt::Receipt;
use agentwarm_core::mail::slot::Slot;
use agentwarm_testkit::memory::mail::Scripted;

use crate::harness::{Sim, at, hours, minutes};

const ALICE: &str = "alice@acorn.test";

/// Puts the mail of a slot into its receiver's inbox, under another Message-ID.
fn arrives_as(sim: &Sim, slot: &Slot, message_id: String) -> OutgoingMail {
    let left = sim.watch.left.get(&slot.message_id).unwrap();
    let mail = OutgoingMail {
        message_id,
        ..left.over.mail.clone()
    };
    let (address, content) = (mail.to.1.to_string(), FoundContent::Message);
    let post = &sim.world.post;
    post.drop_in(&address, Folder::Inbox, mail.clone(), content);
    mail
}

fn receipt_of(sim: &Sim, slot: &Slot) -> Option<Receipt> {
    let look = sim.world.store.look();
    let receiver = sim.world.owner(slot.recipient);
    look.receipt(receiver, slot.id).cloned()
}

#[tokio::test]
async fn a_mail_whose_server_renamed_it_is_found_opened_and_answered() {
    let mut sim = Sim::story("renamed", "2026-03-10T06:00:00Z").await;
    for _ in 0..8 {
        sim.world.post.next_submission(ALICE, Scripted::Swallowed);
    }
    let mut renamed: Vec<(Slot, String)> = Vec::new();
    while sim.world.now() < at("2026-03-11T06:00:00Z") {
        sim.run_for(minutes(1));
        let accepted = sim.slots(0).into_iter().filter(|slot| {
            let left = sim.watch.left.get(&slot.message_id);
            left.is_some_and(|left| !left.over.delivered)
                && renamed.iter().all(|(known, _)| known.id != slot.id)
        });
        let new: Vec<_> = accepted.collect();
        for slot in new {
            let id = format!("0100{}@email.amazonses.com", slot.id);
            arrives_as(&sim, &slot, id.clone());
            let before = slot.message_id.clone();
            sim.watch.renamed.insert(id.clone(), before);
            renamed.push((slot, id));
        }
    }
    assert!(!renamed.is_empty());
    for (slot, id) in &renamed {
        let receipt = receipt_of(&sim, slot).unwrap();
        assert_eq!(&receipt.message_id, id);
        // A copy is nothing new.
        let copy = arrives_as(&sim, slot, format!("copy-{id}"));
        let address = copy.to.1.as_str();
        sim.run_for(hours(2));
        assert_eq!(receipt_of(&sim, slot), Some(receipt));
        let inbox = sim.world.post.folder(address, Folder::Inbox);
        let copy = inbox
            .iter()
            .find(|it| it.mail.message_id == copy.message_id);
        assert!(copy.is_some_and(|it| !it.seen), "the copy is left alone");
    }
    sim.run_until(at("2026-03-13T06:00:00Z"));
    let everything = sim.world.post.everything();
    let mails = everything.iter().map(|(_, _, message)| message);
    let seen =
        mails.filter(|it| it.seen && renamed.iter().any(|(_, id)| *id == it.mail.message_id));
    assert!(seen.count() > 0, "they are engaged with");
    let answers = sim.watch.left.values().filter(|left| {
        let answered = left.over.mail.in_reply_to.as_ref();
        renamed.iter().any(|(_, id)| answered == Some(id))
    });
    assert!(
        answers.count() > 0,
        "answers thread with what their readers see"
    );
}
