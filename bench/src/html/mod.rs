//! Results as one HTML file: no outside resources, plots as inline SVG.
//!
//! [`folder`] reads what runs have left in their folders, [`load`] makes the page of load runs, [`compare`] that of a
//! comparison. Everything that comes from a plan, a peer or a file goes through [`text::escape`] or the SVG writer,
//! which escapes too: a result can show markup and cannot be markup.

pub mod compare;
pub mod folder;
pub mod load;
mod page;
mod plot;
pub mod text;
