//! What accounts say of themselves is what their closed days say.

use agentwarm_core::account::Account;
use agentwarm_testkit::memory::look::Look;
use agentwarm_testkit::world::EngineWorld;

pub(super) fn audit(world: &EngineWorld, wrong: &mut Vec<String>) {
    let look = world.store.look();
    for account in look.accounts() {
        totals(&look, account, wrong);
    }
}

fn totals(look: &Look<'_>, account: &Account, wrong: &mut Vec<String>) {
    let days: Vec<_> = look
        .days()
        .filter(|(owner, _)| owner.account == account.id)
        .map(|(_, row)| row)
        .filter(|row| {
            account
                .totals_through
                .is_some_and(|through| row.date <= through)
        })
        .collect();
    let (sent, received) = days.iter().fold((0, 0), |(sent, received), row| {
        (
            sent + u64::from(row.figures.sent),
            received + u64::from(row.figures.received),
        )
    });
    if (account.total_sent, account.total_received) != (sent, received) {
        wrong.push(format!(
            "{} has {} and {} in all, its days have {sent} and {received}",
            account.email, account.total_sent, account.total_received
        ));
    }
    let last = days.iter().rev().find_map(|row| row.reputation);
    if let Some(last) = last
        && account.reputation != last
    {
        wrong.push(format!(
            "{} has reputation {:?}, its last closed day {last:?}",
            account.email, account.reputation
        ));
    }
    if days.iter().any(|row| !row.closed) {
        wrong.push(format!("{} counts a day that is not closed", account.email));
    }
}
