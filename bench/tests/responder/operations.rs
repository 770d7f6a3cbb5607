//! What the responder answers to operations, rightly or not.
#![allow(clippy::unwrap_used)] // For tests only.

use colloquy_session::{Enclosure, Indication, Request, ResynchronizeAnswer};
use colloquy_shard::{Context, SessionId};
use colloquy_transport::buf::{Body, Slice};
use colloquy_transport::driver::Driver;

use super::{Echo, Habit};

impl Echo {
    /// Answers an operation at once, with the user data that came with it.
    pub(super) fn operation<D: Driver>(
        &self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: &Indication<'_>,
        body: &Body,
    ) {
        const OTHER: &[u8] = b"other";
        let mark = |user_data| if self.habit == Habit::WrongMark { OTHER } else { user_data };
        let request = match *indication {
            Indication::TypedData { .. } => return self.typed(ctx, id, body),
            Indication::ExpeditedData { user_data } => Request::ExpeditedData { user_data: mark(user_data) },
            Indication::SyncMinor { confirmation_optional: true, .. } => return,
            Indication::SyncMinor { .. } if self.habit == Habit::NoMinorConfirm => return,
            Indication::SyncMinor { serial_number, user_data, .. } => {
                Request::SyncMinorResponse { serial_number, user_data }
            }
            Indication::SyncMajor { .. } if self.habit == Habit::NoMajorConfirm => return,
            Indication::SyncMajor { user_data, .. } => {
                Request::SyncMajorResponse { user_data: mark(user_data) }
            }
            Indication::Resynchronize(resynchronize) => {
                let user_data = mark(resynchronize.user_data);
                Request::ResynchronizeResponse(ResynchronizeAnswer { user_data, ..Default::default() })
            }
            Indication::CapabilityData { user_data } => {
                Request::CapabilityDataResponse { user_data: mark(user_data) }
            }
            Indication::ActivityInterrupt { user_data, .. } => {
                Request::ActivityInterruptResponse { user_data: mark(user_data) }
            }
            Indication::ActivityDiscard { user_data, .. } => {
                Request::ActivityDiscardResponse { user_data: mark(user_data) }
            }
            Indication::ActivityEnd { user_data, .. } => {
                Request::ActivityEndResponse { user_data: mark(user_data) }
            }
            _ => return,
        };
        ctx.request(id, &request).unwrap();
    }

    fn typed<D: Driver>(&self, ctx: &mut Context<'_, D, Self>, id: SessionId, body: &Body) {
        let slices: Vec<Slice> = body.slices().cloned().collect();
        match self.habit {
            Habit::NoTyped => {}
            Habit::TypedAsData => ctx.data_request(id, &slices, Enclosure::WHOLE).unwrap(),
            _ => ctx.typed_data_request(id, &slices, Enclosure::WHOLE).unwrap(),
        }
    }
}
