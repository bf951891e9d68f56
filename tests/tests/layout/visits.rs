//! A batch of visits ↔ its function's time. Whoever is cut off by the end of that time notes nothing: not even that a server is slow.

use std::time::Duration;

use agentwarm_local::template::Template;
use serde_json::Value;

/// What a visit does besides talking to its server.
const BESIDES: Duration = Duration::from_secs(5);

/// What is kept of a function's time for reporting what failed: twice the event kit's margin.
const REPORTING: Duration = Duration::from_secs(2);

/// Where batches handed over by a queue to `function`, which visits `at_once` mailboxes at a time for at most `session` each, do not fit into
/// its time, or come again before that is over.
pub(crate) fn complaints(
    template: &Template,
    function: &str,
    at_once: u8,
    session: Duration,
) -> Vec<String> {
    let number = |id: &str, key: &str| {
        let resource = template.resources.get(id);
        let number = resource.and_then(|resource| resource.properties.get(key)?.as_u64());
        number.unwrap_or_else(|| panic!("template.yaml: {id} has no {key}"))
    };
    let mut mappings = template.of_kind("AWS::Lambda::EventSourceMapping");
    let (trigger, mapping) = mappings
        .find(|(_, mapping)| text(&mapping.properties, "FunctionName", "/Ref") == Some(function))
        .unwrap_or_else(|| panic!("template.yaml: nothing wakes {function}"));
    let queue = text(&mapping.properties, "EventSourceArn", "/Fn::GetAtt/0");
    let queue = queue.unwrap_or_else(|| panic!("template.yaml: {trigger} has no queue"));

    let waves = number(trigger, "BatchSize").div_ceil(at_once.into());
    let needed = session.as_secs() * waves + BESIDES.as_secs() + REPORTING.as_secs();
    let has = number(function, "Timeout");
    let mut found = Vec::new();
    if has < needed {
        found.push(format!(
            "template.yaml: a batch of {trigger} may take {waves} sessions one after the other: give {function} a Timeout of {needed} at least."
        ));
    }
    if number(queue, "VisibilityTimeout") != 6 * has {
        found.push(format!(
            "template.yaml: {queue} hides a message for six times its function's Timeout; paste\n      VisibilityTimeout: {}",
            6 * has
        ));
    }
    found
}

fn text<'t>(
    properties: &'t serde_json::Map<String, Value>,
    key: &str,
    pointer: &str,
) -> Option<&'t str> {
    properties.get(key)?.pointer(pointer)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_waves_need_the_time_of_two_sessions() {
        let complaints = |timeout: u64, hidden: u64| {
            let template = Template::parse(&format!(
                r"
Resources:
  Visit:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: {timeout}
  VisitTrigger:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Visit
      EventSourceArn: !GetAtt Queue.Arn
      BatchSize: 20
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: {hidden}
"
            ));
            let template = template.expect("a template");
            complaints(&template, "Visit", 10, Duration::from_secs(90)).join("\n")
        };
        assert_eq!(complaints(187, 1_122), "");
        assert!(complaints(186, 1_116).contains("Timeout of 187"));
        assert!(complaints(187, 1_116).contains("VisibilityTimeout: 1122"));
    }
}
