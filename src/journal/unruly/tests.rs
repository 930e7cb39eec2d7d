//! The double does what its script says, and no more.
