//! What users do with their mailboxes themselves.

use std::sync::Arc;

use agentwarm_app::mailbox::{Allowance, BeginUpload, ReadMessages, SendMail};

use super::World;

impl World {
    pub(crate) fn send_mail(&self) -> SendMail {
        SendMail {
            accounts: self.store.clone(),
            vault: self.vault.clone(),
            sender: Arc::new(self.office.clone()),
            reader: Arc::new(self.office.clone()),
            uploads: self.uploads.clone(),
            allowance: Allowance {
                plans: self.store.clone(),
                figures: self.figures(),
                sent: self.store.clone(),
                test_mode: self.test_mode().rule,
                clock: self.clock.clone(),
            },
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(crate) fn begin_upload(&self) -> BeginUpload {
        BeginUpload {
            accounts: self.store.clone(),
            uploads: self.uploads.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(crate) fn read_messages(&self) -> ReadMessages {
        ReadMessages {
            accounts: self.store.clone(),
            vault: self.vault.clone(),
            reader: Arc::new(self.office.clone()),
            clock: self.clock.clone(),
        }
    }
}
