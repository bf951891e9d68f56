//! Which folder plays which role: by SPECIAL-USE (RFC 6154), else by its name.
//!
//! Names are looked for at the top level, or directly below INBOX or Gmail's folder, where servers put them: a user's own
//! `Archive/Spam` is none.

use agentwarm_app::ports::mail::Folder;

use super::response::Listed;
use super::utf7;

/// What servers and clients call the spam folder, in lower case, the surest first.
const JUNK_NAMES: [&str; 34] = [
    "junk",
    "spam",
    "junk e-mail",
    "junk email",
    "junk mail",
    "junk-e-mail",
    "junk-email",
    "bulk mail",
    "bulk",
    "spamverdacht",
    "unerwünscht",
    "unerwünschte werbung",
    "courrier indésirable",
    "indésirables",
    "pourriel",
    "correo no deseado",
    "correo basura",
    "posta indesiderata",
    "lixo eletrônico",
    "lixo electrónico",
    "lixo eletrónico",
    "ongewenste e-mail",
    "ongewenst",
    "skräppost",
    "søppelpost",
    "uønsket e-mail",
    "roskaposti",
    "wiadomości-śmieci",
    "nevyžádaná pošta",
    "спам",
    "нежелательная почта",
    "迷惑メール",
    "垃圾邮件",
    "垃圾郵件",
];

/// What they call the folder of sent mail.
const SENT_NAMES: [&str; 23] = [
    "sent",
    "sent items",
    "sent messages",
    "sent mail",
    "sent-mail",
    "gesendet",
    "gesendete elemente",
    "gesendete objekte",
    "éléments envoyés",
    "messages envoyés",
    "envoyés",
    "enviados",
    "elementos enviados",
    "posta inviata",
    "inviata",
    "itens enviados",
    "verzonden items",
    "verzonden",
    "skickat",
    "wysłane",
    "отправленные",
    "送信済み",
    "已发送邮件",
];

/// Under these, names are as good as at the top.
const ROOTS: [&str; 3] = ["inbox", "[gmail]", "[google mail]"];

/// A mailbox's folders.
#[derive(Debug, Default)]
pub(super) struct Folders(Vec<Listed>);

impl Folders {
    pub(super) fn new(listed: Vec<Listed>) -> Self {
        Self(listed)
    }

    /// The name on the wire of the folder with this role.
    pub(super) fn name_of(&self, role: Folder, warmup_name: &str) -> Option<String> {
        match role {
            Folder::Inbox => Some("INBOX".into()),
            Folder::Junk => self.junk().next(),
            Folder::OtherJunk => {
                let mut junk = self.junk();
                let first = junk.next();
                junk.find(|name| Some(name) != first.as_ref())
            }
            Folder::Sent => self
                .by_use(&["\\sent"])
                .or_else(|| self.by_name(&SENT_NAMES)),
            Folder::Warmup => self.by_name(&[warmup_name.to_lowercase().as_str()]),
        }
    }

    /// The name on the wire of the folder that people mean by `name`: a role in any case, else the folder of exactly this name.
    pub(super) fn meant_by(&self, name: &str, warmup_name: &str) -> Option<String> {
        let by_role = match name.to_lowercase().as_str() {
            "inbox" => self.name_of(Folder::Inbox, warmup_name),
            "spam" | "junk" => self.name_of(Folder::Junk, warmup_name),
            "sent" => self.name_of(Folder::Sent, warmup_name),
            "warmup" => self.name_of(Folder::Warmup, warmup_name),
            "drafts" => self
                .by_use(&["\\drafts"])
                .or_else(|| self.by_name(&["drafts"])),
            "trash" => self
                .by_use(&["\\trash"])
                .or_else(|| self.by_name(&["trash", "deleted items", "deleted messages"])),
            "archive" => self
                .by_use(&["\\archive"])
                .or_else(|| self.by_name(&["archive"])),
            _ => None,
        };
        let wire = utf7::encode(name);
        // Some servers send UTF-8 as it is.
        by_role.or_else(|| {
            [wire, name.to_owned()]
                .into_iter()
                .find(|name| self.has(name))
        })
    }

    /// The role of a folder, if it has one.
    pub(super) fn role_of(&self, name: &str, warmup_name: &str) -> Option<Folder> {
        if name.eq_ignore_ascii_case("INBOX") {
            return Some(Folder::Inbox);
        }
        [
            Folder::Junk,
            Folder::OtherJunk,
            Folder::Sent,
            Folder::Warmup,
        ]
        .into_iter()
        .find(|role| self.name_of(*role, warmup_name).as_deref() == Some(name))
    }

    /// The names on the wire of all folders that messages can be in.
    pub(super) fn selectable(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(|folder| is_selectable(folder))
            .map(|folder| folder.name.as_str())
    }

    /// Whether there is a folder of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case("INBOX") || self.selectable().any(|found| found == name)
    }

    /// Under which names a new folder may be made, the likeliest first: at the top, or below INBOX where all others are (Courier,
    /// Cyrus).
    pub(super) fn names_for_new(&self, name: &str) -> Vec<String> {
        let wire = utf7::encode(name);
        let delimiter = self.0.iter().find_map(|folder| folder.delimiter);
        let below = delimiter.map(|delimiter| format!("INBOX{delimiter}{wire}"));
        let mut others = self
            .0
            .iter()
            .filter(|folder| !folder.name.eq_ignore_ascii_case("INBOX"))
            .peekable();
        let all_below = others.peek().is_some()
            && others.all(|folder| {
                let prefix = folder.name.get(..6).unwrap_or_default();
                prefix.to_ascii_uppercase().starts_with("INBOX")
                    && folder.delimiter.is_some_and(|d| prefix.ends_with(d))
            });
        let mut names: Vec<String> = std::iter::once(wire).chain(below).collect();
        if all_below {
            names.reverse();
        }
        names
    }

    /// The folders that spam may be in, the surest first. Some may come twice.
    fn junk(&self) -> impl Iterator<Item = String> {
        let by_use = self.all_by_use(&["\\junk", "\\spam"]);
        by_use.chain(self.all_by_name(&JUNK_NAMES))
    }

    fn by_use(&self, attributes: &[&str]) -> Option<String> {
        self.all_by_use(attributes).next()
    }

    fn all_by_use(&self, attributes: &[&str]) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .filter(|folder| is_selectable(folder))
            .filter(|folder| {
                folder
                    .attributes
                    .iter()
                    .any(|found| attributes.contains(&found.as_str()))
            })
            .map(|folder| folder.name.clone())
    }

    fn by_name(&self, names: &[&str]) -> Option<String> {
        self.all_by_name(names).next()
    }

    fn all_by_name(&self, names: &[&str]) -> impl Iterator<Item = String> {
        names.iter().flat_map(|name| {
            self.0
                .iter()
                .filter(|folder| is_selectable(folder))
                .filter(move |folder| simple_name(folder) == *name)
                .map(|folder| folder.name.clone())
        })
    }
}

fn is_selectable(folder: &Listed) -> bool {
    !folder
        .attributes
        .iter()
        .any(|attribute| attribute == "\\noselect" || attribute == "\\nonexistent")
}

/// The name in lower case as it reads, without the root it stands under.
fn simple_name(folder: &Listed) -> String {
    let name = utf7::decode(&folder.name).unwrap_or_else(|| folder.name.clone());
    let name = name.to_lowercase();
    let below_root = folder
        .delimiter
        .and_then(|delimiter| name.split_once(delimiter))
        .filter(|(root, _)| ROOTS.contains(root))
        .map(|(_, rest)| rest.to_owned());
    below_root.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(lines: &[&str]) -> Folders {
        use super::super::response::Response;
        Folders::new(
            lines
                .iter()
                .map(
                    |line| match Response::of(format!("* LIST {line}\r\n").as_bytes()) {
                        Response::List(listed) => listed,
                        other => panic!("{line}: {other:?}"),
                    },
                )
                .collect(),
        )
    }

    fn roles(lines: &[&str]) -> [Option<String>; 3] {
        let folders = folders(lines);
        [Folder::Junk, Folder::Sent, Folder::Warmup].map(|role| folders.name_of(role, "Warmup"))
    }

    fn names(names: [&str; 3]) -> [Option<String>; 3] {
        names.map(|name| (!name.is_empty()).then(|| name.to_owned()))
    }

    #[test]
    fn people_mean_roles_in_any_case_and_names_as_they_are() {
        let folders = folders(&[
            "(\\HasNoChildren) \"/\" INBOX",
            "(\\Drafts) \"/\" \"Entw&APw-rfe\"",
            "(\\Trash) \"/\" \"Papierkorb\"",
            "() \"/\" \"Archive\"",
            "() \"/\" \"Spam\"",
            "() \"/\" \"Kunden/B&APw-cher\"",
            "(\\Noselect) \"/\" \"Kunden\"",
        ]);
        for (name, meant) in [
            ("inbox", Some("INBOX")),
            ("Junk", Some("Spam")),
            ("SPAM", Some("Spam")),
            ("DRAFTS", Some("Entw&APw-rfe")),
            ("trash", Some("Papierkorb")),
            ("archive", Some("Archive")),
            ("Kunden/Bücher", Some("Kunden/B&APw-cher")),
            ("kunden/bücher", None),
            ("Kunden", None),
            ("Sent", None),
            ("", None),
        ] {
            assert_eq!(folders.meant_by(name, "Warmup").as_deref(), meant, "{name}");
        }
    }

    #[test]
    fn roles_are_found_on_real_servers() {
        for (server, lines, expected) in [
            (
                "Gmail",
                &[
                    "(\\HasNoChildren) \"/\" \"INBOX\"",
                    "(\\HasChildren \\Noselect) \"/\" \"[Gmail]\"",
                    "(\\All \\HasNoChildren) \"/\" \"[Gmail]/All Mail\"",
                    "(\\HasNoChildren \\Sent) \"/\" \"[Gmail]/Gesendet\"",
                    "(\\HasNoChildren \\Junk) \"/\" \"[Gmail]/Spam\"",
                    "(\\HasNoChildren) \"/\" \"Warmup\"",
                ][..],
                names(["[Gmail]/Spam", "[Gmail]/Gesendet", "Warmup"]),
            ),
            (
                "Courier",
                &[
                    "(\\HasChildren) \".\" INBOX",
                    "() \".\" INBOX.Sent",
                    "() \".\" INBOX.Spam",
                    "() \".\" INBOX.Archive.Junk",
                ],
                names(["INBOX.Spam", "INBOX.Sent", ""]),
            ),
            (
                "Exchange",
                &[
                    "() \"/\" \"Junk Email\"",
                    "() \"/\" \"Sent Items\"",
                    "() \"/\" INBOX",
                ],
                names(["Junk Email", "Sent Items", ""]),
            ),
            (
                "French",
                &[
                    "() \"/\" \"Courrier ind&AOk-sirable\"",
                    "() \"/\" \"&AMk-l&AOk-ments envoy&AOk-s\"",
                ],
                names([
                    "Courrier ind&AOk-sirable",
                    "&AMk-l&AOk-ments envoy&AOk-s",
                    "",
                ]),
            ),
            (
                "UTF-8 names",
                &["() \"/\" {8}\r\n\u{421}\u{43f}\u{430}\u{43c}"],
                names(["\u{421}\u{43f}\u{430}\u{43c}", "", ""]),
            ),
            (
                "use before name, name only where selectable",
                &[
                    "() \"/\" Junk",
                    "(\\Junk \\NonExistent) \"/\" Old",
                    "(\\Junk) \"/\" Quarantine",
                    "(\\Noselect) \"/\" Sent",
                    "() \"/\" Archive/Sent",
                ],
                names(["Quarantine", "", ""]),
            ),
        ] {
            assert_eq!(roles(lines), expected, "{server}");
        }
    }

    #[test]
    fn a_second_folder_that_looks_like_spam_is_one() {
        for (lines, expected) in [
            // cPanel's filter files into `spam`, dovecot's special use is `Junk`.
            (
                &["(\\Junk) \".\" INBOX.Junk", "() \".\" INBOX.spam"][..],
                [Some("INBOX.Junk"), Some("INBOX.spam")],
            ),
            (
                &["() \"/\" Spam", "() \"/\" Junk"],
                [Some("Junk"), Some("Spam")],
            ),
            (
                &["(\\Junk) \"/\" A", "(\\Junk) \"/\" B", "() \"/\" Bulk"],
                [Some("A"), Some("B")],
            ),
            (
                &["(\\Junk) \"/\" Junk", "() \"/\" Sent"],
                [Some("Junk"), None],
            ),
            (
                &[
                    "() \"/\" Junk",
                    "(\\Noselect) \"/\" Spam",
                    "() \"/\" Archive/Spam",
                ],
                [Some("Junk"), None],
            ),
        ] {
            let folders = folders(lines);
            let roles = [Folder::Junk, Folder::OtherJunk];
            let found = roles.map(|role| folders.name_of(role, "Warmup"));
            assert_eq!(
                found,
                expected.map(|name| name.map(str::to_owned)),
                "{lines:?}"
            );
            for (role, name) in roles.into_iter().zip(found) {
                let Some(name) = name else { continue };
                assert_eq!(folders.role_of(&name, "Warmup"), Some(role), "{name}");
            }
        }
    }

    #[test]
    fn new_folders_go_where_the_others_are() {
        assert_eq!(
            folders(&["() \"/\" INBOX", "() \"/\" Sent"]).names_for_new("Warmup"),
            ["Warmup", "INBOX/Warmup"]
        );
        assert_eq!(
            folders(&["() \".\" INBOX", "() \".\" INBOX.Sent"]).names_for_new("Wärme"),
            ["INBOX.W&AOQ-rme", "W&AOQ-rme"]
        );
        assert_eq!(
            folders(&["() NIL INBOX"]).names_for_new("Warmup"),
            ["Warmup"]
        );
        assert_eq!(folders(&[]).names_for_new("Warmup"), ["Warmup"]);
    }

    #[test]
    fn names_lead_back_to_roles() {
        let folders = folders(&["(\\Junk) \"/\" X", "() \"/\" Warmup", "() \"/\" Other"]);
        let role = |name| folders.role_of(name, "Warmup");
        assert_eq!(role("inbox"), Some(Folder::Inbox));
        assert_eq!(role("X"), Some(Folder::Junk));
        assert_eq!(role("Warmup"), Some(Folder::Warmup));
        assert_eq!(role("Other"), None);
        assert!(folders.has("INBOX") && folders.has("X") && !folders.has("Y"));
    }
}
