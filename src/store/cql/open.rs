//! Founding and opening the store's keyspace, and finishing the commits that were cut short.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::error::StoreError;
use super::super::fjall::FORMAT;
use super::lane::Lane;
use super::options::Options;
use super::reader::{self, position, rows};
use super::shared::{Shared, Until};
use super::statements::Statements;
use super::{redo, writer};
use crate::cql::{Cluster, CqlError, Migration, Owner, Schema};
use crate::domain::id::NodeId;
use crate::domain::record::Position;
use crate::runtime::Clock;

/// The schema of the store's keyspace.
pub const SCHEMA: Schema = Schema {
    migrations: &[Migration { number: 1, name: "0001_rows", text: include_str!("migrations/0001_rows.cql") }],
    format: FORMAT,
    remedy: "with all nodes of waybill stopped, drop the keyspace and run `waybill cluster init`: rows are rebuilt from the \
             journal",
};

/// Makes the keyspace and its tables, where they are not there.
pub async fn found(options: &Options, owner: Owner) -> Result<(), CqlError> {
    Cluster::connect(&options.cluster).await?.found(&SCHEMA, owner).await
}

/// Opens the keyspace.
pub async fn open(
    options: &Options,
    owner: Owner,
    writer: NodeId,
    clock: Arc<dyn Clock>,
) -> Result<Arc<Shared>, StoreError> {
    let cluster = Cluster::connect(&options.cluster).await?;
    cluster.open(&SCHEMA, owner).await?;
    let statements = Statements::prepare(&cluster).await?;
    Ok(Arc::new(Shared::new((cluster, statements), writer, options, clock)))
}

/// The last commit of a partition that some process has written down, or part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Which process.
    pub writer: NodeId,
    /// Its turn.
    pub turn: i64,
    /// Up to where it applies events.
    pub through: Position,
}

/// So long a commit is left to who began it, while its mark is waited for.
const SETTLE: Duration = Duration::from_secs(1);

/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(20);

/// The mark of a partition that another process may have committed, once every commit is over that had begun by now: until then
/// its rows are ahead of its mark. What was cut short by that one's death is finished.
pub async fn settled(shared: &Arc<Shared>, lane: &Lane, partition: u16) -> Result<Option<Position>, StoreError> {
    let begun = shared.clock.steady();
    let (mut mark, mut turns) = look(shared, partition).await?;
    let under_way = turns.iter().copied().filter(|turn| Some(turn.through) > mark);
    let (in_vain, mut open): (Vec<Turn>, Vec<Turn>) = under_way.partition(|turn| lane.is_void(*turn));
    for turn in in_vain {
        // Not waited for again. But whoever wrote it may have lived, and have written the rest of it since.
        if finish_one(shared, partition, turn).await? {
            (mark, turns) = look(shared, partition).await?;
        }
    }
    open.sort_unstable_by_key(|turn| turn.through);
    while !open.is_empty() {
        if shared.clock.steady().saturating_sub(begun) < SETTLE {
            tokio::time::sleep(LOOK).await;
        } else {
            for turn in open.drain(..) {
                if !finish_one(shared, partition, turn).await? {
                    // Nothing of it was changed, or it was overtaken by the next one.
                    lane.void(turn);
                }
            }
        }
        (mark, turns) = look(shared, partition).await?;
        // A process that is at its next turn has ended the one before.
        open.retain(|turn| turns.contains(turn) && Some(turn.through) > mark);
    }
    forget(shared, partition, turns.into_iter().filter(|turn| Some(turn.through) <= mark)).await?;
    Ok(mark)
}

/// The mark, and the last turns of all processes. The turns first: one that is marked by then is over.
async fn look(shared: &Shared, partition: u16) -> Result<(Option<Position>, Vec<Turn>), StoreError> {
    let turns = turns(shared, partition).await?;
    Ok((reader::mark(shared, partition).await?, turns))
}

/// Finishes the commit of this turn, if it is written down as a whole.
async fn finish_one(shared: &Arc<Shared>, partition: u16, turn: Turn) -> Result<bool, StoreError> {
    let Some(bodies) = written_down(shared, partition, turn).await? else { return Ok(false) };
    let through = turn.through;
    tracing::info!(partition, through = through.0, writer = %turn.writer, "finishing a commit that was cut short");
    writer::finish(shared, redo::decode(partition, through, &bodies)?).await?;
    Ok(true)
}

/// What other processes wrote down and is marked: nobody needs it any more.
async fn forget(shared: &Shared, partition: u16, over: impl Iterator<Item = Turn>) -> Result<(), StoreError> {
    let (session, drop_redo) = (&shared.cluster.session, &shared.statements.drop_redo);
    for turn in over.filter(|turn| turn.writer != shared.writer) {
        let values = (turn.turn, i32::from(partition), turn.writer.0.as_slice());
        shared.ask("forget a commit", Until::Patience, || session.execute_unpaged(drop_redo, values)).await?;
    }
    Ok(())
}

/// The last turn of each process.
async fn turns(shared: &Shared, partition: u16) -> Result<Vec<Turn>, StoreError> {
    let (session, redos) = (&shared.cluster.session, &shared.statements.redos);
    let asked = (i32::from(partition),);
    let result = shared.ask("read commits", Until::Patience, || session.execute_unpaged(redos, asked)).await?;
    let pieces: Vec<(Vec<u8>, Vec<u8>, i64)> = rows(shared, result)?;
    let mut last: BTreeMap<Vec<u8>, (i64, Position)> = BTreeMap::new();
    for (writer, through, turn) in pieces {
        let piece = (turn, position(partition, &through)?);
        let newest = last.entry(writer).or_insert(piece);
        *newest = piece.max(*newest);
    }
    let odd = |writer: &[u8]| StoreError::Row { key: None, why: format!("a writer's name has {} bytes", writer.len()) };
    let of = |(writer, (turn, through)): (Vec<u8>, (i64, Position))| {
        let name = writer.as_slice().try_into().map_err(|_| odd(&writer))?;
        Ok(Turn { writer: NodeId(name), turn, through })
    };
    last.into_iter().map(of).collect()
}

/// All pieces of the commit of this turn, if they are all there.
async fn written_down(shared: &Shared, partition: u16, turn: Turn) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
    let (session, get) = (&shared.cluster.session, &shared.statements.get_redo);
    let asked = (i32::from(partition), turn.writer.0.as_slice());
    let result = shared.ask("read a commit", Until::Patience, || session.execute_unpaged(get, asked)).await?;
    let all: Vec<(i32, i32, Vec<u8>, i64)> = rows(shared, result)?;
    let (mut bodies, mut wanted) = (Vec::new(), None);
    // In order; what earlier turns left in places that this one does not use is passed over.
    for (piece, pieces, body, _) in all.into_iter().filter(|(.., written)| *written == turn.turn) {
        if usize::try_from(piece).ok() == Some(bodies.len()) {
            bodies.push(body);
            wanted = usize::try_from(pieces).ok();
        }
    }
    Ok((wanted == Some(bodies.len())).then_some(bodies))
}
