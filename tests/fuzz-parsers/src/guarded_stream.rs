//! `agentwarm_net::guard`: where a unit ends, and what a peer may cost.

use std::time::Duration;

use agentwarm_net::guard::{Framing, GuardError, Guarded, Limits, ScanLimits, Scanner, Violation};
use tokio::io::{AsyncWriteExt, duplex};
use tokio::time::Instant;

use crate::server::run;

/// Small, so that short inputs pass them.
const SCAN: ScanLimits = ScanLimits {
    line: 96,
    literal: 64,
    unit: 256,
    depth: 4,
};

const LIMITS: Limits = Limits {
    scan: SCAN,
    exchange_bytes: 1024,
    session_bytes: 2048,
};

/// The first byte says what is read (IMAP where it is even) and how large the pieces are that it comes in.
pub fn check(bytes: &[u8]) {
    let Some((&how, bytes)) = bytes.split_first() else {
        return;
    };
    let framing = if how % 2 == 0 {
        Framing::Imap
    } else {
        Framing::Lines
    };
    let piece = usize::from(how / 2).max(1);
    let (units, violation) = scan(framing, bytes, bytes.len().max(1));
    assert_eq!(
        scan(framing, bytes, piece),
        (units.clone(), violation),
        "it depends on how the bytes are cut"
    );
    let units_length: usize = units.iter().map(Vec::len).sum();
    assert_eq!(
        units.concat(),
        bytes.get(..units_length).unwrap_or_default()
    );
    for unit in &units {
        assert_eq!(unit.last(), Some(&b'\n'));
        assert!(unit.len() <= SCAN.unit, "a unit of {} bytes", unit.len());
        let longest = SCAN.line.max(SCAN.literal);
        assert!(
            framing == Framing::Imap || unit.len() <= SCAN.line,
            "a line of {} bytes",
            unit.len()
        );
        let first = unit.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        assert!(first < longest, "a line of {first} bytes");
    }
    run(stream(framing, bytes, &units, violation));
}

/// The units, and what ended them, of bytes that come in pieces.
fn scan(framing: Framing, bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<Violation>) {
    let mut scanner = Scanner::new(framing, SCAN);
    let (mut units, mut unit) = (Vec::new(), Vec::new());
    for mut fresh in bytes.chunks(piece) {
        loop {
            match scanner.advance(fresh) {
                Err(violation) => return (units, Some(violation)),
                Ok(None) => break,
                Ok(Some(length)) => {
                    let (taken, rest) = fresh.split_at(length);
                    unit.extend_from_slice(taken);
                    units.push(std::mem::take(&mut unit));
                    fresh = rest;
                }
            }
        }
        unit.extend_from_slice(fresh);
    }
    (units, None)
}

/// The stream hands out the same units, and ends for the same reason unless the peer said too much in all.
async fn stream(framing: Framing, bytes: &[u8], units: &[Vec<u8>], violation: Option<Violation>) {
    let (ours, mut theirs) = duplex(bytes.len().max(1));
    theirs.write_all(bytes).await.expect("there is room");
    drop(theirs);
    let idle = Duration::from_mins(1);
    let mut guarded = Guarded::new(ours, framing, LIMITS, idle, Instant::now() + idle);
    let mut expected = units.iter();
    let ended = loop {
        match guarded.read_unit().await {
            Ok(unit) => assert_eq!(Some(&unit), expected.next()),
            Err(error) => break error,
        }
    };
    match ended {
        GuardError::Closed => assert_eq!((expected.next(), violation), (None, None)),
        GuardError::Violation(Violation::Exchange) => {
            assert!(bytes.len() as u64 > LIMITS.exchange_bytes);
        }
        GuardError::Violation(passed) => {
            assert_eq!((expected.next(), Some(passed)), (None, violation));
        }
        GuardError::Timeout | GuardError::Io(_) => panic!("{ended}"),
    }
    assert!(
        matches!(guarded.read_unit().await, Err(GuardError::Closed)),
        "it goes on after {ended}"
    );
    assert!(guarded.into_stream().is_err(), "it is of use after {ended}");
}
