//! Ten days of six mailboxes on three domains from Santiago to Karachi, a weekend, a change to daylight saving and a spam filter among
//! them. They begin on a Thursday.

use jiff::civil::date;

use crate::days::Story;
use crate::findings::Findings;

/// Two on each domain. Berlin and London lose an hour on the first Sunday, Santiago gains one on the second, when nobody is to write any
/// more: until then Santiago and Karachi are eight hours apart.
const STORY: Story = Story {
    name: "accept-ten-days",
    mailboxes: &[
        ("w131@acorn.test", "America/Santiago"),
        ("w132@acorn.test", "Europe/Berlin"),
        ("w133@birch.test", "Asia/Tehran"),
        ("w134@birch.test", "Europe/London"),
        ("w135@cedar.test", "America/Sao_Paulo"),
        ("w136@cedar.test", "Asia/Karachi"),
    ],
    first_day: date(2026, 3, 26),
    days: 10,
    per_partner: None,
};

#[tokio::test(flavor = "multi_thread")]
async fn ten_days_add_up() {
    let course = STORY.happen().await;
    let mut wrong = Findings::default();
    course.adds_up(&mut wrong);
    let spammed = course.books.iter().map(|books| books.sum("spammed", ..));
    wrong.require(spammed.sum::<u64>() > 0, "no mail was taken for spam");
    wrong.none();
    course.deployment.end().await;
}
