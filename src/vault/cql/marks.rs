//! How far each partition of the journal was seen to go, by any node: raised in memory, written once a second.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use super::shared::Shared;
use super::statements::Statements;
use crate::cql::{Cluster, CqlError};
use crate::domain::record::Position;
use crate::vault::error::VaultError;

/// How often they are written.
const EVERY: Duration = Duration::from_secs(1);

/// The marks in memory: the position, and whether it is still to be written.
#[derive(Debug, Default)]
pub struct Marks(BTreeMap<u16, (Position, bool)>);

impl Marks {
    /// As they stand in the keyspace.
    pub fn of(marks: &[(u16, Position)]) -> Self {
        Self(marks.iter().map(|(number, position)| (*number, (*position, false))).collect())
    }

    /// Raises what is lower.
    pub fn raise(&mut self, marks: &[(u16, Position)]) {
        for (number, position) in marks {
            if self.0.get(number).is_none_or(|(known, _)| known < position) {
                self.0.insert(*number, (*position, true));
            }
        }
    }

    /// All of them, by partition.
    pub fn all(&self) -> Vec<(u16, Position)> {
        self.0.iter().map(|(number, (position, _))| (*number, *position)).collect()
    }

    /// Those to be written.
    pub fn raised(&self) -> Vec<(u16, Position)> {
        let raised = self.0.iter().filter(|(_, (_, raised))| *raised);
        raised.map(|(number, (position, _))| (*number, *position)).collect()
    }

    /// This one stands in the keyspace.
    pub fn wrote(&mut self, number: u16, position: Position) {
        if let Some((known, raised)) = self.0.get_mut(&number)
            && *known == position
        {
            *raised = false;
        }
    }
}

/// Reads them all.
pub async fn read(cluster: &Cluster, statements: &Statements) -> Result<Vec<(u16, Position)>, VaultError> {
    let doing = "read the marks";
    let answer = cluster.session.execute_unpaged(&statements.get_marks, ()).await;
    let rows = cluster.rows::<(i32, Vec<u8>)>(doing, answer.map_err(|error| cluster.said(doing, &error))?)?;
    let odd = || CqlError::Refused { doing: doing.to_owned(), why: "a mark has not eight bytes".to_owned() };
    let mark = |(number, bytes): (i32, Vec<u8>)| {
        let position = u64::from_be_bytes(bytes.try_into().map_err(|_| odd())?);
        Ok((u16::try_from(number).map_err(|_| odd())?, Position(position)))
    };
    rows.into_iter().map(mark).collect()
}

/// Writes what was raised, until the vault is gone. What could not be written is written the next time.
pub async fn keep(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.sweep();
        if let Err(error) = shared.write_marks().await {
            tracing::warn!(%error, "the marks of the vault are behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rises_while_it_is_written_is_written_again() {
        let mut marks = Marks::of(&[(1, Position(5))]);
        marks.raise(&[(1, Position(4)), (2, Position(9))]);
        assert_eq!(marks.raised(), [(2, Position(9))]);
        marks.raise(&[(2, Position(10))]);
        marks.wrote(2, Position(9));
        assert_eq!(marks.raised(), [(2, Position(10))]);
        marks.wrote(2, Position(10));
        assert_eq!((marks.raised(), marks.all()), (vec![], vec![(1, Position(5)), (2, Position(10))]));
    }
}
