//! A message is parsed only as far as that is cheap.
//!
//! For each header, address, parameter and part the parser keeps some hundred bytes, so a message that holds nothing else costs eighty times
//! what it weighs. All of these end or begin with one of a few bytes, which attachments (base64: a line end in 76 bytes) and texts hardly
//! hold. So these bytes are counted before anything is parsed, without asking where in the message they stand: a hostile message would
//! have another opinion about that.

/// What a parser keeps something for: lines, and in headers addresses, groups, ids, parameters, encoded words, comments, quotations.
const MARKS: [u8; 7] = *b"\n,;<(\"?";

/// How many of them are read: those of 2 MB in base64 and an HTML text of 100 KB besides. They cost 15 MB at most.
const MOST_MARKS: usize = 40_000;

/// Cuts a message off where it becomes costly; whether it did.
pub(super) fn cut_off(source: &mut Vec<u8>) -> bool {
    let mut marks = source.iter().enumerate().filter(|(_, b)| MARKS.contains(b));
    let Some((end, _)) = marks.nth(MOST_MARKS) else {
        return false;
    };
    source.truncate(end);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_too_much_is_cut_off_and_nothing_else() {
        let attachment = ["A".repeat(76).as_bytes(), b"\r\n"].concat();
        let mut files = attachment.repeat(2 * 1024 * 1024 / 78);
        let before = files.len();
        assert!(!cut_off(&mut files));
        assert_eq!(files.len(), before);

        let mut headers = b"a:\n".repeat(MOST_MARKS + 1);
        assert!(cut_off(&mut headers));
        assert_eq!(headers.len(), 3 * MOST_MARKS + 2);
    }
}
