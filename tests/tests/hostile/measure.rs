//! Starts a child for each behaviour, watches it, and says what must hold of it.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use agentwarm_app::ports::endpoints::MailProtocol;
use agentwarm_app::ports::mail::{ConnectFailure, Submission, TlsMode};
use agentwarm_testkit::scripted::{Pki, Service};
use futures::future::join_all;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::behaviour::{Behaviour, Outcome};
use crate::child::{Job, MARK, NOW, Report, WARM};
use crate::{imap_server, smtp_server};

/// By how much the child's memory may grow, in KiB.
const MOST_GROWTH: u64 = 32 * 1024;

/// How long the batch may take.
const LONGEST: Duration = Duration::from_secs(30);

/// After this it has not ended at all.
const PATIENCE: Duration = Duration::from_mins(2);

/// How many children run at once that wait most of their time, and that work.
const WAITING: usize = 24;
const WORKING: usize = 2;

/// What was seen of one child.
struct Seen {
    report: Report,
    /// KiB.
    growth: u64,
    took: Duration,
}

/// Lets a child work with each of these servers, which mostly have it wait, and fails if anything does not hold of any.
pub(crate) async fn measure_waiting(behaviours: Vec<Behaviour>) {
    measure_some_at_once(WAITING, behaviours).await;
}

/// The same of servers that keep it busy.
pub(crate) async fn measure_working(behaviours: Vec<Behaviour>) {
    measure_some_at_once(WORKING, behaviours).await;
}

async fn measure_some_at_once(most: usize, behaviours: Vec<Behaviour>) {
    let places = Semaphore::new(most);
    let measured = behaviours.into_iter().map(|behaviour| {
        let places = &places;
        async move {
            let _place = places.acquire().await.unwrap();
            let (name, seen) = (behaviour.name.clone(), measure(&behaviour).await);
            (name, complaints(&behaviour, &seen), seen)
        }
    });
    let mut wrong = String::new();
    for (name, complaints, seen) in join_all(measured).await {
        if let Ok(seen) = &seen {
            let (mib, took) = (seen.growth.div_ceil(1024), seen.took.as_secs_f64());
            let outcome = &seen.report.outcome;
            println!("{mib:3} MiB {took:5.1} s  {name}: {outcome}");
        }
        for complaint in complaints {
            writeln!(wrong, "{name}: {complaint}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

async fn measure(behaviour: &Behaviour) -> Result<Seen, String> {
    let pki = Pki::new();
    let imap = Service::start(&pki, TlsMode::Implicit, imap_server::good).await;
    let smtp = Service::start(&pki, TlsMode::Implicit, smtp_server::good).await;
    let script = behaviour.script.clone();
    let hostile = Service::start(&behaviour.pki, behaviour.begins, move || script()).await;
    let job = Job {
        task: behaviour.task,
        hostile_port: hostile.port,
        security: behaviour.security,
        good_ports: (imap.port, smtp.port),
        ca_pem: [pki.ca_pem.as_str(), &behaviour.pki.ca_pem].concat(),
    };
    let mut child = Watched::start(&job).await;
    let seen = timeout(PATIENCE, child.watch()).await;
    match seen {
        Ok(Some(seen)) => Ok(seen),
        Ok(None) => Err(format!(
            "the process died: {:?}",
            child.process.wait().await
        )),
        Err(_) => Err("the process does not end".into()),
    }
}

/// A child and the way to it.
struct Watched {
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Watched {
    async fn start(job: &Job) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child::process", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut child = Self {
            input: process.stdin.take(),
            output,
            process,
        };
        child.tell(&serde_json::to_string(job).unwrap()).await;
        child
    }

    /// `None` if it dies.
    async fn watch(&mut self) -> Option<Seen> {
        while self.hear().await? != WARM {}
        let before = self.memory("VmRSS");
        self.forget_peak();
        let begun = Instant::now();
        self.tell("go").await;
        let report = self.hear().await?;
        let took = begun.elapsed();
        let peak = self.memory("VmHWM");
        self.input = None;
        let ended = self.process.wait().await.unwrap();
        ended.success().then(|| Seen {
            report: serde_json::from_str(&report).unwrap(),
            growth: peak.saturating_sub(before),
            took,
        })
    }

    async fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        // One that has died is noticed when it does not answer.
        let _ = input.write_all(format!("{line}\n").as_bytes()).await;
    }

    async fn hear(&mut self) -> Option<String> {
        loop {
            let line = self.output.next_line().await.unwrap()?;
            if let Some(said) = line.strip_prefix(MARK) {
                return Some(said.to_owned());
            }
        }
    }

    /// A figure of `proc_pid_status(5)`, in KiB.
    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let figure = line.unwrap().trim_start_matches(':').trim_end_matches("kB");
        figure.trim().parse().unwrap()
    }

    /// Lets the peak begin anew (`proc_pid_clear_refs(5)`). Where the kernel does not, the peak is that of warming up, too.
    fn forget_peak(&self) {
        let _ = std::fs::write(self.proc("clear_refs"), "5");
    }

    fn proc(&self, file: &str) -> String {
        let id = self.process.id().expect("it runs");
        format!("/proc/{id}/{file}")
    }
}

/// What does not hold.
fn complaints(behaviour: &Behaviour, seen: &Result<Seen, String>) -> Vec<String> {
    let seen = match seen {
        Ok(seen) => seen,
        Err(complaint) => return vec![complaint.clone()],
    };
    let Report {
        outcome,
        reason,
        mails,
        good_is_done,
    } = &seen.report;
    let mut complaints = Vec::new();
    if seen.growth > MOST_GROWTH {
        complaints.push(format!("its memory grew by {} MiB", seen.growth / 1024));
    }
    if seen.took > LONGEST {
        complaints.push(format!("it took {:?}", seen.took));
    }
    let expected = format!("{:?}", behaviour.expected);
    if *outcome != expected {
        complaints.push(format!("{outcome} instead of {expected}"));
    }
    if !good_is_done {
        complaints.push(format!("the good mailbox was not done with: {mails:?}"));
    }
    complaints.extend(untold(
        behaviour,
        reason.as_deref(),
        mails.as_ref().map(|(mail, _)| mail.as_str()),
    ));
    complaints
}

/// What the account and its mail should say and do not.
fn untold(behaviour: &Behaviour, reason: Option<&str>, mail: Option<&str>) -> Option<String> {
    let protocol = match behaviour.task.protocol() {
        MailProtocol::Imap => "IMAP",
        MailProtocol::Smtp => "SMTP",
    };
    let (failure, state) = match &behaviour.expected {
        Outcome::Works => (None, None),
        // A visit neither shows nor looks for a message.
        Outcome::Fails(_) if !behaviour.concerns_visits() => return None,
        Outcome::Fails(failure) | Outcome::Sends(Submission::NotSent(failure)) => {
            (Some(failure), Some("Retry"))
        }
        Outcome::Sends(Submission::InDoubt) => (None, Some("InDoubt")),
        Outcome::Sends(_) => (None, Some("")),
    };
    let expected = failure.map(|failure| match failure {
        ConnectFailure::Credentials => {
            format!("The mail server has refused the login since {NOW}.")
        }
        ConnectFailure::Unreachable => {
            format!("The {protocol} server could not be reached since {NOW}.")
        }
        other => format!("The {protocol} server could not be used since {NOW}. {other}."),
    });
    if reason != expected.as_deref() {
        return Some(format!(
            "the account says {reason:?} instead of {expected:?}"
        ));
    }
    let is_told = mail
        .zip(state)
        .is_none_or(|(mail, state)| mail.starts_with(state));
    (!is_told).then(|| format!("its mail is {mail:?} instead of {state:?}"))
}
