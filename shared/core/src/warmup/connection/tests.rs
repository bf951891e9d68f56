use jiff::ToSpan;

use super::*;

fn start() -> Timestamp {
    "2026-03-13T09:00:00Z".parse().unwrap()
}

/// Fails whenever it may be tried until it is broken; the minutes at which it failed.
fn minutes_to_broken(failure: &ConnectionFailure) -> Vec<i64> {
    let mut health = ConnectionHealth::default();
    let mut now = start();
    let mut minutes = Vec::new();
    while !health.is_broken() {
        health = health.failed(MailProtocol::Imap, failure.clone(), now);
        minutes.push(seconds_between(start(), now) / 60);
        now = health.waits_until(MailProtocol::Imap).unwrap();
    }
    let last = start() + minutes.last().unwrap().minutes();
    assert_eq!(seconds_between(last, now), 55 * 60, "hourly from then on");
    minutes
}

#[test]
fn three_refusals_over_a_quarter_of_an_hour_are_an_error() {
    assert_eq!(
        minutes_to_broken(&ConnectionFailure::LoginRefused),
        [0, 8, 16]
    );
}

fn refused(health: &ConnectionHealth, seconds: i64) -> ConnectionHealth {
    let at = shifted(start(), seconds);
    health.failed(MailProtocol::Smtp, ConnectionFailure::LoginRefused, at)
}

fn silent(protocol: MailProtocol, health: &ConnectionHealth, seconds: i64) -> ConnectionHealth {
    let at = shifted(start(), seconds);
    health.failed(protocol, ConnectionFailure::Unreachable, at)
}

#[test]
fn one_server_waits_alone_and_only_it_mends_what_is_wrong() {
    let down = silent(MailProtocol::Smtp, &ConnectionHealth::default(), 0);
    assert_eq!(down.waits_until(MailProtocol::Imap), None);
    assert!(down.waits_until(MailProtocol::Smtp).is_some());
    assert_eq!(down.mended_by(MailProtocol::Imap), down);
    assert!(down.mended_by(MailProtocol::Smtp).works());
    // A password is the same for both.
    let refused = refused(&down, 60);
    assert!(refused.waits_until(MailProtocol::Imap).is_some());
    assert_eq!(refused.mended_by(MailProtocol::Imap), refused);
}

#[test]
fn a_server_that_fails_now_and_then_hides_nothing_of_the_other() {
    let mut health = ConnectionHealth::default();
    for hour in 0..=24 {
        let down = silent(MailProtocol::Smtp, &health, hour * 3600);
        assert_eq!(down.is_broken(), hour == 24);
        let both = silent(MailProtocol::Imap, &down, hour * 3600 + 60);
        assert_eq!(
            both.reason().unwrap(),
            format!(
                "The IMAP server could not be reached since {}. \
                 The SMTP server could not be reached since 2026-03-13T09:00:00Z.",
                shifted(start(), hour * 3600 + 60)
            )
        );
        assert_eq!(
            both.waits_until(MailProtocol::Imap),
            Some(shifted(start(), hour * 3600 + 120)),
            "its first failure, whatever the other waits for"
        );
        health = both.mended_by(MailProtocol::Imap);
        assert_eq!(health, down);
    }
}

#[test]
fn refusals_by_both_servers_count_together_and_each_takes_back_its_own() {
    let by = |protocol, health: &ConnectionHealth, minutes: i64| {
        let at = shifted(start(), minutes * 60);
        health.failed(protocol, ConnectionFailure::LoginRefused, at)
    };
    let once = by(MailProtocol::Smtp, &ConnectionHealth::default(), 0);
    let twice = by(MailProtocol::Imap, &once, 8);
    let thrice = by(MailProtocol::Smtp, &twice, 16);
    assert!(!twice.is_broken() && thrice.is_broken());
    for protocol in [MailProtocol::Imap, MailProtocol::Smtp] {
        assert_eq!(
            thrice.waits_until(protocol),
            Some(shifted(start(), (16 + 55) * 60))
        );
    }
    let left = thrice.mended_by(MailProtocol::Imap);
    assert!(!left.is_broken());
    assert_eq!(left.reason(), once.reason());
    assert!(by(MailProtocol::Smtp, &left, 24).is_broken());
    assert!(left.mended_by(MailProtocol::Smtp).works());
}

#[test]
fn who_accepts_the_login_and_refuses_the_mail_is_half_open_at_most() {
    let smtp = MailProtocol::Smtp;
    let turned_away = |health: &ConnectionHealth, minutes: i64| {
        let at = shifted(start(), minutes * 60);
        health.failed(smtp, ConnectionFailure::SenderRefused, at)
    };
    let down = silent(smtp, &ConnectionHealth::default(), 0);
    let twice = turned_away(&turned_away(&down, 1), 9);
    let thrice = turned_away(&twice, 17);
    assert!(!twice.is_broken() && thrice.is_broken());
    let in_minutes = |minutes: i64| Some(shifted(start(), minutes * 60));
    assert_eq!(thrice.waits_until(smtp), in_minutes(17 + 55));
    assert_eq!(thrice.waits_until(MailProtocol::Imap), None, "it is read");
    assert_eq!(
        thrice.reason().unwrap(),
        "The SMTP server accepts the login and has refused mail from this address since 2026-03-13T09:01:00Z."
    );

    let let_in = thrice.let_in_by(smtp);
    assert!(!let_in.is_broken() && !let_in.works(), "a mail may try");
    assert_eq!(let_in.waits_until(smtp), None);
    assert_eq!(let_in.reason(), thrice.reason());
    let kept: ServerHealth =
        serde_json::from_str(&serde_json::to_string(&let_in.smtp).unwrap()).unwrap();
    assert_eq!(kept, let_in.smtp);
    let again = turned_away(&let_in, 80);
    assert!(again.is_broken(), "at once");
    assert_eq!(again.reason(), thrice.reason());
    assert!(let_in.mended_by(smtp).works());
    assert!(down.let_in_by(smtp).works(), "nothing else is left over");
}

#[test]
fn many_refusals_at_once_are_not() {
    let mut health = ConnectionHealth::default();
    for seconds in 0..10 {
        health = refused(&health, seconds);
    }
    assert!(!health.is_broken());
    assert!(refused(&health, 15 * 60).is_broken());
}

#[test]
fn silence_backs_off_from_1_to_60_minutes_and_is_an_error_after_a_day() {
    let minutes = minutes_to_broken(&ConnectionFailure::Unreachable);
    assert_eq!(&minutes[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
    assert!(minutes[minutes.len() - 2] < 24 * 60);
    assert!((24 * 60..25 * 60).contains(minutes.last().unwrap()));
}

#[test]
fn a_hiccup_after_a_weekend_without_a_try_is_no_day_of_silence() {
    let smtp = MailProtocol::Smtp;
    let friday = (0..8).fold(ConnectionHealth::default(), |health, minutes| {
        silent(smtp, &health, minutes * 15 * 60)
    });
    let monday = 64 * 3600;
    let hiccup = silent(smtp, &friday, monday);
    assert!(!hiccup.is_broken());
    assert_eq!(
        hiccup.waits_until(smtp),
        Some(shifted(start(), monday + 60)),
        "tried again soon"
    );
    assert_eq!(hiccup.reason(), friday.reason(), "it did not work since");
    let minutes = [1, 3, 7, 15, 31, 63];
    let outage = minutes.iter().fold(hiccup, |health, minutes| {
        assert!(!health.is_broken(), "{minutes} minutes");
        silent(smtp, &health, monday + minutes * 60)
    });
    assert!(outage.is_broken());
    // Hours in which it is not tried mend nothing.
    let later = silent(smtp, &outage, monday + 20 * 3600);
    assert!(later.is_broken());
}

#[test]
fn an_answer_ends_silence_and_silence_keeps_refusals() {
    let both = [MailProtocol::Imap, MailProtocol::Smtp];
    let silent_both = both
        .into_iter()
        .fold(ConnectionHealth::default(), |health, it| {
            silent(it, &health, 0)
        });
    let refused = refused(&silent_both, 60);
    assert_eq!(refused.smtp.unreachable, Failures::default());
    assert_eq!(refused.smtp.refused.count, 1);
    assert_eq!(refused.imap, silent_both.imap, "it did not answer");
    let silent = silent(MailProtocol::Smtp, &refused, 120);
    assert_eq!(silent.smtp.refused, refused.smtp.refused);
}

#[test]
fn what_works_may_be_tried_and_needs_no_reason() {
    let fine = ConnectionHealth::default();
    assert_eq!(fine.waits_until(MailProtocol::Smtp), None);
    assert!(!fine.is_broken() && fine.reason().is_none());
    let failed = silent(MailProtocol::Smtp, &fine, 0);
    assert_eq!(
        failed.waits_until(MailProtocol::Smtp),
        Some(shifted(start(), 60))
    );
    assert_eq!(
        failed.reason().unwrap(),
        "The SMTP server could not be reached since 2026-03-13T09:00:00Z."
    );
}

#[test]
fn a_server_that_answers_and_is_of_no_use_is_told_apart_from_one_that_does_not() {
    let unusable = ConnectionFailure::Unusable {
        because: "Its certificate has expired".into(),
    };
    let silent = silent(MailProtocol::Imap, &ConnectionHealth::default(), 0);
    let failed = silent.failed(MailProtocol::Imap, unusable, shifted(start(), 60));
    assert_eq!(
        failed.reason().unwrap(),
        "The IMAP server could not be used since 2026-03-13T09:00:00Z. Its certificate has expired."
    );
    assert_eq!(failed.imap.unreachable.count, 2);
    let kept: ServerHealth =
        serde_json::from_str(&serde_json::to_string(&failed.imap).unwrap()).unwrap();
    assert_eq!(kept, failed.imap);
    let gone = failed.failed(
        MailProtocol::Imap,
        ConnectionFailure::Unreachable,
        shifted(start(), 180),
    );
    assert_eq!(gone.reason(), silent.reason());
}
