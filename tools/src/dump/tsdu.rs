//! The SPDUs of a TSDU as parts of the tree, and UNIT DATA.

use colloquy_session::spdu::describe::{
    ParameterTree, ShortSpduTree, SpduTree, UnitDataTree, describe_tsdu, describe_unit_data,
};
use colloquy_session::spdu::{DecodeRules, Flow, ShortSpduKind, SpduKind};

use super::tree::Node;

/// Rules under which everything a peer may ever send is shown.
const RULES: DecodeRules = DecodeRules { extended_concatenation: true, ..DecodeRules::LENIENT };

/// Describes the SPDUs of a TSDU of the normal flow (or the expedited one), and the fault that ends it.
pub(crate) fn describe(octets: &[u8], expedited: bool) -> Vec<Node> {
    let flow = if expedited { Flow::Expedited } else { Flow::Normal };
    let tree = describe_tsdu(octets, flow, &RULES);
    if let Some(short) = tree.short.as_ref().filter(|short| short.spdu.kind != ShortSpduKind::Other) {
        return vec![of_short(short, octets)];
    }
    let mut nodes: Vec<Node> = tree.spdus.iter().map(|spdu| of_spdu(spdu, octets)).collect();
    if let Some(error) = &tree.error {
        nodes.push(Node::fault(error));
    }
    nodes
}

/// True when the octets begin like UNIT DATA, whose SI no other SPDU has.
pub(crate) fn begins_like_unit_data(octets: &[u8]) -> bool {
    octets.first() == Some(&UnitDataTree::SI)
}

/// Describes the octets of a T-UNIT-DATA, and why they would be discarded.
pub(crate) fn describe_datagram(octets: &[u8]) -> Vec<Node> {
    let tree = describe_unit_data(octets, &RULES);
    let fault = tree.error.as_ref().map(Node::fault);
    if tree.is_another_spdu() {
        return fault.into_iter().collect();
    }
    let mut node = Node::with(UnitDataTree::ABBREVIATION, UnitDataTree::NAME).coded(UnitDataTree::SI);
    node.parts = tree.parameters.iter().map(of_parameter).chain(fault).collect();
    push_octets(&mut node, "user information", octets.get(tree.user_information).unwrap_or_default());
    vec![node]
}

fn of_spdu(spdu: &SpduTree, octets: &[u8]) -> Node {
    let (abbreviation, name) = match spdu.kind {
        // The same octets: only the state of the receiver tells them apart.
        SpduKind::MajorSyncAck => ("MAA or AEA", "MAJOR SYNC ACK or ACTIVITY END ACK"),
        _ => (spdu.abbreviation, spdu.name),
    };
    let mut node = Node::with(abbreviation, name).coded(spdu.si);
    node.offset = Some(spdu.offset);
    node.parts = spdu.parameters.iter().map(of_parameter).collect();
    if let Some(error) = &spdu.error {
        node.push(Node::fault(error));
    }
    let information = octets.get(spdu.user_information.clone()).unwrap_or_default();
    push_octets(&mut node, "user information", information);
    node
}

/// The form of what follows the first octet is not known, so it is shown as octets.
fn of_short(short: &ShortSpduTree, octets: &[u8]) -> Node {
    let kind = short.spdu.kind;
    let mut node = Node::with(kind.abbreviation(), kind.name()).coded(short.spdu.first_octet);
    node.offset = Some(0);
    node.parts = short.bits().into_iter().map(|(name, meaning)| Node::with(name, meaning)).collect();
    push_octets(&mut node, "octets that follow", octets.get(short.following.clone()).unwrap_or_default());
    node
}

fn push_octets(node: &mut Node, name: &str, octets: &[u8]) {
    if !octets.is_empty() {
        node.push(Node::octets(name, octets));
    }
}

fn of_parameter(parameter: &ParameterTree) -> Node {
    let mut node = Node::octets(parameter.name, &parameter.octets).coded(parameter.code);
    node.unit = Some(parameter.unit_name());
    node.offset = Some(parameter.offset);
    if !parameter.meaning.is_empty() {
        node.value = Some(parameter.meaning.clone());
    }
    node.parts = parameter.children.iter().map(of_parameter).collect();
    node
}
