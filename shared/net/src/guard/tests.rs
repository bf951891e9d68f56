use proptest::prelude::*;
use tokio::io::duplex;

use super::*;

const SCAN: ScanLimits = ScanLimits {
    line: 64,
    literal: 32,
    unit: 160,
    depth: 4,
};

const LIMITS: Limits = Limits {
    scan: SCAN,
    exchange_bytes: 4096,
    session_bytes: 16 * 1024,
};

/// Units and the violation that ends them, if any.
fn scan(framing: Framing, chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Option<Violation>) {
    let mut scanner = Scanner::new(framing, SCAN);
    let mut units = Vec::new();
    let mut unit = Vec::new();
    for chunk in chunks {
        let mut rest = *chunk;
        loop {
            match scanner.advance(rest) {
                Err(violation) => return (units, Some(violation)),
                Ok(None) => {
                    unit.extend_from_slice(rest);
                    break;
                }
                Ok(Some(length)) => {
                    unit.extend_from_slice(&rest[..length]);
                    units.push(std::mem::take(&mut unit));
                    rest = &rest[length..];
                }
            }
        }
    }
    (units, None)
}

#[test]
fn responses_end_where_imap_says() {
    for (response, why) in [
        ("* OK hello\r\n", "a greeting"),
        ("* LIST (\\Junk) \"/\" Junk\r\n", "data"),
        ("* LIST () \"/\" {4}\r\nJunk\r\n", "a literal"),
        (
            "* LIST () \"/\" {4+}\r\nJunk\r\n",
            "a non-synchronizing literal",
        ),
        ("* LIST () \"/\" {0}\r\n\r\n", "an empty literal"),
        (
            "* LIST () \"/\" {2}\r\n\r\n (x)\r\n",
            "a literal of a line end",
        ),
        ("* 1 FETCH (A {1}\r\n( B {1}\r\n) C)\r\n", "two literals"),
        ("* LIST () \"{3}\"\r\n", "a brace in a quoted string"),
        ("* LIST () \"a\\\"{3}\" x\r\n", "an escaped quote"),
        ("* X {3} y\r\n", "a brace that does not end the line"),
        ("* OK see {5}\r\n", "text that looks like a literal"),
        ("* ok ((((((\" it's\r\n", "text with anything"),
        ("* PREAUTH {9}\r\n", "PREAUTH is a status"),
        ("* BYE\r\n", "a bare status"),
        ("a1 NO [X] {500000000}\r\n", "a tagged response is text"),
        ("+ {7}\r\n", "a continuation is text"),
        ("\r\n", "an empty line"),
        ("*\r\n", "a star"),
    ] {
        let bytes = [response.as_bytes(), b"+ next\r\n"].concat();
        let expected = vec![response.as_bytes().to_vec(), b"+ next\r\n".to_vec()];
        assert_eq!(scan(Framing::Imap, &[&bytes]), (expected, None), "{why}");
    }
}

#[test]
fn limits_are_kept() {
    let nested = |n: usize| format!("* 1 FETCH ({}\r\n", "(".repeat(n - 1));
    for (framing, bytes, expected) in [
        (Framing::Imap, nested(4), None),
        (Framing::Imap, nested(5), Some(Violation::Depth)),
        (Framing::Imap, "* 1 FETCH (((())()()))\r\n".into(), None),
        (
            Framing::Imap,
            "* OKAY (((((\r\n".into(),
            Some(Violation::Depth),
        ),
        (Framing::Imap, "*(((((\r\n".into(), Some(Violation::Depth)),
        (Framing::Imap, "* X {32}\r\n".into(), None),
        (
            Framing::Imap,
            "* X {33}\r\n".into(),
            Some(Violation::Literal),
        ),
        (
            Framing::Imap,
            "* X {33+}\r\n".into(),
            Some(Violation::Literal),
        ),
        (
            Framing::Imap,
            "* X {99999999999999999999999}\r\n".into(),
            Some(Violation::Literal),
        ),
        (Framing::Imap, format!("* X {}", "a".repeat(60)), None),
        (
            Framing::Imap,
            format!("* X {}", "a".repeat(61)),
            Some(Violation::Line),
        ),
        (Framing::Lines, "a".repeat(65), Some(Violation::Line)),
        (Framing::Lines, "((((((((((\r\n{99}\r\n".into(), None),
        (
            Framing::Imap,
            format!("* X{}", format!(" {{32}}\r\n{}", "x".repeat(32)).repeat(5)),
            Some(Violation::Unit),
        ),
    ] {
        assert_eq!(scan(framing, &[bytes.as_bytes()]).1, expected, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn how_the_stream_is_cut_does_not_matter(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "* ", "a1 ", "+ ", "OK", "LIST", "1", "{", "}", "{3}\r\n", "{0+}\r\n", "{31}\r\n", "+", "\r\n", "\r", "\n",
                "(", ")", "\"", "\\", " ", "abc", "\u{e9}", "9",
            ]),
            0..60,
        ),
        cuts in prop::collection::vec(0usize..200, 0..8),
        imap in any::<bool>(),
    ) {
        let framing = if imap { Framing::Imap } else { Framing::Lines };
        let bytes = tokens.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let whole = scan(framing, &[&bytes]);
        prop_assert_eq!(&scan(framing, &chunks), &whole);
        prop_assert_eq!(&scan(framing, &single), &whole);
        prop_assert!(whole.0.iter().all(|unit| unit.ends_with(b"\n") && unit.len() <= SCAN.unit));
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = scan(Framing::Imap, &[&bytes]);
        let _ = scan(Framing::Lines, &[&bytes]);
    }
}

fn guarded(
    limits: Limits,
    idle: u64,
    total: u64,
) -> (Guarded<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
    let (ours, theirs) = duplex(64);
    let deadline = Instant::now() + Duration::from_millis(total);
    let idle = Duration::from_millis(idle);
    (
        Guarded::new(ours, Framing::Imap, limits, idle, deadline),
        theirs,
    )
}

#[tokio::test]
async fn units_are_read_one_by_one_and_then_the_end() {
    let (mut ours, mut theirs) = guarded(LIMITS, 5_000, 10_000);
    theirs
        .write_all(b"* OK a\r\n* X {3}\r\n\r\nb\r\n+ c")
        .await
        .unwrap();
    drop(theirs);
    assert_eq!(ours.read_unit().await.unwrap(), b"* OK a\r\n");
    assert_eq!(ours.read_unit().await.unwrap(), b"* X {3}\r\n\r\nb\r\n");
    assert!(matches!(ours.read_unit().await, Err(GuardError::Closed)));
    assert!(matches!(ours.write(b"x").await, Err(GuardError::Closed)));
}

#[tokio::test]
async fn endless_chatter_ends_at_the_limit_of_an_exchange() {
    let (mut ours, mut theirs) = guarded(LIMITS, 5_000, 10_000);
    let chatter =
        tokio::spawn(async move { while theirs.write_all(b"* 1 EXISTS\r\n").await.is_ok() {} });
    let mut read = 0;
    let end = loop {
        match ours.read_unit().await {
            Ok(unit) => read += unit.len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(end, GuardError::Violation(Violation::Exchange)));
    assert!(read <= 4096 + CHUNK, "{read}");
    drop(ours);
    chatter.await.unwrap();
}

#[tokio::test]
async fn our_writes_begin_a_new_exchange_but_not_a_new_session() {
    let (mut ours, mut theirs) = guarded(LIMITS, 5_000, 10_000);
    let echo = tokio::spawn(async move {
        let mut command = [0; 1];
        while theirs.read_exact(&mut command).await.is_ok() {
            for _ in 0..30 {
                if theirs
                    .write_all(b"* X aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
                    .await
                    .is_err()
                {
                    return;
                }
            }
        }
    });
    let mut rounds = 0;
    let end = 'session: loop {
        if let Err(error) = ours.write(b"c").await {
            break error;
        }
        rounds += 1;
        for _ in 0..30 {
            if let Err(error) = ours.read_unit().await {
                break 'session error;
            }
        }
    };
    assert!(
        matches!(end, GuardError::Violation(Violation::Session)),
        "{end}"
    );
    assert_eq!(rounds, 1 + 16 * 1024 / (30 * 41));
    drop(ours);
    echo.await.unwrap();
}

#[tokio::test]
async fn silence_ends_after_the_idle_time() {
    let (mut ours, _theirs) = guarded(LIMITS, 50, 60_000);
    let begin = Instant::now();
    assert!(matches!(ours.read_unit().await, Err(GuardError::Timeout)));
    assert!(begin.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_outlive_the_deadline() {
    let (mut ours, mut theirs) = guarded(LIMITS, 60_000, 200);
    let begin = Instant::now();
    let dribble = tokio::spawn(async move {
        while theirs.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(matches!(ours.read_unit().await, Err(GuardError::Timeout)));
    assert!(begin.elapsed() >= Duration::from_millis(200));
    drop(ours);
    dribble.await.unwrap();
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_outlive_the_time_for_an_answer() {
    let (mut ours, mut theirs) = guarded(LIMITS, 2_000, 60_000);
    let begin = Instant::now();
    let dribble = tokio::spawn(async move {
        while theirs.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    assert!(matches!(ours.read_unit().await, Err(GuardError::Timeout)));
    let took = begin.elapsed();
    assert!((2..30).contains(&took.as_secs()), "{took:?}");
    drop(ours);
    dribble.await.unwrap();
}

#[tokio::test]
async fn many_answers_may_take_longer_than_one() {
    let (mut ours, mut theirs) = guarded(LIMITS, 2_000, 60_000);
    let notices = tokio::spawn(async move {
        for _ in 0..6 {
            theirs.write_all(b"* OK still working\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        theirs
    });
    for _ in 0..6 {
        ours.next_answer();
        ours.read_unit().await.unwrap();
    }
    notices.await.unwrap();
}

#[test]
fn an_answer_may_take_the_longer_the_more_of_it_has_come() {
    let answer = Answer::begin();
    let longer = Answer {
        bytes: 1024 * 1024,
        ..answer
    };
    let idle = Duration::from_secs(15);
    assert_eq!(answer.ends(idle), answer.since + idle);
    assert_eq!(
        longer.ends(idle),
        answer.ends(idle) + Duration::from_secs(1024)
    );
}

#[tokio::test]
async fn a_peer_that_does_not_read_ends_in_time() {
    let (mut ours, _theirs) = guarded(LIMITS, 50, 60_000);
    assert!(matches!(
        ours.write(&[0; 65]).await,
        Err(GuardError::Timeout)
    ));
}

#[tokio::test]
async fn plain_text_ahead_of_tls_is_refused() {
    let (mut ours, mut theirs) = guarded(LIMITS, 5_000, 10_000);
    theirs
        .write_all(b"a1 OK go\r\na2 OK injected\r\n")
        .await
        .unwrap();
    ours.read_unit().await.unwrap();
    assert!(matches!(
        ours.into_stream(),
        Err(GuardError::Violation(Violation::Injected))
    ));

    let (mut ours, mut theirs) = guarded(LIMITS, 5_000, 10_000);
    theirs.write_all(b"a1 OK go\r\n").await.unwrap();
    ours.read_unit().await.unwrap();
    assert!(ours.into_stream().is_ok());
}
