use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn seed(number: u64) -> Seed {
    Seed::root(&number.to_be_bytes())
}

fn people() -> (Persona, Persona) {
    let person = |name| Persona::derive(Some(name), "x", seed(7));
    (person("Ada Larsen"), person("Ben Okafor"))
}

fn bank(text: &str) -> Bank {
    Bank::parse(&[("test.txt", text)]).unwrap()
}

fn two_days() -> Bank {
    bank(
        "=== days\nTags: travel\nVary: day = Tuesday | Friday\nSubject: {On|Just} {{day}}\n\
         --- asks\n{{sender.first_name}} asks {a|b|c|d|e} {{recipient.name}} about {{day}}.\n\
         --- closes\n{{day}} it is.\n",
    )
}

fn compose_days(turn: usize, thread: u64, message: u64) -> Composed {
    let (ada, ben) = people();
    let (sender, recipient) = if turn == 0 {
        (&ada, &ben)
    } else {
        (&ben, &ada)
    };
    let conversation = &ConversationId::new("days");
    let turn = TurnRef { conversation, turn };
    compose_from(
        &two_days(),
        turn,
        sender,
        recipient,
        seed(thread),
        seed(message),
    )
    .unwrap()
}

#[test]
fn the_sender_of_a_turn_is_who_writes_it() {
    let first = compose_days(0, 1, 1).body_text;
    assert!(
        first.contains("Ada asks") && first.contains("Ben Okafor about"),
        "{first}"
    );
    let reply = compose_days(1, 1, 2).body_text;
    assert!(reply.contains("\nBen"), "{reply}");
}

#[test]
fn replies_keep_subject_and_facts_of_their_thread() {
    for thread in 0..50 {
        let (first, reply) = (compose_days(0, thread, 1), compose_days(1, thread, 2));
        assert_eq!(reply.subject, format!("Re: {}", first.subject));
        let day = if first.subject.contains("Tuesday") {
            "Tuesday"
        } else {
            "Friday"
        };
        assert!(
            first.body_text.contains(&format!("about {day}")),
            "{first:?}"
        );
        assert!(
            reply.body_text.contains(&format!("{day} it is")),
            "{reply:?}"
        );
    }
}

#[test]
fn the_message_seed_moves_the_body_and_leaves_the_subject() {
    let all: Vec<_> = (0..50).map(|message| compose_days(0, 1, message)).collect();
    let count = |field: fn(&Composed) -> &String| {
        let mut texts: Vec<_> = all.iter().map(field).collect();
        texts.sort();
        texts.dedup();
        texts.len()
    };
    assert_eq!(count(|mail| &mail.subject), 1);
    assert!(count(|mail| &mail.body_text) > 40);
}

#[test]
fn what_the_bank_does_not_have_is_an_error_with_its_name() {
    let (ada, ben) = people();
    let compose = |bank: &Bank, id: &str, turn| {
        let id = ConversationId::new(id);
        let turn = TurnRef {
            conversation: &id,
            turn,
        };
        compose_from(bank, turn, &ada, &ben, seed(1), seed(1)).unwrap_err()
    };
    let id = ConversationId::new;
    let unknown = ContentError::UnknownConversation(id("nights"));
    assert_eq!(compose(&two_days(), "nights", 0), unknown);
    let conversation = id("days");
    let no_turn = ContentError::NoSuchTurn {
        conversation,
        turn: 2,
        turns: 2,
    };
    assert_eq!(compose(&two_days(), "days", 2), no_turn);
    let mute = bank("=== mute\n--- asks\nWhat?\n");
    assert_eq!(
        compose(&mute, "mute", 0),
        ContentError::NoSubject(id("mute"))
    );
}

#[test]
fn an_empty_bank_has_no_conversation() {
    assert_eq!(
        any_conversation(&Bank::default(), seed(1)),
        Err(ContentError::EmptyBank)
    );
}

#[test]
fn every_conversation_is_chosen_and_none_much_more_than_others() {
    let bank = Bank::builtin().unwrap();
    let mut chosen = BTreeMap::<_, u32>::new();
    for n in 0..10_000 {
        *chosen
            .entry(any_conversation(bank, seed(n)).unwrap())
            .or_default() += 1;
    }
    assert_eq!(chosen.len(), bank.len());
    // About 90 each; four standard deviations are 38.
    assert!(
        chosen.values().all(|times| (45..=140).contains(times)),
        "{chosen:?}"
    );
}

#[test]
fn half_of_the_choices_follow_the_writers_topics() {
    let bank = Bank::builtin().unwrap();
    let writer = people()
        .0
        .with_department("Kitchen")
        .with_topics(["Food", "B2B"]);
    let is_food = |id: &ConversationId| bank.get(id).unwrap().tags.contains(&"food".to_owned());
    let choices = (0..1_000).map(|n| choose_conversation(&writer, seed(n)).unwrap());
    let on_food = choices.filter(is_food).count();
    assert!((500..700).contains(&on_food), "{on_food}");
    let nobodys = people().0.with_department("Zzz").with_topics(["Nothing"]);
    assert!(choose_conversation(&nobodys, seed(1)).is_ok());
}

#[test]
fn a_title_that_names_its_department_stands_alone() {
    let person = people().0.with_title("Sales Manager");
    assert_eq!(
        position(&person.clone().with_department("Sales")),
        "Sales Manager"
    );
    assert_eq!(
        position(&person.with_department("Trade")),
        "Sales Manager, Trade"
    );
}

/// All turns of the built-in bank, as (conversation, turn).
fn any_turn() -> impl Strategy<Value = (ConversationId, usize)> {
    let of = |(id, conversation): (&ConversationId, &Conversation)| {
        (0..conversation.turns.len())
            .map(|turn| (id.clone(), turn))
            .collect::<Vec<_>>()
    };
    let all: Vec<_> = Bank::builtin().unwrap().iter().flat_map(of).collect();
    prop::sample::select(all)
}

proptest! {
    #[test]
    fn a_mail_is_plain_whoever_writes_it((id, turn) in any_turn(), name: String, thread: u64, message: u64) {
        let sender = Persona::derive(Some(&name), &name, seed(1)).with_title(&name);
        let turn = TurnRef { conversation: &id, turn };
        let write = || compose(turn, &sender, &sender, seed(thread), seed(message)).unwrap();
        let mail = write();
        for text in [&mail.subject, &mail.body_text] {
            let markup = text.contains(['{', '}', '|', '\r', '\0']) || text.contains("  ");
            prop_assert!(!markup, "{}", text);
        }
        prop_assert!(!mail.subject.contains('\n'));
        prop_assert!(mail.body_text.lines().all(|line| line.len() <= 998), "RFC 5322 §2.1.1");
        prop_assert_eq!(mail.subject.starts_with("Re: "), turn.turn > 0);
        prop_assert_eq!(&mail, &write());
    }
}
