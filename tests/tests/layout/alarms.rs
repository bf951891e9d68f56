//! Alarm ← metric ← metric filter ← line of the log. A line that is worded anew, or a metric that nobody makes, would only be missed on the day
//! of the outage.

use std::collections::BTreeSet;

use agentwarm_local::template::Template;
use serde_json::Value;

/// The filters whose line none of `sources` writes, the metrics of ours that an alarm reads and no filter makes, or the other way round, and
/// the alarms whose end is told to others than their beginning.
pub(crate) fn complaints(template: &Template, sources: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut made = BTreeSet::new();
    for (id, filter) in template.of_kind("AWS::Logs::MetricFilter") {
        let properties = Value::Object(filter.properties.clone());
        let pattern = properties.get("FilterPattern").and_then(Value::as_str);
        let line = pattern.and_then(line_of);
        let written = line.is_some_and(|line| sources.iter().any(|source| source.contains(&line)));
        if !written {
            found.push(format!(
                "template.yaml: {id} waits for a line that no source writes: give its FilterPattern `$.message = \"…\"` of one that is written."
            ));
        }
        metrics(&properties, "MetricNamespace", &mut made);
    }
    let mut read = BTreeSet::new();
    for (id, alarm) in template.of_kind("AWS::CloudWatch::Alarm") {
        let properties = Value::Object(alarm.properties.clone());
        metrics(&properties, "Namespace", &mut read);
        if alarm.properties.get("OKActions") != alarm.properties.get("AlarmActions") {
            found.push(format!(
                "template.yaml: whoever is told of {id} is not told when it is over: give it OKActions like its AlarmActions."
            ));
        }
    }
    found.extend(made.symmetric_difference(&read).map(|metric| {
        format!("template.yaml: {metric} is made by a metric filter and read by no alarm, or the other way round.")
    }));
    found
}

/// The text in quotation marks that a pattern compares `$.message` with.
fn line_of(pattern: &str) -> Option<String> {
    let (_, rest) = pattern.split_once("$.message = \"")?;
    let (line, _) = rest.split_once('"')?;
    Some(format!("\"{line}\""))
}

/// The names of the metrics of our own namespace anywhere in `value`; `namespace` is what the attribute is called there.
fn metrics(value: &Value, namespace: &str, found: &mut BTreeSet<String>) {
    if let (Some(space), Some(name)) = (value.get(namespace), value.get("MetricName"))
        && space.to_string().contains("AgentWarm/")
        && let Some(name) = name.as_str()
    {
        found.insert(name.to_owned());
    }
    match value {
        Value::Object(object) => object.values().for_each(|it| metrics(it, namespace, found)),
        Value::Array(items) => items.iter().for_each(|it| metrics(it, namespace, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(line: &str, read: &str) -> Template {
        Template::parse(&format!(
            r#"
Resources:
  Failed:
    Type: AWS::Logs::MetricFilter
    Properties:
      FilterPattern: '{{ $.message = "{line}" }}'
      MetricTransformations:
        - MetricNamespace: !Sub AgentWarm/${{AWS::StackName}}
          MetricName: Failures
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Metrics:
        - MetricStat:
            Metric:
              Namespace: !Sub AgentWarm/${{AWS::StackName}}
              MetricName: {read}
        - MetricStat:
            Metric:
              Namespace: AWS/Lambda
              MetricName: Errors
"#
        ))
        .expect("a template")
    }

    #[test]
    fn lines_and_metrics_must_meet() {
        let sources = ["tracing::error!(\"it failed\");".to_owned()];
        let complaints = |line, read| complaints(&template(line, read), &sources);
        assert_eq!(complaints("it failed", "Failures"), [""; 0]);
        let [reworded] = &complaints("it fell", "Failures")[..] else {
            panic!("one complaint");
        };
        assert!(reworded.contains("Failed waits for a line"), "{reworded}");
        let complaints = complaints("it failed", "Failure").join("\n");
        assert!(complaints.contains("Failure is") && complaints.contains("Failures is"));
    }

    #[test]
    fn who_hears_of_an_alarm_hears_of_its_end() {
        let complaints = |end: &str| {
            let alarm = "Resources:\n  Late:\n    Type: AWS::CloudWatch::Alarm\n    Properties:";
            let template = Template::parse(&format!("{alarm}\n      AlarmActions: [a]{end}"));
            complaints(&template.expect("a template"), &[])
        };
        assert_eq!(complaints("\n      OKActions: [a]"), [""; 0]);
        assert!(complaints("")[0].contains("whoever is told of Late"));
        assert!(complaints("\n      OKActions: [b]")[0].contains("whoever is told of Late"));
    }
}
