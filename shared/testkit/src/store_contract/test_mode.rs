//! What users say about test mode.

use agentwarm_core::warmup::test_mode::TestMode;

use super::Store;
use super::fixtures::user;

/// Until something is said, nothing is; then what was said last, by each user for themselves.
pub async fn what_a_user_said_last_counts(store: &Store) {
    let said = async |n| store.test_modes.said_by(user(n)).await.unwrap();
    assert_eq!(said(1).await, None);
    let on = TestMode {
        enabled: true,
        max_daily_emails: 5,
    };
    for mode in [on, on, TestMode::OFF, on] {
        store.test_mode_writes.say(user(1), mode).await.unwrap();
        assert_eq!(said(1).await, Some(mode));
    }
    assert_eq!(said(2).await, None);
}
