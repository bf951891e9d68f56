//! What the tables' streams tell: changes, and the events that rode on them.
//!
//! A record's new image holds the events of the write that made it, and only of that one: a write that reports nothing leaves none behind,
//! and `eventVersion` must be the item's `version` besides. So each event leaves once per delivery of one record, and its id follows from
//! the item and its version (`docs/data-model.md`).

use serde_dynamo::Item as Image;

use agentwarm_app::engine::fanout::Change;
use agentwarm_core::audit::Event;

use crate::codec::{self, CodecError, EVENT_VERSION, EVENTS, Item, VERSION};
use crate::dynamo::slots;
use crate::keys;

/// The change that a record with this new image tells, if it is one that anybody follows: an item that carries events, or a slot.
pub fn change(image: Image) -> Result<Option<Change>, CodecError> {
    let mut item: Item = image.into();
    let key = codec::key_of(&item)?;
    let Some(user) = keys::owner(&key.pk) else {
        return Ok(None);
    };
    if !item.contains_key(VERSION) {
        return Ok(None);
    }
    let version: u64 = codec::number_of(&item, VERSION)?;
    let events = events(&mut item, version)?;
    let slot = match keys::slot_parts(&key) {
        Some(_) => Some(slots::read(item)?),
        None => None,
    };
    if events.is_empty() && slot.is_none() {
        return Ok(None);
    }
    Ok(Some(Change {
        id: format!("{}|{}|{version}", key.pk, key.sk),
        user,
        events,
        slot,
    }))
}

fn events(item: &mut Item, version: u64) -> Result<Vec<Event>, CodecError> {
    if !item.contains_key(EVENTS) || codec::number_of::<u64>(item, EVENT_VERSION)? != version {
        return Ok(Vec::new());
    }
    codec::take(item, EVENTS)
}
