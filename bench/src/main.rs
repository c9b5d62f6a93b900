//! Measures a server: see `make bench`.

fn main() {}
