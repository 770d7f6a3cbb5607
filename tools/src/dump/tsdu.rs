//! The SPDUs of a TSDU as parts of the tree.

use colloquy_session::spdu::describe::{ParameterTree, SpduTree, describe_tsdu};
use colloquy_session::spdu::{DecodeRules, Flow};

use super::tree::Node;

/// Rules under which everything a peer may ever send is shown.
const RULES: DecodeRules = DecodeRules { extended_concatenation: true, ..DecodeRules::LENIENT };

/// Describes the SPDUs of a TSDU of the normal flow (or the expedited one), and the fault that ends it.
pub(crate) fn describe(octets: &[u8], expedited: bool) -> Vec<Node> {
    let flow = if expedited { Flow::Expedited } else { Flow::Normal };
    let tree = describe_tsdu(octets, flow, &RULES);
    let mut nodes: Vec<Node> = tree.spdus.iter().map(|spdu| of_spdu(spdu, octets)).collect();
    if let Some(error) = &tree.error {
        nodes.push(Node::fault(error));
    }
    nodes
}

fn of_spdu(spdu: &SpduTree, octets: &[u8]) -> Node {
    let mut node = Node::with(spdu.abbreviation, spdu.name).coded(spdu.si);
    node.parts = spdu.parameters.iter().map(of_parameter).collect();
    if let Some(error) = &spdu.error {
        node.push(Node::fault(error));
    }
    if !spdu.user_information.is_empty() {
        let information = octets.get(spdu.user_information.clone()).unwrap_or_default();
        node.push(Node::octets("user information", information));
    }
    node
}

fn of_parameter(parameter: &ParameterTree) -> Node {
    let name = match parameter.name {
        "unknown" => format!("parameter {}", parameter.code),
        name => name.to_owned(),
    };
    let mut node = Node::octets(name, &parameter.octets).coded(parameter.code);
    if !parameter.meaning.is_empty() {
        node.value = Some(parameter.meaning.clone());
    }
    if !parameter.children.is_empty() {
        node.octets = None;
        node.parts = parameter.children.iter().map(of_parameter).collect();
    }
    node
}
