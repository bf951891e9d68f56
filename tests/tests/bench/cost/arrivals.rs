//! How many batches AWS would make of the same mails.
//!
//! The local stack hands over a minute's mails at once, because its clock moves by minutes. On AWS each mail becomes visible at its own
//! second, and a mapping waits its batching window for others ("Batching behavior" in Lambda's developer guide). So the number of
//! batches is reckoned from the seconds at which the mails of the day were due.

use agentwarm_core::ids::SlotId;
use agentwarm_local::Stack;

use crate::gathering::Gathering;

/// The batches of mails that were due at these milliseconds: each begins with a mail and takes what comes in the mapping's window.
pub(super) fn batches(due: &[u64], mapping: Gathering) -> u64 {
    let window = u64::try_from(mapping.window).unwrap() * 1_000;
    let mut sorted = due.to_vec();
    sorted.sort_unstable();
    let (mut batches, mut ends, mut room) = (0, None, 0);
    for at in sorted {
        if room == 0 || ends.is_none_or(|ends| at > ends) {
            batches += 1;
            ends = Some(at + window);
            room = mapping.batch;
        }
        room -= 1;
    }
    batches
}

/// When the mails of a stack were due, in milliseconds: their slots' ids say so. It reads the whole table, which the product never does.
pub(super) async fn due(stack: &Stack) -> Vec<u64> {
    let table = &stack.deployed().get("ActivityTable").unwrap().reference;
    let mut due = Vec::new();
    let mut start = None;
    loop {
        let page = stack
            .emulator()
            .dynamodb
            .scan()
            .table_name(table)
            .projection_expression("sk")
            .set_exclusive_start_key(start)
            .send()
            .await
            .unwrap();
        let slots = page.items().iter().filter_map(|item| {
            let slot: SlotId = item["sk"]
                .as_s()
                .ok()?
                .strip_prefix("slot#")?
                .parse()
                .ok()?;
            // A UUIDv7 begins with 48 bits of milliseconds.
            u64::try_from(slot.as_uuid().as_u128() >> 80).ok()
        });
        due.extend(slots);
        start = page.last_evaluated_key;
        if start.is_none() {
            return due;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_takes_what_comes_within_its_window_and_no_more_than_fits() {
        let mapping = Gathering {
            batch: 10,
            window: 5,
            lanes: 1,
        };
        let batches = |due: &[u64]| batches(due, mapping);
        assert_eq!(batches(&[]), 0);
        assert_eq!(batches(&[5_000, 0]), 1);
        assert_eq!(batches(&[5_001, 0]), 2);
        assert_eq!(batches(&[5_000, 0, 5_001, 9_000]), 2);
        assert_eq!(batches(&[0; 21]), 3);
    }
}
