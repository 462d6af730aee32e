//! Baken.
