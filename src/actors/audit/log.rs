//! The instance's log as the store has it: enough to say any root it ever had, and to prove that one extends another.

use std::collections::HashMap;

use crate::domain::audit::Hash;
use crate::domain::audit::hash::node;
use crate::domain::audit::proof::{NoSubtree, Subtrees, consistency, extends, root};
use crate::domain::audit::tile::{WIDTH, tiles};
use crate::store::{Store, StoreError, rows};

/// Tiles of the log that a proof needs: those at its right edge, and at that of the smaller one.
#[derive(Debug, Default)]
struct Tiles(HashMap<(u8, u64), Vec<Hash>>);

impl Subtrees for Tiles {
    type Error = NoSubtree;

    fn subtree(&self, level: u8, place: u64) -> Result<Hash, NoSubtree> {
        let missing = NoSubtree { level, place };
        let (tile_level, within) = (level / 8, u32::from(level % 8));
        let first = place << within;
        let tile = self.0.get(&(tile_level, first / WIDTH)).ok_or(missing)?;
        let from = (first % WIDTH) as usize;
        let part = tile.get(from..from + (1 << within)).ok_or(missing)?;
        let mut row = part.to_vec();
        while row.len() > 1 {
            row = row.chunks_exact(2).map(|pair| node(&pair[0], &pair[1])).collect();
        }
        row.first().copied().ok_or(missing)
    }
}

/// Why the log is not signed for.
#[derive(Debug, thiserror::Error)]
pub enum NotExtended {
    /// The rows cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Hashes are missing.
    #[error("the log's hashes are not all there: {0}")]
    Missing(#[from] NoSubtree),
    /// A later one was signed.
    #[error("the vault knows of the log /{kept}, and the journal only of /{era}")]
    Older {
        /// The journal's.
        era: u32,
        /// The vault's.
        kept: u32,
    },
    /// It does not begin with what was signed.
    #[error("the log of {size} entries does not begin with the {old} that were signed for")]
    Another {
        /// Entries now.
        size: u64,
        /// Entries then.
        old: u64,
    },
}

/// Proves that the log of this size and root begins with the older one. All of it is committed.
///
/// # Errors
/// When it does not, or cannot be read.
pub async fn prove(store: &dyn Store, old: (u64, Hash), now: (u64, Hash)) -> Result<(), NotExtended> {
    let another = NotExtended::Another { size: now.0, old: old.0 };
    if old.0 > now.0 {
        return Err(another);
    }
    let mut read = Tiles::default();
    // The last two tiles of each level hold what either edge needs; what is older is complete, and stands in the level above.
    for size in [old.0, now.0] {
        for tile in tiles(size) {
            let (Some(level), last) = (tile.level, (size >> (8 * u32::from(tile.level.unwrap_or(0)))).div_ceil(WIDTH))
            else {
                continue;
            };
            if tile.place + 1 == last && !read.0.contains_key(&(level, tile.place)) {
                read.0.insert((level, tile.place), rows::audit_tile(store, level, tile.place).await?);
            }
        }
    }
    let path = consistency(&read, old.0, now.0)?;
    let same = root(&read, now.0)? == now.1;
    if same && extends((old.0, &old.1), (now.0, &now.1), &path) { Ok(()) } else { Err(another) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::{Range, hash};
    use crate::domain::record::Position;
    use crate::store::{Commit, MemoryStore};

    /// A log of so many entries, as `apply` writes it; the roots it had.
    async fn log(size: u64) -> (MemoryStore, Vec<Hash>) {
        let store = MemoryStore::new();
        let (mut range, mut roots) = (Range::default(), vec![Range::default().root()]);
        for n in 0..size {
            let (at, mut puts) = (Position(n), Vec::new());
            range.push_with(hash::leaf(&n.to_be_bytes()), |level, place, root| {
                if level.is_multiple_of(8) {
                    puts.push(rows::put_audit_hash((level / 8, place), root, at));
                }
            });
            roots.push(range.root());
            store.commit(Commit { partition: 0, through: at, puts, drops: Vec::new() }).await.expect("kept");
        }
        (store, roots)
    }

    #[tokio::test]
    async fn a_log_extends_what_it_was_and_nothing_else() {
        let (store, roots) = log(1_100).await;
        let head = |size: u64| (size, roots[size as usize]);
        for old in [0, 1, 2, 255, 256, 257, 511, 512, 700, 1_023, 1_024, 1_099, 1_100] {
            for size in [old, 256, 257, 513, 1_024, 1_025, 1_100] {
                let proved = prove(&store, head(old), head(size)).await;
                assert_eq!(proved.is_ok(), old <= size, "{old} of {size}: {proved:?}");
                if (1..=size).contains(&old) {
                    let forged = prove(&store, (old, [7; 32]), head(size)).await;
                    assert!(matches!(forged, Err(NotExtended::Another { .. })), "{old} of {size}");
                    let forged = prove(&store, head(old), (size, [7; 32])).await;
                    assert!(matches!(forged, Err(NotExtended::Another { .. })), "{old} of {size}");
                }
            }
        }
        assert!(matches!(prove(&store, head(3), (2_000, [7; 32])).await, Err(NotExtended::Missing(_))));
    }
}
