//! Commands, with every argument quoted so that none can become two.

use std::collections::BTreeSet;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A command without its tag. It is sent in pieces: each but the last announces a literal, which the server must invite. It may hold
/// a password, so it is wiped and cannot be printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Command {
    pieces: Vec<Vec<u8>>,
}

impl Command {
    /// A command's name and whatever else in it needs no quoting.
    pub(super) fn new(text: &str) -> Self {
        Self {
            pieces: vec![text.as_bytes().to_vec()],
        }
    }

    /// Adds a space and text that needs no quoting.
    pub(super) fn then(mut self, text: &str) -> Self {
        self.push(b" ");
        self.push(text.as_bytes());
        self
    }

    /// Adds a space and a string: quoted if it is one line of ASCII, else a literal (RFC 3501 §4.3).
    pub(super) fn string(mut self, text: &str) -> Self {
        self.push(b" ");
        if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            self.push(format!("\"{escaped}\"").as_bytes());
            self
        } else {
            self.push_literal(text.as_bytes().to_vec());
            self
        }
    }

    /// Adds a space and a literal (RFC 3501 §4.3).
    pub(super) fn literal(mut self, bytes: Vec<u8>) -> Self {
        self.push(b" ");
        self.push_literal(bytes);
        self
    }

    /// The pieces, in order.
    pub(super) fn pieces(&self) -> &[Vec<u8>] {
        &self.pieces
    }

    /// The command, if it can be sent without waiting for the server.
    pub(super) fn one_piece(&self) -> Option<&[u8]> {
        match self.pieces.as_slice() {
            [piece] => Some(piece),
            _ => None,
        }
    }

    fn push_literal(&mut self, bytes: Vec<u8>) {
        self.push(format!("{{{}}}", bytes.len()).as_bytes());
        self.pieces.push(bytes);
    }

    fn push(&mut self, bytes: &[u8]) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.extend_from_slice(bytes);
        }
    }
}

/// Takes UIDs into a set that keeps the highest `most`, however many a server says.
pub(super) fn keep_highest(uids: &mut BTreeSet<u32>, found: Vec<u32>, most: usize) {
    for uid in found {
        uids.insert(uid);
        if uids.len() > most {
            uids.pop_first();
        }
    }
}

/// Takes UIDs into a set that keeps the lowest `most`.
pub(super) fn keep_lowest(uids: &mut BTreeSet<u32>, found: Vec<u32>, most: usize) {
    for uid in found {
        uids.insert(uid);
        if uids.len() > most {
            uids.pop_last();
        }
    }
}

/// A set of UIDs in as few ranges as there are (RFC 3501 §9 `sequence-set`). They must be in order.
pub(super) fn uid_set(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &uid in uids {
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(uid) => *end = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    let ranges: Vec<String> = ranges
        .into_iter()
        .map(|(start, end)| {
            if start == end {
                start.to_string()
            } else {
                format!("{start}:{end}")
            }
        })
        .collect();
    ranges.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_cannot_end_the_command() {
        let pieces = |text| Command::new("SELECT").string(text).pieces().to_vec();
        assert_eq!(pieces("INBOX"), [b"SELECT \"INBOX\"".to_vec()]);
        assert_eq!(pieces("a\"b\\c"), [b"SELECT \"a\\\"b\\\\c\"".to_vec()]);
        assert_eq!(pieces(""), [b"SELECT \"\"".to_vec()]);
        assert_eq!(
            pieces("a\r\nb LOGOUT"),
            [b"SELECT {11}".to_vec(), b"a\r\nb LOGOUT".to_vec()]
        );
        assert_eq!(
            Command::new("UID MOVE 1").string("ü").then("x").pieces(),
            [b"UID MOVE 1 {2}".to_vec(), "ü x".as_bytes().to_vec()]
        );
    }

    #[test]
    fn of_many_uids_the_wanted_end_is_kept() {
        let (mut highest, mut lowest) = (BTreeSet::new(), BTreeSet::new());
        for found in [vec![5, 1, 9], vec![9, 7, 2]] {
            keep_highest(&mut highest, found.clone(), 3);
            keep_lowest(&mut lowest, found, 3);
        }
        assert_eq!(highest, BTreeSet::from([5, 7, 9]));
        assert_eq!(lowest, BTreeSet::from([1, 2, 5]));
    }

    #[test]
    fn sets_are_ranges() {
        assert_eq!(uid_set(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(uid_set(&[u32::MAX - 1, u32::MAX]), "4294967294:4294967295");
        assert_eq!(uid_set(&[]), "");
    }
}
