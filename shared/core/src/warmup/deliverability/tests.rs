use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::mail::slot::SlotState;
use crate::rate::Rate;
use crate::warmup::reputation::{bounce_rate, inbox_placement_rate, spam_rate};
use crate::warmup::samples;

const TODAY: Date = date(2026, 3, 13);

fn at() -> Timestamp {
    samples::friday()
}

fn slot(day: Date, state: SlotState, spammed: bool) -> Slot {
    Slot {
        date: day,
        spammed_at: spammed.then(at),
        complained_at: None,
        ..samples::slot(1, state)
    }
}

fn accepted() -> SlotState {
    SlotState::Accepted { at: at() }
}

fn refused() -> SlotState {
    SlotState::Rejected {
        at: at(),
        reply: 550,
        bounced: true,
        reason: String::new(),
    }
}

#[test]
fn the_parts_are_the_whole_by_provider_and_by_day() {
    let earlier = date(2026, 3, 7);
    let bounced = SlotState::Returned {
        accepted_at: at(),
        at: at(),
        status: "5.1.1".to_owned(),
        bounced: true,
    };
    let mails = [
        (slot(TODAY, accepted(), false), "gmail.com"),
        (slot(TODAY, accepted(), true), "gmail.com"),
        (slot(TODAY, bounced, false), "acorn.example"),
        (slot(earlier, accepted(), false), "gmail.com"),
        (slot(date(2026, 3, 6), accepted(), false), "gmail.com"),
        (slot(date(2026, 3, 14), accepted(), false), "gmail.com"),
    ];
    let report = deliverability(
        TODAY,
        mails.iter().map(|(slot, provider)| (slot, *provider)),
    );

    let rates = |figures: &DayFigures| {
        [inbox_placement_rate, spam_rate, bounce_rate].map(|rate| rate(figures))
    };
    let half = Rate::of(1, 2);
    let quarter = Rate::of(1, 4);
    assert_eq!(rates(&report.overall), [half, quarter, quarter]);
    let names: Vec<_> = report.by_provider.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["gmail.com", "acorn.example"]);
    let third = Rate::of(1, 3);
    let [_, spam, bounce] = rates(&report.by_provider[0].1);
    assert_eq!([spam, bounce], [third, Rate::ZERO]);
    assert_eq!(
        rates(&report.by_provider[1].1),
        [Rate::ZERO, Rate::ZERO, Rate::ONE]
    );
    let days: Vec<_> = report.days.iter().map(|day| day.date).collect();
    assert_eq!((days.len(), days[0], days[6]), (7, TODAY, earlier));
    assert_eq!(rates(&report.days[0].figures)[0], third);
    assert_eq!(rates(&report.days[6].figures)[0], Rate::ONE);
    assert_eq!(report.days[1].figures, DayFigures::default());
}

#[test]
fn nothing_sent_is_no_rate_and_more_bounces_than_sends_are_all() {
    let none = deliverability(TODAY, []);
    assert_eq!(inbox_placement_rate(&none.overall), Rate::ZERO);
    assert_eq!((none.by_provider, none.days.len()), (Vec::new(), 7));
    let mails = [
        slot(TODAY, accepted(), false),
        slot(TODAY, refused(), false),
        slot(TODAY, refused(), false),
    ];
    let worst = deliverability(TODAY, mails.iter().map(|slot| (slot, "x.example")));
    assert_eq!(bounce_rate(&worst.overall), Rate::ONE);
    assert_eq!(inbox_placement_rate(&worst.overall), Rate::ZERO);
}

proptest! {
    #[test]
    fn what_is_sent_is_sent_to_one_provider_on_one_day(
        drawn in prop::collection::vec((0_i64..10, 0_usize..3, 0_u8..3, any::<bool>()), 0..60),
    ) {
        let providers = ["a.example", "b.example", "gmail.com"];
        let mails: Vec<_> = drawn
            .iter()
            .map(|(back, provider, state, spammed)| {
                let state = match state {
                    0 => accepted(),
                    1 => refused(),
                    _ => SlotState::Unknown { at: at() },
                };
                let day = TODAY.saturating_sub(back.days());
                (slot(day, state, *spammed), providers[*provider])
            })
            .collect();
        let report = deliverability(TODAY, mails.iter().map(|(slot, provider)| (slot, *provider)));
        let sum = |parts: Vec<DayFigures>| {
            parts.iter().fold((0, 0, 0), |(sent, spammed, bounced), it| {
                (sent + it.sent, spammed + it.spammed, bounced + it.bounced)
            })
        };
        let whole = sum(vec![report.overall]);
        prop_assert_eq!(sum(report.by_provider.into_iter().map(|(_, it)| it).collect()), whole);
        prop_assert_eq!(sum(report.days.into_iter().map(|it| it.figures).collect()), whole);
    }
}
