//! What both kinds of benchmark that need a deployment begin with.

use std::time::Duration;

use agentwarm_local::clock::Pace;
use agentwarm_local::registry::functions;
use agentwarm_local::run::config;
use agentwarm_local::settings::RunSettings;
use agentwarm_local::template::Template;
use agentwarm_local::{Functions, StackConfig};

/// Where the servers are, and the configuration of a stack of this name that remembers nothing.
pub(crate) fn settings(name: &str) -> (RunSettings, StackConfig) {
    let mut settings = RunSettings::from_environment().unwrap();
    settings.api.set_port(0);
    settings.pace = Pace::DayIn(Duration::ZERO);
    let mut config = config(&settings, Functions::Here(functions()), settings.pace).unwrap();
    name.clone_into(&mut config.stack.name);
    config.remember = false;
    (settings, config)
}

/// What is deployed.
pub(crate) fn template() -> Template {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    Template::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}
