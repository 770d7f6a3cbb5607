//! A table whose ids go stale when their slot is freed.

use crate::driver::ConnectionId;

/// Values by slot and generation. Sockets of the network and connections of a driver use the same ids in
/// different tables.
#[derive(Debug)]
pub(super) struct Slab<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, value: T) -> ConnectionId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 slots")
        });
        let (generation, slot) = &mut self.slots[index as usize];
        *slot = Some(value);
        ConnectionId { index, generation: *generation }
    }

    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<T> {
        let (generation, slot) = self.slots.get_mut(id.index as usize)?;
        if *generation != id.generation {
            return None;
        }
        let value = slot.take()?;
        *generation = generation.wrapping_add(1);
        self.free.push(id.index);
        Some(value)
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&T> {
        let (generation, slot) = self.slots.get(id.index as usize)?;
        if *generation == id.generation { slot.as_ref() } else { None }
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut T> {
        let (generation, slot) = self.slots.get_mut(id.index as usize)?;
        if *generation == id.generation { slot.as_mut() } else { None }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|(_, slot)| slot.as_ref())
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
