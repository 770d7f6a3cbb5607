//! Frames of reports.
