//! The policy as the port that use cases know.

use agentwarm_app::ports::endpoints::{EndpointPart, EndpointProblem, EndpointRules, MailProtocol};

use crate::address::{Policy, Sink};

impl EndpointRules for Policy {
    fn problems(&self, protocol: MailProtocol, host: &str, port: u16) -> Vec<EndpointProblem> {
        let sink = match protocol {
            MailProtocol::Imap => Sink::Imap,
            MailProtocol::Smtp => Sink::Smtp,
        };
        let host = self.host(host).err().map(|why| (EndpointPart::Host, why));
        let port = self
            .port(sink, port)
            .err()
            .map(|why| (EndpointPart::Port, why));
        host.into_iter()
            .chain(port)
            .map(|(part, why)| EndpointProblem {
                part,
                message: why.to_string(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let problems = |protocol, host, port| -> Vec<(EndpointPart, String)> {
            Policy::default()
                .problems(protocol, host, port)
                .into_iter()
                .map(|problem| (problem.part, problem.message))
                .collect()
        };
        assert_eq!(problems(MailProtocol::Imap, "imap.example.com", 993), []);
        assert_eq!(
            problems(MailProtocol::Smtp, "10.0.0.1", 25),
            [
                (EndpointPart::Host, "must be a public address".to_owned()),
                (
                    EndpointPart::Port,
                    "must be 465, 587 or 2525: AWS Lambda blocks outbound port 25".to_owned()
                ),
            ]
        );
    }
}
