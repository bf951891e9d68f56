//! The connector's rules about mail servers, for those who check what a user typed before anything is connected to.

use agentwarm_app::ports::endpoints::{EndpointProblem, EndpointRules, MailProtocol};

use crate::ImapSmtp;

impl EndpointRules for ImapSmtp {
    fn problems(&self, protocol: MailProtocol, host: &str, port: u16) -> Vec<EndpointProblem> {
        let policy = self.dialer.connector.policy();
        policy.problems(protocol, host, port)
    }
}
