//! What a user has, by what it is called in requests: what another user must not reach.

/// An id that nobody has.
pub const NOBODYS: &str = "019590a5-7c00-7000-8000-0000000000ff";

/// One of everything.
#[derive(Debug, Clone)]
pub struct Owned {
    /// An account's id.
    pub account: String,
    /// A pool's.
    pub pool: String,
    /// An API key's.
    pub key: String,
    /// A CRM link's.
    pub link: String,
    /// An upload's.
    pub upload: String,
    /// The CRM's person of the link.
    pub person: String,
    /// The CRM's account of the link.
    pub company: String,
    /// An address that is suppressed.
    pub address: String,
    /// The account's address.
    pub email: String,
}

impl Owned {
    /// What nobody has.
    pub fn nobodys() -> Self {
        let id = || NOBODYS.to_owned();
        Self {
            account: id(),
            pool: id(),
            key: id(),
            link: id(),
            upload: id(),
            person: "p-2".to_owned(),
            company: "a-2".to_owned(),
            address: "nobody@example.com".to_owned(),
            email: "nowhere@example.com".to_owned(),
        }
    }

    /// What a path's parameter names, given the segment before it.
    ///
    /// # Panics
    ///
    /// At one that it does not know.
    #[expect(clippy::panic, reason = "a test that is surprised should stop")]
    pub fn named(&self, before: &str, name: &str) -> String {
        match (before, name) {
            ("person", "personId") => &self.person,
            ("account", "accountId") => &self.company,
            ("keys", "id") => &self.key,
            (_, "id" | "accountId") => &self.account,
            (_, "poolId") => &self.pool,
            (_, "linkId") => &self.link,
            (_, "email") => &self.address,
            (before, name) => panic!("say here what the owner's {name} of {before} is"),
        }
        .clone()
    }

    /// What a field or a parameter of a query names.
    ///
    /// # Panics
    ///
    /// At one that it does not know.
    #[expect(clippy::panic, reason = "a test that is surprised should stop")]
    pub fn referred(&self, name: &str) -> &str {
        match name {
            "poolId" => &self.pool,
            "accountId" | "accountIds" | "entityId" => &self.account,
            "uploadId" => &self.upload,
            "crmPersonId" => &self.person,
            "crmAccountId" => &self.company,
            "email" => &self.email,
            name => panic!("say here what the owner's {name} is"),
        }
    }

    /// What shows whose it is.
    pub fn marks(&self) -> [&str; 7] {
        [
            &self.account,
            &self.pool,
            &self.key,
            &self.link,
            &self.upload,
            &self.address,
            &self.email,
        ]
    }
}
