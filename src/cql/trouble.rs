//! What the error of a request means: trouble that passes is waited out, trouble that lasts is not.

use scylla::errors::{DbError, ExecutionError, RequestAttemptError};

/// What to think of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nodes or network: the same request may be good later. What was asked may have happened.
    Passing,
    /// Too few nodes are alive for the consistency. Passes as well, but not by itself in a cluster that is too small.
    Unavailable,
    /// The user has not the right.
    Forbidden,
    /// Schema, statement or values: the same request is refused again.
    Lasting,
}

/// Judges an error. What is not known passes: a node that is restarted with other settings is as good as one that is away.
#[must_use]
pub fn trouble(error: &ExecutionError) -> Trouble {
    match error {
        ExecutionError::BadQuery(_) => Trouble::Lasting,
        ExecutionError::LastAttemptError(error) => attempt(error),
        _ => Trouble::Passing,
    }
}

fn attempt(error: &RequestAttemptError) -> Trouble {
    match error {
        RequestAttemptError::DbError(error, _) => database(error),
        RequestAttemptError::SerializationError(_)
        | RequestAttemptError::CqlRequestSerialization(_)
        | RequestAttemptError::CqlResultParseError(_)
        // The table was made anew with other columns.
        | RequestAttemptError::RepreparedIdChanged { .. } => Trouble::Lasting,
        _ => Trouble::Passing,
    }
}

fn database(error: &DbError) -> Trouble {
    match error {
        DbError::SyntaxError
        | DbError::Invalid
        | DbError::ConfigError
        | DbError::FunctionFailure { .. }
        | DbError::AlreadyExists { .. }
        | DbError::ProtocolError => Trouble::Lasting,
        DbError::Unauthorized => Trouble::Forbidden,
        DbError::Unavailable { .. } => Trouble::Unavailable,
        _ => Trouble::Passing,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(error: DbError) -> Trouble {
        trouble(&ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, "said".to_owned())))
    }

    #[test]
    fn what_a_node_says_is_told_apart() {
        for passes in
            [DbError::Overloaded, DbError::ServerError, DbError::IsBootstrapping, DbError::AuthenticationError]
        {
            assert_eq!(of(passes.clone()), Trouble::Passing, "{passes}");
        }
        for lasts in [DbError::SyntaxError, DbError::Invalid, DbError::ProtocolError] {
            assert_eq!(of(lasts.clone()), Trouble::Lasting, "{lasts}");
        }
        assert_eq!(of(DbError::Unauthorized), Trouble::Forbidden);
        let few =
            DbError::Unavailable { consistency: scylla::statement::Consistency::LocalQuorum, required: 2, alive: 1 };
        assert_eq!(of(few), Trouble::Unavailable);
        assert_eq!(trouble(&ExecutionError::RequestTimeout(Duration::from_secs(1))), Trouble::Passing);
        assert_eq!(trouble(&ExecutionError::EmptyPlan), Trouble::Passing);
    }
}
