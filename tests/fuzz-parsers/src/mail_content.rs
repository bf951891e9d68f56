//! `agentwarm_mail::mime::content`: what a message says to people.

use agentwarm_app::ports::inbox::MailContent;
use agentwarm_mail::mime::content::read_content;
use agentwarm_mail::mime::header::is_message_id;

/// Longest text, in bytes.
const LONGEST_TEXT: usize = 100_000;

/// Longest line, in characters.
const LONGEST_LINE: usize = 1_000;

/// UTF-8 of a byte that another character set has for a character, or for none.
const WIDEST: usize = 3;

/// Most of anything that there may be many of.
const MOST: usize = 100;

/// The bytes are a message, read whole and as the beginning of one.
pub fn check(bytes: &[u8]) {
    let whole = read_content(bytes.to_vec(), true);
    judge(&whole);
    let begun = read_content(bytes.to_vec(), false);
    judge(&begun);
    assert!(begun.is_truncated);
    assert_eq!((begun.text, begun.subject), (whole.text, whole.subject));
    for file in &whole.attachments {
        let size = file.size.expect("a whole message's files are whole");
        assert!(
            size <= bytes.len() * WIDEST,
            "{size} bytes of {}",
            bytes.len()
        );
    }
}

/// All of it is bounded and printable.
pub(crate) fn judge(content: &MailContent) {
    let ids = content.message_id.iter().chain(&content.in_reply_to);
    for id in ids.chain(&content.references) {
        assert!(is_message_id(id), "{id:?}");
    }
    for text in [Some(&content.text), content.html.as_ref()]
        .into_iter()
        .flatten()
    {
        assert!(text.len() <= LONGEST_TEXT);
        let is_printable = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        assert!(text.chars().all(is_printable));
    }
    judge_line(&content.subject);
    for all in [&content.from, &content.to, &content.cc] {
        assert!(all.len() <= MOST);
        for one in all {
            judge_line(&one.name);
            judge_line(&one.address);
        }
    }
    assert!(content.references.len() <= MOST && content.attachments.len() <= MOST);
    for file in &content.attachments {
        judge_line(&file.filename);
        judge_line(&file.content_type);
        assert!(!file.content_type.is_empty());
    }
}

fn judge_line(line: &str) {
    assert!(line.chars().count() <= LONGEST_LINE);
    assert!(!line.contains(char::is_control), "{line:?}");
    // What was cut off may have left a space at the end.
    assert_eq!(line.trim_start(), line);
}
