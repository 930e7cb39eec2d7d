//! The real thing: an embedded log-structured store in one folder.
