//! Tests of the command line: what is understood, what is said, how it ends.

mod answers;
mod calls;
mod campaigns;
mod configs;
mod declarations;
mod ends;
mod parsing;
mod stage;
mod stops;
