//! Nothing goes wrong, except that some mail lands in spam.

use crate::harness::{AROUND_THE_WORLD, Sim, at};
use crate::seeds;

#[tokio::test]
async fn ten_plain_days() {
    let mut sim = Sim::of("plain", seeds::story(), &AROUND_THE_WORLD, "2026-03-09T00:00:00Z").await;
    sim.world.post.set_spam_share("clara@cedar.test", 0.1);
    sim.world.post.set_spam_share("carlos@cedar.test", 0.1);
    sim.run_until(at("2026-03-19T00:00:00Z"));
    sim.finish();
}
