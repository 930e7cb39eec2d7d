pub mod webhook;

pub fn placeholder() {}
