//! Tests of the replay: a responder of octets on loopback that follows a script of its own.
