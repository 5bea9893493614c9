//! The stand-in of MKE behind a real engine socket.

fn main() {}
