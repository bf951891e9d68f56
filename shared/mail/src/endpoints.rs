//! The connector's rules about mail servers, for those who check what a user typed before anything is connected to.

use agentwarm_app::ports::endpoints::{EndpointPart, EndpointProblem, EndpointRules, MailProtocol};
use agentwarm_net::address::{EndpointRefused, Policy, Sink};

use crate::ImapSmtp;

/// The connector's policy as the port that use cases know.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetRules(pub Policy);

impl EndpointRules for NetRules {
    fn problems(&self, protocol: MailProtocol, host: &str, port: u16) -> Vec<EndpointProblem> {
        let sink = match protocol {
            MailProtocol::Imap => Sink::Imap,
            MailProtocol::Smtp => Sink::Smtp,
        };
        let refused = self.0.endpoint(sink, host, port).err();
        refused
            .into_iter()
            .map(|refused| EndpointProblem {
                part: match refused {
                    EndpointRefused::Host | EndpointRefused::Address => EndpointPart::Host,
                    EndpointRefused::Port25 | EndpointRefused::Port(_) => EndpointPart::Port,
                },
                message: refused.to_string(),
            })
            .collect()
    }
}

impl EndpointRules for ImapSmtp {
    fn problems(&self, protocol: MailProtocol, host: &str, port: u16) -> Vec<EndpointProblem> {
        NetRules(self.dialer.connector.policy()).problems(protocol, host, port)
    }
}
