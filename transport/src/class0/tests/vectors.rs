//! The vectors of `vectors.txt`.

use super::*;

struct Vector {
    role: String,
    name: String,
    input: Vec<u8>,
    events: Vec<String>,
    answer: Vec<u8>,
}

#[test]
fn vectors_hold() {
    let vectors = vectors();
    assert!(vectors.len() > 50, "{} vectors", vectors.len());
    for vector in &vectors {
        let mut end = end(&vector.role);
        end.receive(Slice::from_vec(vector.input.clone()));
        assert_eq!(end.events, vector.events, "events of: {}", vector.name);
        assert_eq!(end.out.to_vec(), vector.answer, "answer of: {}", vector.name);
        assert_eq!(end.class0.held_octets(), 0, "{}", vector.name);
    }
}

#[test]
fn vectors_hold_octet_by_octet() {
    for vector in vectors() {
        let mut end = end(&vector.role);
        vector.input.iter().for_each(|&octet| end.receive(Slice::from_vec(vec![octet])));
        assert_eq!(end.events, vector.events, "events of: {}", vector.name);
        assert_eq!(end.out.to_vec(), vector.answer, "answer of: {}", vector.name);
    }
}

#[test]
fn truncated_vectors_wait_or_have_the_same_fault() {
    for vector in vectors() {
        for cut in 0..vector.input.len() {
            let mut end = end(&vector.role);
            end.receive(Slice::from_vec(vector.input[..cut].to_vec()));
            let context = format!("{} cut at {cut}", vector.name);
            assert!(vector.events.starts_with(&end.events), "{context}: {:?}", end.events);
            assert!(vector.answer.starts_with(&end.out.to_vec()), "{context}");
            end.receive(Slice::from_vec(vector.input[cut..].to_vec()));
            assert_eq!(end.events, vector.events, "{context}");
        }
    }
}

fn end(role: &str) -> End {
    let (role, expedited) = match role.strip_suffix(", expedited") {
        Some(role) => (role, true),
        None => (role, false),
    };
    let config = Class0Config { tsdu_octets_max: 999, expedited, ..Class0Config::default() };
    match role {
        "responder" => End::new(Class0::responder(&config)),
        "initiator" => {
            let mut end = End::new(Class0::initiator(&config));
            end.class0.connect_request(&ConnectTpdu::default(), &mut end.out);
            end
        }
        "open" => End::open(&config, Some(128)),
        _ => panic!("role {role}"),
    }
}

fn vectors() -> Vec<Vector> {
    let mut vectors: Vec<Vector> = Vec::new();
    for line in include_str!("vectors.txt").lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if let Some(event) = line.strip_prefix('=') {
            vectors.last_mut().expect("a vector").events.push(event.trim().to_owned());
        } else if let Some(octets) = line.strip_prefix('>') {
            vectors.last_mut().expect("a vector").answer.extend(hex(octets));
        } else if let Some((role, name)) = line.split_once(':') {
            let (role, name) = (role.to_owned(), name.trim().to_owned());
            vectors.push(Vector { role, name, input: Vec::new(), events: Vec::new(), answer: Vec::new() });
        } else {
            vectors.last_mut().expect("a vector").input.extend(hex(line));
        }
    }
    vectors
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|octet| u8::from_str_radix(octet, 16).expect("two hex digits")).collect()
}
