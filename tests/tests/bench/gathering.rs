//! How the template's event source mappings gather what wakes a function.

use agentwarm_local::template::Template;
use serde_json::Value;

/// How a mapping gathers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gathering {
    /// Items of a batch, at most.
    pub(crate) batch: usize,
    /// Seconds that its first item waits for others.
    pub(crate) window: i64,
    /// Batches of a stream's shard at work at once.
    pub(crate) lanes: usize,
}

impl Gathering {
    /// As the template has it for the mapping `name`.
    pub(crate) fn of(template: &Template, name: &str) -> Self {
        let mut mappings = template.of_kind("AWS::Lambda::EventSourceMapping");
        let found = mappings.find(|(mapping, _)| *mapping == name);
        let (_, mapping) = found.unwrap_or_else(|| panic!("there is no mapping {name}"));
        let number = |name: &str| mapping.properties.get(name).and_then(Value::as_u64);
        let whole = |name| usize::try_from(number(name).unwrap_or(1)).unwrap();
        Self {
            batch: whole("BatchSize"),
            window: i64::try_from(number("MaximumBatchingWindowInSeconds").unwrap_or(0)).unwrap(),
            lanes: whole("ParallelizationFactor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_how_batches_are_gathered() {
        let template = crate::deployment::template();
        for name in [
            "JobSendSlotTrigger",
            "JobInboxPollTrigger",
            "JobEventFanoutEntitiesTrigger",
            "JobEventFanoutActivityTrigger",
        ] {
            let gathering = Gathering::of(&template, name);
            assert!(gathering.batch >= 10 && gathering.window > 0, "{name}");
        }
    }
}
