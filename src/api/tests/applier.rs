//! Reads tails and applies the projection to the store, as the partitions' actors do.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::domain::projection::{self, Append, Applied, At};
use crate::domain::record::Position;
use crate::domain::row::{RowId, Rows};
use crate::journal::{Entry, Journal};
use crate::store::rows::{self, Named};
use crate::store::{Commit, MemoryStore, Store};

/// Applies every partition until the journal ends or it is dropped.
pub(super) struct Applier(Vec<JoinHandle<()>>);

impl Applier {
    pub(super) fn start(journal: &Arc<dyn Journal>, store: &Arc<MemoryStore>) -> Self {
        let partitions = 0..journal.genesis().count;
        Self(partitions.map(|p| tokio::spawn(run(Arc::clone(journal), Arc::clone(store), p))).collect())
    }
}

impl Drop for Applier {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn run(journal: Arc<dyn Journal>, store: Arc<MemoryStore>, partition: u16) {
    let mut tail = journal.tail(partition, Position(0));
    while let Ok(entries) = tail.next().await {
        let mut rows = Rows::default();
        let mut commit = Commit { partition, ..Commit::default() };
        for entry in &entries {
            commit.through = entry.position;
            apply(&store, entry, &mut rows, &mut commit).await;
        }
        store.commit(commit).await.expect("the double takes it");
    }
}

async fn apply(store: &MemoryStore, entry: &Entry, rows: &mut Rows, commit: &mut Commit) {
    let event = entry.record.event().expect("an event of this version");
    let at = At { partition: entry.partition, position: entry.position, header: &entry.record.header };
    loop {
        let wanted = projection::needs(at, &event, rows);
        if wanted.is_empty() {
            break;
        }
        let found = rows::get_many(store, &wanted).await.expect("readable");
        wanted.into_iter().zip(found).for_each(|(id, row)| rows.load(id, row));
    }
    let applied = projection::apply(at, &event, rows).expect("a version that is known");
    put_rows(rows.take_changed(), rows, entry.position, commit);
    put_appends(applied, entry, commit);
}

fn put_rows(changed: Vec<RowId>, rows: &Rows, at: Position, commit: &mut Commit) {
    for id in changed {
        let row = rows.get(&id).expect("it was just written");
        commit.puts.push(rows::put(&id, row, at).expect("small"));
    }
}

fn put_appends(applied: Applied, entry: &Entry, commit: &mut Commit) {
    let (partition, at) = (entry.partition, entry.position);
    for (number, append) in (0..).zip(applied.appends) {
        let put = match append {
            Append::Feed { tenant, row } => rows::put_feed(tenant, partition, number, &row, at).expect("small"),
            Append::Outbox { session, priority, message } => {
                commit.puts.push(rows::put_open_session(partition, session, Some(Position(0)), at));
                rows::put_outbox((session, priority), message, at)
            }
            Append::Failing { tenant, row } => rows::put_failing(tenant, partition, number, &row, at).expect("small"),
            Append::Due { at: due, place, message } => rows::put_due(partition, (due, place, message), at),
            Append::Moved { to, message } => rows::put_moved(partition, to, (at, message), at),
            Append::Gated { closing, at: place, message } => rows::put_gated(partition, closing, (place, message), at),
            Append::Name { kind, scope, name, id } => rows::put_name(kind, partition, &Named { scope, name, id }, at),
            Append::AuditHash { level, place, hash } => rows::put_audit_hash((level, place), &hash, at),
            Append::OfContact { contact, row } => rows::put_of_contact(partition, contact, row, at).expect("small"),
            Append::Request { tenant, row } => rows::put_request(tenant, partition, &row, at).expect("small"),
            Append::Quarantine { position, why } => rows::put_quarantine(partition, position, &why, at),
        };
        commit.puts.push(put);
    }
}
