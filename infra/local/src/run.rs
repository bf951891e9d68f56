//! `make run`: the stack with its demo, at a pace, until it is told to end.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use agentwarm_app::ports::clock::Clock;
use agentwarm_aws::clients::{ClientSettings, Clients};
use agentwarm_core::plan::Plan;
use agentwarm_lambda::bootstrap::{SystemClock, SystemEntropy};
use agentwarm_lambda::world::World;
use agentwarm_operator::{Issued, KeyOf};
use aws_config::Region;
use aws_smithy_http_client::Builder;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio::time::Instant;

use crate::api_client::ApiClient;
use crate::clock::{Pace, next_minute};
use crate::demo::{self, DemoError, DemoUser};
use crate::deploy::StackName;
use crate::emulator::credentials;
use crate::registry::functions;
use crate::settings::RunSettings;
use crate::stack::{Functions, Stack, StackConfig, StackError};
use crate::view::{Screen, rows, table};

/// The stack's name, which begins the names of its resources.
const STACK: &str = "agentwarm";

/// Its name where time is real: a stack whose days passed in minutes has all that is due planned for later.
const REAL_STACK: &str = "agentwarm-real";

/// How long queues and streams may wait where time is real.
const POLL: Duration = Duration::from_millis(500);

/// How often a terminal is drawn anew.
const REDRAW: Duration = Duration::from_secs(3);

/// After how much real time a message comes back whose function was killed with this program: longer than the leases (two minutes) that
/// the function may have taken while it worked, so that it does not meet its own.
const AFTER_CRASH: Duration = Duration::from_secs(150);

/// How much real time a failed message rests at least: its five deliveries (`maxReceiveCount`) outlast the leases of a process that was
/// killed.
const REST: Duration = Duration::from_secs(40);

/// The run ended badly.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The stack failed.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The demo could not be made.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// A file cannot be read, or the screen not be written.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Runs the functions in this program until `stop` is ready.
pub async fn run(settings: &RunSettings, stop: impl Future<Output = ()>) -> Result<(), RunError> {
    let config = StackConfig {
        rest: REST,
        ..config(settings, Functions::Here(functions()), settings.pace)?
    };
    let mut stack = Stack::start(config).await?;
    let user = demo(settings, &stack).await?;
    announce(&stack, &user);
    let api = ApiClient::new(stack.api_url(), &user.view_key);
    let mut stop = pin!(stop);
    let mut shown = Shown::new();
    loop {
        let started = Instant::now();
        match settings.pace {
            Pace::Real => real_time(&mut stack).await?,
            Pace::DayIn(_) => stack.step().await?,
        }
        report_trouble(&stack);
        shown.update(&stack, &api).await;
        let pause = settings.pace.minute().unwrap_or(POLL);
        tokio::select! {
            () = tokio::time::sleep_until(started + pause) => {}
            () = &mut stop => break,
        }
    }
    say("stopping: finishing the work at hand (Ctrl-C again ends at once)");
    let now = stack.clock().schedule();
    stack.stop().await?;
    say(&format!(
        "stopped at {now} of the schedule; `make run` goes on from there"
    ));
    Ok(())
}

/// A piece of real time: wakes what is scheduled when a minute has begun, and looks into queues and streams, which other processes
/// may have written.
pub(crate) async fn real_time(stack: &mut Stack) -> Result<(), StackError> {
    let now = stack.clock().wall();
    let last_look = now - SignedDuration::try_from(POLL).unwrap_or(SignedDuration::ZERO);
    if next_minute(last_look) <= now {
        stack.wake(now).await;
    }
    stack.look_everywhere();
    stack.quiesce().await
}

/// What the run's stack is started with.
pub fn config(
    settings: &RunSettings,
    functions: Functions,
    pace: Pace,
) -> Result<StackConfig, RunError> {
    let ca = std::fs::read_to_string(&settings.ca_file).map_err(|source| RunError::Io {
        what: format!("{} cannot be read", settings.ca_file.display()),
        source,
    })?;
    let parameters = [
        ("AllowLoopback", "true".to_owned()),
        ("ExtraCaPem", ca),
        ("QueueDelays", (pace == Pace::Real).to_string()),
        // The terminal view asks much.
        ("RateLimitPerMinute", "600".to_owned()),
    ];
    Ok(StackConfig {
        stack: StackName {
            name: match pace {
                Pace::Real => REAL_STACK,
                Pace::DayIn(_) => STACK,
            }
            .to_owned(),
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
        },
        template: settings.root.join("template.yaml"),
        emulator: settings.emulator.clone(),
        api: settings.api,
        functions,
        begin: (pace != Pace::Real).then(|| first_morning(SystemClock.wall())),
        remember: true,
        after_crash: AFTER_CRASH,
        rest: Duration::ZERO,
        entropy: Arc::new(SystemEntropy::default()),
        interceptors: Vec::new(),
        meter: None,
    })
}

/// Six in the morning, UTC, of `today`, or of Monday if it is a weekend: a first day with something to see.
fn first_morning(today: Timestamp) -> Timestamp {
    let date = TimeZone::UTC.to_datetime(today).date();
    let days = match date.weekday() {
        Weekday::Saturday => 2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    date.checked_add(days.days())
        .and_then(|date| TimeZone::UTC.to_timestamp(date.at(6, 0, 0, 0)))
        .unwrap_or(today)
}

/// Makes the demo, or finds it made.
pub async fn demo(settings: &RunSettings, stack: &Stack) -> Result<DemoUser, RunError> {
    let world = operator_world(settings, stack.name(), stack.clock()).await?;
    let Some(state) = stack.state() else {
        return Err(DemoError::Lacks("a place to remember its user").into());
    };
    let user = demo::user(state, &world, &stack.api_url()).await?;
    let api = ApiClient::new(stack.api_url(), &user.key);
    demo::mailboxes(&api, &settings.mail).await?;
    Ok(user)
}

/// A new user on `plan` and their first key, by the operator's command.
pub async fn new_user(
    settings: &RunSettings,
    stack: &Stack,
    plan: Plan,
) -> Result<Issued, RunError> {
    let world = operator_world(settings, stack.name(), stack.clock()).await?;
    let issued = agentwarm_operator::issue(KeyOf::NewUser(plan), &world).await;
    Ok(issued.map_err(DemoError::from)?)
}

/// What the operator's command works with on a stack, whose table and data key the template names after it.
pub async fn operator_world(
    settings: &RunSettings,
    stack: &str,
    clock: Arc<dyn Clock>,
) -> Result<World, RunError> {
    let clients = Clients::load(ClientSettings {
        endpoint: Some(settings.emulator.endpoint.clone()),
        region: Some(Region::new(settings.emulator.region.clone())),
        credentials: Some(credentials()),
        http: Some(Builder::new().build_http()),
        ..ClientSettings::default()
    })
    .await
    .map_err(|source| RunError::Io {
        what: "the operator's clients were not made".to_owned(),
        source: io::Error::other(source),
    })?;
    let settings = demo::operator_settings(stack);
    let entropy = Arc::new(SystemEntropy::default());
    Ok(World::new(settings, clients, clock, entropy))
}

pub(crate) fn announce(stack: &Stack, user: &DemoUser) {
    let url = stack.api_url();
    say(&format!(
        "the API listens on {url}; the demo user's key is {}",
        user.key
    ));
    say(&format!(
        "try: curl -H 'Authorization: Bearer {}' {url}/api/accounts\n",
        user.key
    ));
}

/// A line for whoever watches; nobody may, when the terminal was closed.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn report_trouble(stack: &Stack) {
    for failure in stack.take_failures() {
        tracing::warn!(target: "agentwarm_local::run", %failure, "an invocation failed");
    }
}

/// When the table was last shown.
pub(crate) struct Shown {
    screen: Screen,
    is_terminal: bool,
    at: Option<Instant>,
    day: i64,
}

impl Shown {
    pub(crate) fn new() -> Self {
        let is_terminal = io::stdout().is_terminal();
        Self {
            screen: Screen::new(is_terminal),
            is_terminal,
            at: None,
            day: 0,
        }
    }

    /// Shows the table every few seconds on a terminal, once a virtual day elsewhere.
    pub(crate) async fn update(&mut self, stack: &Stack, api: &ApiClient) {
        let now = stack.clock().schedule();
        let day = now.as_second().div_euclid(24 * 60 * 60);
        let due = if self.is_terminal {
            self.at.is_none_or(|at| at.elapsed() >= REDRAW)
        } else {
            day != self.day
        };
        if !due {
            return;
        }
        (self.at, self.day) = (Some(Instant::now()), day);
        match rows(api).await {
            // A table that cannot be shown is no reason to stop working.
            Ok(rows) => drop(self.screen.show(&table(now, &rows))),
            // The next look may be luckier; what is wrong is in the log.
            Err(error) => {
                tracing::warn!(target: "agentwarm_local::run", %error, "the API did not answer the view");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_day_is_a_working_day() {
        for (today, morning) in [
            ("2026-03-13T22:10:00Z", "2026-03-13T06:00:00Z"),
            ("2026-03-14T01:00:00Z", "2026-03-16T06:00:00Z"),
            ("2026-03-15T01:00:00Z", "2026-03-16T06:00:00Z"),
        ] {
            assert_eq!(
                first_morning(today.parse().unwrap()),
                morning.parse::<Timestamp>().unwrap()
            );
        }
    }
}
