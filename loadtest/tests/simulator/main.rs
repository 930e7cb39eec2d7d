//! The street, seen from outside by a real client: simulator, sink, and the whole walk with a forwarder between them.

mod callbacks;
mod faults;
mod scenario;
mod sends;
mod sink;
mod street;
mod walk;
