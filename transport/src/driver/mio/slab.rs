//! Connections by slot and generation.

use super::connection::Connection;
use crate::driver::ConnectionId;

/// A bounded table whose ids go stale when their slot is freed.
#[derive(Debug)]
pub(super) struct Slab {
    slots: Vec<Slot>,
    free: Vec<u32>,
    len: u32,
    len_max: u32,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    connection: Option<Connection>,
}

impl Slab {
    pub(super) fn new(len_max: u32) -> Slab {
        Slab { slots: Vec::new(), free: Vec::new(), len: 0, len_max }
    }

    /// The id that the next [`Slab::insert`] will use; `None` when the table is full.
    pub(super) fn next_id(&self) -> Option<ConnectionId> {
        if self.len == self.len_max {
            return None;
        }
        let index = self.free.last().copied().unwrap_or(self.slots.len() as u32);
        let generation = self.slots.get(index as usize).map_or(0, |slot| slot.generation);
        Some(ConnectionId { index, generation })
    }

    /// Puts a connection where [`Slab::next_id`] said.
    pub(super) fn insert(&mut self, connection: Connection) -> ConnectionId {
        let id = self.next_id().expect("the caller asked for the id before");
        if self.free.pop().is_none() {
            self.slots.push(Slot::default());
        }
        self.slots[id.index as usize].connection = Some(connection);
        self.len += 1;
        id
    }

    /// Frees the slot; `id` is stale from here on.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        let slot = &mut self.slots[id.index as usize];
        debug_assert_eq!(slot.generation, id.generation);
        debug_assert!(slot.connection.is_some());
        slot.connection = None;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
        self.len -= 1;
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation == id.generation { slot.connection.as_mut() } else { None }
    }

    /// The id that a slot has at present.
    pub(super) fn id_at(&self, index: u32) -> Option<ConnectionId> {
        let slot = self.slots.get(index as usize)?;
        slot.connection.as_ref().map(|_| ConnectionId { index, generation: slot.generation })
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }
}
