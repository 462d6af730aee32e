//! Baken.
fn main() {}
