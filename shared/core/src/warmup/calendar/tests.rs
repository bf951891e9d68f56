//! Tables for the dates that bite (weekends, days of 23 and 25 hours, changed zones), properties for all others.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(start: i8, end: i8) -> PoolConfig {
    PoolConfig {
        working_hours_start: start,
        working_hours_end: end,
        ..PoolConfig::default()
    }
}

fn every_day(start: i8, end: i8) -> PoolConfig {
    PoolConfig {
        send_on_weekends: true,
        ..hours(start, end)
    }
}

fn window(zone_name: &str, config: &PoolConfig, on: Date) -> Option<(String, String)> {
    window_on(&zone(zone_name), config, on).map(|it| (it.start.to_string(), it.end.to_string()))
}

fn pair(start: &str, end: &str) -> (String, String) {
    (start.to_owned(), end.to_owned())
}

#[test]
fn windows_follow_the_civil_clock_over_daylight_saving() {
    let day = hours(8, 18);
    let night = every_day(1, 5);
    for (zone, config, on, expected) in [
        // Friday before and Monday after the change: 8:00 is another instant.
        (
            "Europe/Berlin",
            &day,
            date(2026, 3, 27),
            Some(pair("2026-03-27T07:00:00Z", "2026-03-27T17:00:00Z")),
        ),
        (
            "Europe/Berlin",
            &day,
            date(2026, 3, 30),
            Some(pair("2026-03-30T06:00:00Z", "2026-03-30T16:00:00Z")),
        ),
        // Four clock hours are three hours in spring and five in autumn.
        (
            "Europe/Berlin",
            &night,
            date(2026, 3, 29),
            Some(pair("2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z")),
        ),
        (
            "Europe/Berlin",
            &night,
            date(2026, 10, 25),
            Some(pair("2026-10-24T23:00:00Z", "2026-10-25T04:00:00Z")),
        ),
        // The only working hour is skipped.
        ("Europe/Berlin", &every_day(2, 3), date(2026, 3, 29), None),
        // Half-hour zones, and a date that Samoa skipped.
        (
            "Asia/Kolkata",
            &day,
            date(2026, 3, 13),
            Some(pair("2026-03-13T02:30:00Z", "2026-03-13T12:30:00Z")),
        ),
        ("Pacific/Apia", &day, date(2011, 12, 30), None),
        // Saturday and Sunday.
        ("UTC", &day, date(2026, 3, 14), None),
        ("UTC", &day, date(2026, 3, 15), None),
        (
            "UTC",
            &every_day(8, 18),
            date(2026, 3, 15),
            Some(pair("2026-03-15T08:00:00Z", "2026-03-15T18:00:00Z")),
        ),
    ] {
        assert_eq!(window(zone, config, on), expected, "{zone} {on}");
    }
}

#[test]
fn the_next_window_is_todays_if_it_is_not_over() {
    let (utc, config) = (Zone::utc(), hours(8, 18));
    for (now, start) in [
        ("2026-03-13T07:00:00Z", "2026-03-13T08:00:00Z"),
        ("2026-03-13T17:59:59Z", "2026-03-13T08:00:00Z"),
        ("2026-03-13T18:00:00Z", "2026-03-16T08:00:00Z"),
        ("2026-03-14T12:00:00Z", "2026-03-16T08:00:00Z"),
    ] {
        let window = window_at_or_after(&utc, &config, at(now)).unwrap();
        assert_eq!(window.start.to_string(), start, "{now}");
    }
    let monday = window_after_date(&utc, &config, date(2026, 3, 13)).unwrap();
    assert_eq!(monday.start.to_string(), "2026-03-16T08:00:00Z");
    assert_eq!(window_after_date(&utc, &config, Date::MAX), None);
}

#[test]
fn working_time_stands_still_at_night_and_on_weekends() {
    let (utc, config) = (Zone::utc(), hours(8, 18));
    for (from, minutes, expected) in [
        ("2026-03-12T09:00:00Z", 30, "2026-03-12T09:30:00Z"),
        ("2026-03-12T17:50:00Z", 30, "2026-03-13T08:20:00Z"),
        ("2026-03-12T17:50:00Z", 10, "2026-03-13T08:00:00Z"),
        ("2026-03-13T20:00:00Z", 5, "2026-03-16T08:05:00Z"),
        ("2026-03-13T17:00:00Z", 11 * 60 + 1, "2026-03-17T08:01:00Z"),
    ] {
        let then = after_working_time(&utc, &config, at(from), minutes * 60);
        assert_eq!(then.to_string(), expected, "{from} + {minutes} min");
    }
}

#[test]
fn a_day_that_starts_late_gets_its_share_and_at_least_one() {
    let window = Window {
        start: at("2026-03-13T08:00:00Z"),
        end: at("2026-03-13T18:00:00Z"),
    };
    for (from, volume, expected) in [
        ("2026-03-13T02:00:00Z", 40, 40),
        ("2026-03-13T08:00:00Z", 40, 40),
        ("2026-03-13T13:00:00Z", 40, 20),
        ("2026-03-13T13:00:00Z", 2, 1),
        ("2026-03-13T17:59:59.999Z", 2, 1),
        ("2026-03-13T18:00:00Z", 40, 0),
        ("2026-03-13T13:00:00Z", 0, 0),
    ] {
        assert_eq!(
            pro_rata(volume, window, at(from)),
            expected,
            "{from} {volume}"
        );
    }
}

fn planned(zone: &Zone, on: Date) -> LastPlanned {
    LastPlanned {
        date: on,
        start: zone.day(on).start,
    }
}

#[test]
fn the_next_day_is_tomorrow_and_after_an_outage_today() {
    let (berlin, config, seed) = (zone("Europe/Berlin"), hours(8, 18), Seed::root(b"account"));
    let thursday = planned(&berlin, date(2026, 3, 12));
    let next = |now: &str| next_planning(&berlin, &config, Some(thursday), at(now), &seed);

    assert_eq!(next("2026-03-12T03:00:00Z").date, date(2026, 3, 13));
    assert_eq!(next("2026-03-12T23:30:00Z").date, date(2026, 3, 13));
    let overdue = next("2026-03-15T12:00:00Z");
    assert_eq!(overdue.date, date(2026, 3, 15));
    assert!(overdue.at < at("2026-03-15T12:00:00Z"));

    let first = next_planning(&berlin, &config, None, at("2026-03-12T23:30:00Z"), &seed);
    assert_eq!(first.date, date(2026, 3, 13));
}

#[test]
fn a_changed_zone_repeats_no_date_and_starts_no_day_within_20_hours() {
    let (auckland, los_angeles) = (zone("Pacific/Auckland"), zone("America/Los_Angeles"));
    let (config, seed) = (hours(8, 18), Seed::root(b"account"));

    // West: Los Angeles is still in the date that Auckland has used.
    let last = planned(&auckland, date(2026, 3, 12));
    let west = next_planning(
        &los_angeles,
        &config,
        Some(last),
        at("2026-03-12T03:00:00Z"),
        &seed,
    );
    assert_eq!(west.date, date(2026, 3, 13));

    // East: Auckland's next date begins 3 h after Los Angeles' did, the one after it 27 h.
    let last = planned(&los_angeles, date(2026, 3, 12));
    let east = next_planning(
        &auckland,
        &config,
        Some(last),
        at("2026-03-12T09:00:00Z"),
        &seed,
    );
    assert_eq!(east.date, date(2026, 3, 14));
}

#[test]
fn planning_too_keeps_20_hours_from_the_last_day() {
    // From UTC to UTC+4: the next date begins exactly 20 h later, and would be planned on the evening before that.
    let last = planned(&Zone::utc(), date(2026, 3, 12));
    let dubai = zone("Asia/Dubai");
    let next = next_planning(
        &dubai,
        &hours(0, 18),
        Some(last),
        at("2026-03-12T12:00:00Z"),
        &Seed::root(b"account"),
    );
    assert_eq!(next.date, date(2026, 3, 13));
    assert_eq!(next.at, at("2026-03-12T20:00:00Z"));
}

#[test]
fn the_day_is_planned_in_the_small_hours_or_where_they_work_at_midnight_the_evening_before() {
    let (utc, day) = (Zone::utc(), date(2026, 3, 13));
    for n in 0..200_u32 {
        let seed = Seed::root(&n.to_be_bytes());
        let early = planning_instant(&utc, &hours(8, 18), day, &seed);
        assert!((at("2026-03-13T00:05:00Z")..=at("2026-03-13T03:55:00Z")).contains(&early));
        let one = planning_instant(&utc, &hours(1, 18), day, &seed);
        assert!((at("2026-03-13T00:05:00Z")..=at("2026-03-13T00:55:00Z")).contains(&one));
        let zero = planning_instant(&utc, &hours(0, 18), day, &seed);
        assert!((at("2026-03-12T23:05:00Z")..=at("2026-03-12T23:55:00Z")).contains(&zero));
    }
}

#[test]
fn moments_of_planning_are_spread() {
    let instants: std::collections::BTreeSet<_> = (0..200_u32)
        .map(|n| {
            let seed = Seed::root(&n.to_be_bytes());
            planning_instant(&Zone::utc(), &hours(8, 18), date(2026, 3, 13), &seed)
        })
        .collect();
    assert!(instants.len() > 190);
}

prop_compose! {
    fn any_config()(start in 0_i8..23, length in 1_i8..=23, weekends: bool) -> PoolConfig {
        PoolConfig {
            send_on_weekends: weekends,
            ..hours(start, (start + length).min(23))
        }
    }
}

fn any_zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Santiago",
        "America/Havana",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "Africa/Casablanca",
    ])
    .prop_map(zone)
}

fn any_date() -> impl Strategy<Value = Date> {
    (0_i64..2000).prop_map(|days| date(2024, 1, 1).saturating_add(days.days()))
}

proptest! {
    #[test]
    fn every_instant_of_a_window_shows_a_working_hour_of_its_date(
        zone in any_zone(), config in any_config(), on in any_date(), part in 0.0_f64..1.0,
    ) {
        if let Some(window) = window_on(&zone, &config, on) {
            let length = seconds_between(window.start, window.end);
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a day's seconds")]
            let inside = shifted(window.start, (part * length as f64) as i64);
            prop_assert!(is_sending_day(on, &config));
            prop_assert_eq!(zone.date_of(inside), on);
            let hour = zone.hour_of(inside);
            prop_assert!(config.working_hours_start <= hour && hour < config.working_hours_end);
        }
    }

    #[test]
    fn each_day_is_planned_before_its_window_opens_and_after_the_days_before_closed(
        zone in any_zone(), config in any_config(), first in any_date(), seed: u64,
    ) {
        let seed = Seed::root(&seed.to_be_bytes());
        let mut last = planned(&zone, first);
        let mut now = last.start;
        for _ in 0..5 {
            let next = next_planning(&zone, &config, Some(last), now, &seed);
            let start = zone.day(next.date).start;
            prop_assert!(next.date > last.date);
            prop_assert!(start >= shifted(last.start, 20 * 3600));
            prop_assert!(next.at >= shifted(last.start, 20 * 3600));
            if let Some(window) = window_on(&zone, &config, next.date) {
                prop_assert!(next.at <= shifted(window.start, -PLANNING_LEAD_SECONDS));
            }
            if let Some(window) = window_on(&zone, &config, last.date) {
                prop_assert!(next.at >= window.end);
            }
            last = planned(&zone, next.date);
            now = next.at;
        }
    }

    #[test]
    fn working_time_ends_inside_working_hours(
        zone in any_zone(), config in any_config(), on in any_date(), second in 0_i64..86_400, delay in 0_i64..20_000,
    ) {
        let from = shifted(zone.day(on).start, second);
        let then = after_working_time(&zone, &config, from, delay);
        prop_assert!(then >= shifted(from, delay));
        let window = window_at_or_after(&zone, &config, then).unwrap();
        prop_assert!(window.contains(then));
    }

    #[test]
    fn shares_fall_over_the_day(volume in 0_u32..300, early in 0_i64..36_000, late in 0_i64..36_000) {
        let (early, late) = (early.min(late), early.max(late));
        let start = at("2026-03-13T08:00:00Z");
        let window = Window { start, end: shifted(start, 36_000) };
        let (first, second) = (
            pro_rata(volume, window, shifted(start, early)),
            pro_rata(volume, window, shifted(start, late)),
        );
        prop_assert!(second <= first && first <= volume);
        prop_assert_eq!(second == 0, volume == 0);
    }
}
