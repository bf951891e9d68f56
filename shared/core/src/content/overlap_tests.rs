//! How alike the mails are that the built-in bank makes: the bound that content promises to filters and to readers.

use super::compose::any_conversation;
use super::shingle::{self, Shingles};
use super::*;
use crate::seed::Seed;

/// Mails in one measurement.
const MAILS: u32 = 1_000;

/// Mailboxes that write them to each other, about what a large pool has.
const MAILBOXES: u8 = 20;

/// Highest similarity of any two mails of a world. Measured over forty worlds of 1,000 mails, the highest was 0.50 to 0.78,
/// 0.63 at the median: some 1,600 pairs of a world are the same turn, and a short turn with a dozen choices now and then
/// draws nearly all of them alike. The worlds below are fixed, so the bound need only leave room for edits of the bank.
const HIGHEST_SIMILARITY: f64 = 0.8;

/// Highest mean similarity over all pairs. Measured: 0.00053 to 0.00062; one pair in a hundred shares five words in a row at
/// all.
const HIGHEST_MEAN: f64 = 0.001;

/// Most pairs, of 499,500, that a reader would call alike (above 0.5). Measured: 0 to 13.
const MOST_ALIKE_PAIRS: usize = 20;

/// The bodies of mails of distinct threads, as the engine would have them written.
fn bodies(world: u64) -> Vec<String> {
    let world = Seed::root(&world.to_be_bytes());
    let person = |n: u8| Persona::derive(None, "info", world.child_bytes("mailbox", &[n]));
    let people: Vec<_> = (0..MAILBOXES).map(person).collect();
    let pick =
        |seed: Seed, n: usize| usize::try_from(seed.below(u64::try_from(n).unwrap())).unwrap();
    let body = |n: u32| {
        let thread = world.child_bytes("thread", &n.to_be_bytes());
        let id = any_conversation(Bank::builtin().unwrap(), thread.child("conversation")).unwrap();
        let turn = pick(thread.child("turn"), turns(&id));
        let sender = pick(thread.child("sender"), people.len());
        let others = 1 + pick(thread.child("recipient"), people.len() - 1);
        let recipient = (sender + others) % people.len();
        let turn = TurnRef {
            conversation: &id,
            turn,
        };
        let (sender, recipient) = (&people[sender], &people[recipient]);
        compose(turn, sender, recipient, thread, thread.child("message"))
            .unwrap()
            .body_text
    };
    (0..MAILS).map(body).collect()
}

#[test]
fn a_thousand_mails_are_unlike_each_other() {
    for world in 0..3 {
        let bodies = bodies(world);
        let shingles: Vec<_> = bodies
            .iter()
            .map(|body| Shingles::of([body.as_str()]))
            .collect();
        let pairs = shingle::similar_pairs(&shingles);

        let mut distinct = bodies.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(
            distinct.len(),
            bodies.len(),
            "two bodies are the same in world {world}"
        );

        let ((a, b), highest) = pairs.iter().max_by(|x, y| x.1.total_cmp(y.1)).unwrap();
        let alike = pairs
            .values()
            .filter(|&&similarity| similarity > 0.5)
            .count();
        let mean = pairs.values().sum::<f64>() / f64::from(MAILS * (MAILS - 1) / 2);
        assert!(
            *highest <= HIGHEST_SIMILARITY,
            "{highest}:\n{}\n---\n{}",
            bodies[*a],
            bodies[*b]
        );
        assert!(mean <= HIGHEST_MEAN, "{mean}");
        assert!(alike <= MOST_ALIKE_PAIRS, "{alike}");
    }
}
