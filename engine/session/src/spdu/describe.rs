//! Trees for humans and programs.
