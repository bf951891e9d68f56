//! Addresses as people write them: `zoe@example.com`, `Zoë <zoe@bücher.example>`.

use std::borrow::Cow;

use agentwarm_core::email::{EmailAddress, InvalidEmail};

use crate::ports::letters::Correspondent;
use crate::text::{NAME_MAX_CHARS, line_problem};

/// Reads an address, with or without a display name before it in angle brackets. A domain in another script becomes its A-labels (RFC 5890
/// §2.3.2.1), which every server knows.
pub fn parse_correspondent(text: &str) -> Result<Correspondent, Cow<'static, str>> {
    let text = text.trim_matches(' ');
    let (name, address) = match text
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    {
        Some((name, address)) => (unquoted(name.trim_matches(' ')), address),
        None => (Cow::Borrowed(""), text),
    };
    if !name.is_empty()
        && let Some(problem) = line_problem(&name, NAME_MAX_CHARS)
    {
        return Err(format!("has a name that {problem}").into());
    }
    Ok((name.into_owned(), parse_address(address)?))
}

fn parse_address(text: &str) -> Result<EmailAddress, Cow<'static, str>> {
    let shape = || Cow::from(InvalidEmail::Shape.to_string());
    let (local, domain) = text.rsplit_once('@').ok_or_else(shape)?;
    if !local.is_ascii() {
        // RFC 6531: such addresses reach only servers that offer SMTPUTF8, and their headers need RFC 6532.
        return Err("has letters before the @ that only servers with SMTPUTF8 take".into());
    }
    if domain.is_ascii() {
        return text.parse().map_err(said);
    }
    let domain = idna::domain_to_ascii(domain).map_err(|_invalid| "has a domain that is none")?;
    format!("{local}@{domain}").parse().map_err(said)
}

fn said(error: InvalidEmail) -> Cow<'static, str> {
    error.to_string().into()
}

/// A name without the quotation marks of RFC 5322 §3.2.4 around it.
fn unquoted(name: &str) -> Cow<'_, str> {
    match name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\").into(),
        None => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_domains_may_be_of_any_script() {
        for (text, name, address) in [
            ("Ada@Example.com", "", "ada@example.com"),
            ("Zoë Å <zoe@example.com>", "Zoë Å", "zoe@example.com"),
            ("\"Doe, \\\"J\\\"\" <j@x.de>", "Doe, \"J\"", "j@x.de"),
            ("<a@b.de>", "", "a@b.de"),
            ("a@bücher.example", "", "a@xn--bcher-kva.example"),
            ("山田 <a@例え.テスト>", "山田", "a@xn--r8jz45g.xn--zckzah"),
        ] {
            let (found, at) = parse_correspondent(text).unwrap();
            assert_eq!((found.as_str(), at.as_str()), (name, address));
        }
    }

    #[test]
    fn what_a_header_could_misread_is_refused() {
        for text in [
            "",
            "a",
            "a@b.de, c@d.de",
            "a@b.de\r\nBcc: x@y.de",
            "A\r\nBcc: x@y.de <a@b.de>",
            "A\u{2028} <a@b.de>",
            "=?utf-8?q?a=0D=0A?= <a@b.de>",
            "a@b\u{2028}.de",
            "ä@b.de",
            "a@ü",
            "A <a@b.de> B",
        ] {
            assert!(parse_correspondent(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_read_is_one_line(text in "(\\PC|[<>@\"\r\n\\\\.]){0,60}") {
            if let Ok((name, address)) = parse_correspondent(&text) {
                prop_assert!(!name.contains(char::is_control) && address.as_str().is_ascii());
            }
        }
    }
}
