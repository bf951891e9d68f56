//! More than anybody asked for: what an IMAP server sends is bounded before anything reads it, and what is read of it is bounded, too.

use crate::behaviour::{Act, Behaviour, Outcome, Task, protocol};
use crate::imap_server::{Step, wrong};
use crate::measure::measure_working;

const TOO_MUCH: &str = "it sends too much unasked";
const TOO_LONG: &str = "a line is too long";

fn flood(name: &str, at: Step, bytes: impl Into<Vec<u8>>, reason: &'static str) -> Behaviour {
    flood_of(Task::Read, name, at, bytes, reason)
}

fn flood_of(
    task: Task,
    name: &str,
    at: Step,
    bytes: impl Into<Vec<u8>>,
    reason: &'static str,
) -> Behaviour {
    wrong(name, task, at, Act::Flood(bytes.into()), protocol(reason))
}

fn once(name: &str, at: Step, bytes: impl Into<Vec<u8>>, expected: Outcome) -> Behaviour {
    wrong(name, Task::Read, at, Act::Once(bytes.into()), expected)
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_and_nesting_are_bounded() {
    let nested = |start: &str| format!("{start} {}", "(".repeat(1_000_000));
    measure_working(vec![
        once(
            "a million parentheses in a FETCH",
            Step::Headers,
            nested("* 1 FETCH (BODYSTRUCTURE"),
            protocol("parentheses nest too deep"),
        ),
        once(
            "a million parentheses before the login",
            Step::Capability,
            nested("* CAPABILITY"),
            protocol("parentheses nest too deep"),
        ),
        flood(
            "a greeting that does not end",
            Step::Greeting,
            "* OK hello ".repeat(100),
            TOO_LONG,
        ),
        flood(
            "a line that does not end",
            Step::Search,
            "* SEARCH ".repeat(100),
            TOO_LONG,
        ),
        flood(
            "a quoted string that does not end",
            Step::List,
            format!("* LIST () \"/\" \"{}", "x".repeat(4096)),
            TOO_LONG,
        ),
        flood("zeros", Step::Select, vec![0; 4096], TOO_LONG),
        flood("carriage returns", Step::Login, "\r".repeat(4096), TOO_LONG),
        flood("line feeds", Step::Login, "\n".repeat(4096), TOO_MUCH),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn literals_are_bounded() {
    let literal = |size: &str| format!("* 1 FETCH (UID 7 BODY[] {{{size}}}\r\n");
    let chained = format!("BODY[] {{131072}}\r\n{} ", "y".repeat(131_072));
    let large = protocol("a literal is too large");
    measure_working(vec![
        once(
            "a literal of 500 MB",
            Step::Body,
            literal("500000000"),
            large.clone(),
        ),
        once(
            "a literal of 10^23 bytes",
            Step::Body,
            literal("99999999999999999999999"),
            large.clone(),
        ),
        once(
            "a literal of 2^64 bytes",
            Step::Body,
            literal("18446744073709551616"),
            large,
        ),
        flood(
            "literals in one response without end",
            Step::Body,
            format!("* 1 FETCH ({}", chained.repeat(8)),
            "a response is too large",
        ),
        flood(
            "whole literals that nobody asked for",
            Step::Headers,
            format!(
                "* 1 FETCH (UID 7 BODY[] {{131072}}\r\n{})\r\n",
                "z".repeat(131_072)
            ),
            TOO_MUCH,
        ),
        flood_of(
            Task::Browse,
            "the same message again and again",
            Step::Body,
            format!(
                "* 1 FETCH (UID 7 BODY[] {{131072}}\r\n{})\r\n",
                "z".repeat(131_072)
            ),
            TOO_MUCH,
        ),
    ])
    .await;
}

/// A line of about a megabyte.
fn line(begin: &str, word: impl Fn(usize) -> String, end: &str) -> String {
    let mut line = String::from(begin);
    for i in 0.. {
        let next = word(i);
        if line.len() + next.len() > 1_000_000 {
            break;
        }
        line.push_str(&next);
    }
    line + end
}

/// Short words, each another.
fn word(i: usize) -> String {
    format!("{i:x} ")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_begin_a_literal_is_looked_at_once() {
    measure_working(vec![
        flood(
            "braces among numbers",
            Step::Search,
            line("* SEARCH ", |_| "{ ".into(), "\r\n"),
            TOO_MUCH,
        ),
        flood(
            "braces in a list",
            Step::List,
            line("* LIST (", |_| "{ ".into(), ") NIL a\r\n"),
            TOO_MUCH,
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_an_answer_is_bounded() {
    measure_working(vec![
        flood(
            "folders without end",
            Step::List,
            "* LIST () NIL a\r\n".repeat(100),
            TOO_MUCH,
        ),
        flood(
            "attributes of a folder without end",
            Step::List,
            line("* LIST (", |_| "a ".into(), ") NIL a\r\n"),
            TOO_MUCH,
        ),
        flood(
            "flags without end",
            Step::Headers,
            line("* 1 FETCH (FLAGS (", |_| "a ".into(), ") UID 7)\r\n"),
            TOO_MUCH,
        ),
        flood_of(
            Task::Browse,
            "flags of headlines without end",
            Step::Headers,
            line("* 1 FETCH (UID 7 FLAGS (", |_| "a ".into(), "))\r\n"),
            TOO_MUCH,
        ),
        flood(
            "capabilities without end",
            Step::Capability,
            line("* CAPABILITY ", word, "\r\n"),
            TOO_MUCH,
        ),
        flood(
            "numbers without end",
            Step::Search,
            line("* SEARCH ", |_| "7 ".into(), "\r\n"),
            TOO_MUCH,
        ),
        flood(
            "different numbers without end",
            Step::Search,
            line("* SEARCH ", |i| format!("{} ", i + 1), "\r\n"),
            TOO_MUCH,
        ),
        flood_of(
            Task::Browse,
            "numbers for a folder that is shown",
            Step::Search,
            line("* SEARCH ", |_| "7 ".into(), "\r\n"),
            TOO_MUCH,
        ),
        flood_of(
            Task::Find,
            "hits without end",
            Step::Search,
            line("* SEARCH ", |_| "7 ".into(), "\r\n"),
            TOO_MUCH,
        ),
    ])
    .await;
}

/// What no command asked for, between the answers to those that did.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_what_comes_unasked_is_bounded() {
    measure_working(vec![
        flood(
            "capabilities in every notice",
            Step::Select,
            line("* OK [CAPABILITY ", word, "] hello\r\n"),
            TOO_MUCH,
        ),
        flood(
            "notices",
            Step::Select,
            "* OK [UIDNEXT 5] x\r\n".repeat(100),
            TOO_MUCH,
        ),
        flood(
            "messages that arrive",
            Step::Select,
            "* 1 EXISTS\r\n".repeat(100),
            TOO_MUCH,
        ),
        flood(
            "invitations",
            Step::Headers,
            "+ go on\r\n".repeat(100),
            TOO_MUCH,
        ),
        flood(
            "ends of others' commands",
            Step::Headers,
            "a99 OK done\r\n".repeat(100),
            TOO_MUCH,
        ),
    ])
    .await;
}
