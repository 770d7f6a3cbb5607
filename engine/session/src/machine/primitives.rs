//! The primitives of X.215 by their names: what [`Session::request`] takes as one enum.

use core::time::Duration;

use super::Session;
use crate::{
    ActivityResumeParameters, Request, ResynchronizeAnswer, ResynchronizeParameters, SerialNumber,
    ServiceError, Tokens,
};

impl Session {
    /// S-TOKEN-GIVE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn token_give_request(
        &mut self,
        now: Duration,
        tokens: Tokens,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::TokenGive { tokens, user_data })
    }

    /// S-TOKEN-PLEASE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn token_please_request(
        &mut self,
        now: Duration,
        tokens: Tokens,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::TokenPlease { tokens, user_data })
    }

    /// S-CONTROL-GIVE request: all available tokens go over.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn control_give_request(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(now, &Request::ControlGive { user_data })
    }

    /// S-EXPEDITED-DATA request: 1 to 14 octets, ahead of normal data that wait.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn expedited_data_request(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(now, &Request::ExpeditedData { user_data })
    }

    /// S-CAPABILITY-DATA request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn capability_data_request(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(now, &Request::CapabilityData { user_data })
    }

    /// S-CAPABILITY-DATA response.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn capability_data_response(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(now, &Request::CapabilityDataResponse { user_data })
    }

    /// S-SYNC-MINOR response: confirms this point and all before it.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn sync_minor_response(
        &mut self,
        now: Duration,
        serial_number: SerialNumber,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::SyncMinorResponse { serial_number, user_data })
    }

    /// S-SYNC-MAJOR response.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn sync_major_response(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(now, &Request::SyncMajorResponse { user_data })
    }

    /// S-RESYNCHRONIZE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn resynchronize_request(
        &mut self,
        now: Duration,
        parameters: &ResynchronizeParameters<'_>,
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::Resynchronize(*parameters))
    }

    /// S-RESYNCHRONIZE response.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn resynchronize_response(
        &mut self,
        now: Duration,
        answer: &ResynchronizeAnswer<'_>,
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::ResynchronizeResponse(*answer))
    }

    /// S-U-EXCEPTION-REPORT request; `reason` is 0, 1, 3, 5, 6 or 128.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn exception_report_request(
        &mut self,
        now: Duration,
        reason: u8,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::UserException { reason, user_data })
    }

    /// S-ACTIVITY-START request; identifiers have 1 to 6 octets.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn activity_start_request(
        &mut self,
        now: Duration,
        identifier: &[u8],
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::ActivityStart { identifier, user_data })
    }

    /// S-ACTIVITY-RESUME request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn activity_resume_request(
        &mut self,
        now: Duration,
        parameters: &ActivityResumeParameters<'_>,
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::ActivityResume(*parameters))
    }

    /// S-ACTIVITY-INTERRUPT request; `reason` is 0, 1, 3, 5, 6 or 128.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn activity_interrupt_request(
        &mut self,
        now: Duration,
        reason: u8,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::ActivityInterrupt { reason, user_data })
    }

    /// S-ACTIVITY-INTERRUPT response.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn activity_interrupt_response(
        &mut self,
        now: Duration,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::ActivityInterruptResponse { user_data })
    }

    /// S-ACTIVITY-DISCARD request; `reason` is 0, 1, 3, 5, 6 or 128.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn activity_discard_request(
        &mut self,
        now: Duration,
        reason: u8,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::ActivityDiscard { reason, user_data })
    }

    /// S-ACTIVITY-DISCARD response.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn activity_discard_response(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(now, &Request::ActivityDiscardResponse { user_data })
    }

    /// S-ACTIVITY-END response.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn activity_end_response(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(now, &Request::ActivityEndResponse { user_data })
    }

    /// S-RELEASE request.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn release_request(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(now, &Request::Release { user_data })
    }

    /// S-RELEASE response; negative only with negotiated release.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn release_response(
        &mut self,
        now: Duration,
        affirmative: bool,
        user_data: &[u8],
    ) -> Result<(), ServiceError> {
        self.request(now, &Request::ReleaseResponse { affirmative, user_data })
    }

    /// S-U-ABORT request; possible whenever a session is up, coming up or being released.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn abort_request(&mut self, now: Duration, user_data: &[u8]) -> Result<(), ServiceError> {
        self.request(now, &Request::Abort { user_data })
    }

    /// S-SYNC-MINOR request: gives the number of the point.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn sync_minor_request(
        &mut self,
        now: Duration,
        confirmation_optional: bool,
        user_data: &[u8],
    ) -> Result<SerialNumber, ServiceError> {
        let request = Request::SyncMinor { confirmation_optional, data_separation: false, user_data };
        self.numbered_request(now, &request)
    }

    /// S-SYNC-MAJOR request: gives the number of the point.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn sync_major_request(
        &mut self,
        now: Duration,
        user_data: &[u8],
    ) -> Result<SerialNumber, ServiceError> {
        self.numbered_request(now, &Request::SyncMajor { user_data })
    }

    /// S-ACTIVITY-END request: gives the number of the major synchronization point that ends it.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing has changed.
    pub fn activity_end_request(
        &mut self,
        now: Duration,
        user_data: &[u8],
    ) -> Result<SerialNumber, ServiceError> {
        self.numbered_request(now, &Request::ActivityEnd { user_data })
    }

    /// A request whose number the machine fills in.
    fn numbered_request(
        &mut self,
        now: Duration,
        request: &Request<'_>,
    ) -> Result<SerialNumber, ServiceError> {
        let number = self.flow_numbers().map_or(self.serial_numbers(), |[sending, _]| sending).next;
        self.request(now, request)?;
        Ok(number)
    }
}
