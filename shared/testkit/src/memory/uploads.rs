//! Files that were uploaded.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use agentwarm_app::ports::StoreError;
use agentwarm_app::ports::uploads::{Upload, UploadRequest, Uploads};
use async_trait::async_trait;
use jiff::Timestamp;

const BASE: &str = "memory://uploads/";

/// Announced and stored files.
#[derive(Debug, Default)]
pub struct MemoryUploads(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    announced: BTreeMap<String, (Upload, u64)>,
    stored: BTreeMap<Upload, Vec<u8>>,
    is_down: bool,
}

/// The source of the store's failure.
#[derive(Debug, thiserror::Error)]
#[error("the test took the file store down")]
struct Down;

impl MemoryUploads {
    /// What a `PUT` of `bytes` to `url` does: whether it is taken, which it is if the length is the announced one.
    pub fn put(&self, url: &str, bytes: &[u8]) -> bool {
        let mut state = self.state();
        let Some((upload, size)) = state.announced.get(url).copied() else {
            return false;
        };
        let fits = u64::try_from(bytes.len()) == Ok(size);
        if fits {
            state.stored.insert(upload, bytes.to_vec());
        }
        fits
    }

    /// Takes the store down, or brings it back.
    pub fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self, operation: &'static str) -> Result<std::sync::MutexGuard<'_, State>, StoreError> {
        let state = self.state();
        if state.is_down {
            let source = Box::new(Down);
            return Err(StoreError::Unavailable { operation, source });
        }
        Ok(state)
    }
}

#[async_trait]
impl Uploads for MemoryUploads {
    async fn invite(
        &self,
        upload: Upload,
        size: u64,
        _now: Timestamp,
        _valid: Duration,
    ) -> Result<UploadRequest, StoreError> {
        let url = format!("{BASE}{}", upload.id);
        let mut state = self.up("uploads.invite")?;
        state.announced.insert(url.clone(), (upload, size));
        let headers = vec![("content-length".to_owned(), size.to_string())];
        Ok(UploadRequest { url, headers })
    }

    async fn size(&self, upload: Upload) -> Result<Option<u64>, StoreError> {
        let state = self.up("uploads.size")?;
        let stored = state.stored.get(&upload);
        Ok(stored.and_then(|bytes| u64::try_from(bytes.len()).ok()))
    }

    async fn read(&self, upload: Upload) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.up("uploads.read")?.stored.get(&upload).cloned())
    }
}
