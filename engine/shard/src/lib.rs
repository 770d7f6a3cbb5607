//! The event loop of one core.
//!
//! The crate owns sessions, timers, rings and counters of one thread. It never shares a session between
//! threads, never formats text on the data path, and knows no configuration file.
//!
//! A [`Shard`] is generic over its [`Driver`] and its [`Application`]. One [`Shard::turn`]:
//!
//! ```text
//! wait ─► completions ─► sessions that go on ─► timers ─► commands ─► flush ─► numbers
//!          │  octets ─► Class0 ─► TSDU ─► Session ─► Application::indication
//!          │                                            │ Context: requests, answers
//!          ▼                                            ▼
//!          ended, writable ◄── effects            queue of the session ─► one send for each dirty session
//! ```
//!
//! * Nothing waits for a batch: what one turn has queued for a session is one send. While that is under way
//!   more queues up, and [`Context::is_congested`] tells when to stop the feeding side.
//! * Calls never nest. What a call causes in other sessions is told when it has returned.
//! * Every session ends with exactly one [`Application::ended`], whatever its peer, its network or its
//!   application do; its id is stale from then on. The connection is closed behind it.
//! * Where both sides want it a connection is kept for the next session, under a new id
//!   ([`Application::transport_kept`]).
//! * Everything is bounded: [`ShardConfig`] and [`ListenerConfig`] name the maxima and the times.
//!
//! An application that accepts every session and sends back what it gets:
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use colloquy_session::{AcceptParameters, Enclosure, Indication};
//! use colloquy_shard::{
//!     Application, Context, Fault, ListenerConfig, SessionEnd, SessionId, Shard, ShardConfig, TransportAnswer,
//! };
//! use colloquy_transport::buf::Body;
//! use colloquy_transport::class0::ConnectTpdu;
//! use colloquy_transport::driver::Driver;
//! use colloquy_transport::driver::mio::{MioConfig, MioDriver};
//! use colloquy_transport::net::{self, ListenOptions};
//!
//! struct Echo;
//!
//! impl Application for Echo {
//!     type Session = ();
//!     type Command = ();
//!
//!     fn transport_connect<D: Driver>(
//!         &mut self, _: &mut Context<'_, D, Self>, _: SessionId, _: u32, _: SocketAddr, _: &ConnectTpdu,
//!     ) -> TransportAnswer {
//!         TransportAnswer::Accept
//!     }
//!
//!     fn indication<D: Driver>(
//!         &mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, indication: Indication<'_>, body: &Body,
//!     ) {
//!         let answered = match indication {
//!             Indication::Connect(connect) => ctx.connect_response(
//!                 id,
//!                 &AcceptParameters { requirements: connect.requirements, ..AcceptParameters::default() },
//!             ),
//!             Indication::Data { enclosure, .. } => ctx.data_request_body(id, body, enclosure),
//!             Indication::Release { .. } => ctx.release_response(id, true, &[]),
//!             _ => Ok(()),
//!         };
//!         if answered.is_err() {
//!             ctx.provider_abort(id, colloquy_session::ProviderAbortReason::Undefined);
//!         }
//!     }
//!
//!     fn ended<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, id: SessionId, end: SessionEnd) {
//!         println!("{id:?}: {end:?}");
//!     }
//!
//!     fn writable<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
//!     fn timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
//!     fn fault<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId, _: Fault) {}
//!     fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {}
//!     fn command<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, _: ()) {
//!         ctx.stop_listening();
//!         ctx.stop_when_empty();
//!     }
//! }
//!
//! let mut shard = Shard::new(MioDriver::new(MioConfig::default())?, Echo, ShardConfig::default());
//! let listener = net::listen("127.0.0.1:0".parse().unwrap(), &ListenOptions::default())?;
//! shard.listen(listener, 0, ListenerConfig::default())?;
//! // Any thread may ask it to stop.
//! shard.commander().send(()).expect("the ring has room");
//! shard.run()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! [`Driver`]: colloquy_transport::driver::Driver

mod admission;
pub mod application;
mod chain;
mod command;
mod config;
mod context;
mod core;
pub mod counters;
mod deliver;
mod ending;
mod holders;
mod kept;
mod occupancy;
mod opening;
mod output;
pub mod pin;
mod reclaim;
pub mod report;
mod requests;
pub mod rings;
mod sending;
mod shard;
mod slab;
mod tallied;
mod tapping;
pub mod thread;
mod together;
mod turn;
mod view;
pub mod wheel;
mod wire;

pub use application::*;
pub use command::{CommandError, Commander};
pub use config::{ListenerConfig, ShardConfig};
pub use counters::{Counters, Tally};
pub use shard::Shard;
pub use tapping::{Tap, TapFacts};
pub use view::{DEADLINES_MAX, DeadlineView, SessionPhase, SessionView};
pub use wire::{HandshakePool, ListenerTls, ListenerWire, ProxySenders, TargetTls, TargetWire, WireFault};
