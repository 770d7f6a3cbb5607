//! Many short queues in one arena: what each session waits to take in or to send.
//!
//! A queue is 8 octets in the session's slot. Nodes come from a shared free list, so a queue that fills
//! and empties does not allocate in the steady state.

/// End of a chain.
const NIL: u32 = u32::MAX;

/// One queue; its nodes lie in the [`Chains`] it is used with.
#[derive(Debug)]
pub(crate) struct Chain {
    head: u32,
    tail: u32,
}

impl Chain {
    pub(crate) const EMPTY: Chain = Chain { head: NIL, tail: NIL };

    pub(crate) fn is_empty(&self) -> bool {
        self.head == NIL
    }
}

/// The arena.
#[derive(Debug)]
pub(crate) struct Chains<T> {
    nodes: Vec<Node<T>>,
    free: u32,
}

#[derive(Debug)]
struct Node<T> {
    value: Option<T>,
    next: u32,
}

impl<T> Chains<T> {
    pub(crate) fn new() -> Self {
        Self { nodes: Vec::new(), free: NIL }
    }

    pub(crate) fn push_back(&mut self, chain: &mut Chain, value: T) {
        let node = Node { value: Some(value), next: NIL };
        let index = self.free;
        let index = if index == NIL {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        } else {
            self.free = self.nodes[index as usize].next;
            self.nodes[index as usize] = node;
            index
        };
        if chain.is_empty() {
            chain.head = index;
        } else {
            self.nodes[chain.tail as usize].next = index;
        }
        chain.tail = index;
    }

    pub(crate) fn pop_front(&mut self, chain: &mut Chain) -> Option<T> {
        if chain.is_empty() {
            return None;
        }
        let index = chain.head;
        let node = &mut self.nodes[index as usize];
        chain.head = std::mem::replace(&mut node.next, self.free);
        self.free = index;
        node.value.take()
    }

    /// Every value, in order.
    pub(crate) fn iter(&self, chain: &Chain) -> impl Iterator<Item = &T> {
        let node = |index: u32| self.nodes.get(index as usize);
        let nodes = std::iter::successors(node(chain.head), move |before| node(before.next));
        nodes.filter_map(|node| node.value.as_ref())
    }

    /// Calls `act` with every value, in order.
    pub(crate) fn for_each(&mut self, chain: &Chain, mut act: impl FnMut(&mut T)) {
        let mut index = chain.head;
        while let Some(node) = self.nodes.get_mut(index as usize) {
            index = node.next;
            act(node.value.as_mut().expect("a node of a queue has a value"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_keep_their_order_and_reuse_their_nodes() {
        let mut chains = Chains::new();
        let (mut one, mut two) = (Chain::EMPTY, Chain::EMPTY);
        for round in 0..3 {
            for value in 0..4 {
                chains.push_back(&mut one, value);
                chains.push_back(&mut two, value + 100);
            }
            chains.for_each(&one, |value| *value *= 2);
            assert_eq!(chains.iter(&one).copied().collect::<Vec<_>>(), [0, 2, 4, 6]);
            let taken: Vec<_> = std::iter::from_fn(|| chains.pop_front(&mut one)).collect();
            assert_eq!(taken, [0, 2, 4, 6]);
            let taken: Vec<_> = std::iter::from_fn(|| chains.pop_front(&mut two)).collect();
            assert_eq!(taken, [100, 101, 102, 103]);
            assert!(one.is_empty());
            assert_eq!(chains.nodes.len(), 8, "round {round}");
        }
    }
}
