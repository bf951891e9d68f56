//! The suppression list: looking at it, adding to it, taking off it (API reference §6, decision 33).
//!
//! An expired entry is hidden unless asked for, but it is still there: it can be taken off, and suppressing its address again renews it. What
//! expires does so by the schedule clock, by which the engine asks who gets no mail.

use std::sync::Arc;

use agentwarm_core::email::EmailAddress;
use jiff::Timestamp;

use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::days::SuppressionReason;
use crate::ports::suppressions::{Suppression, SuppressionFilter, SuppressionList};
use crate::ports::{PageOf, PageRequest};
use crate::tenant::Tenant;

/// A user's suppression list.
#[derive(Clone)]
pub struct Suppressed {
    /// Where it is.
    pub list: Arc<dyn SuppressionList>,
    /// What has expired.
    pub clock: Arc<dyn Clock>,
}

impl Suppressed {
    /// A page of the tenant's entries, newest first.
    pub async fn list(
        &self,
        tenant: &Tenant,
        reason: Option<SuppressionReason>,
        include_expired: bool,
        page: &PageRequest,
    ) -> Result<PageOf<Suppression>, AppError> {
        let filter = SuppressionFilter {
            reason,
            in_force_at: (!include_expired).then(|| self.clock.schedule()),
        };
        Ok(self.list.list(tenant.user, &filter, page).await?)
    }

    /// Suppresses an address, or says anew why and until when.
    pub async fn suppress(
        &self,
        tenant: &Tenant,
        email: &EmailAddress,
        reason: SuppressionReason,
        until: Option<Timestamp>,
    ) -> Result<Suppression, AppError> {
        let now = self.clock.schedule();
        if until.is_some_and(|until| until <= now) {
            return Err(AppError::invalid("expiresAt", "must be in the future"));
        }
        Ok(self
            .list
            .put(tenant.user, email, reason, now, until)
            .await?)
    }

    /// Takes an address off the list.
    pub async fn release(&self, tenant: &Tenant, email: &EmailAddress) -> Result<(), AppError> {
        if self.list.remove(tenant.user, email).await? {
            Ok(())
        } else {
            Err(AppError::SuppressionNotFound)
        }
    }
}
