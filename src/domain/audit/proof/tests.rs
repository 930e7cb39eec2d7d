//! Proofs against those of an independent crate, and against edits of what is proved.

use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

use super::super::hash::leaf;
use super::*;

fn ours(leaves: &[Vec<u8>]) -> Nodes {
    let mut nodes = Nodes::default();
    leaves.iter().for_each(|bytes| nodes.push(leaf(bytes)));
    nodes
}

fn theirs(leaves: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    leaves.iter().for_each(|bytes| tree.push(bytes.clone()));
    tree
}

/// A proof's hashes in a row, as the other crate writes it.
fn flat(path: &[Hash]) -> Vec<u8> {
    path.concat()
}

fn some_leaves() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..700)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn roots_and_proofs_are_those_of_another_implementation(
        leaves in some_leaves(), index: prop::sample::Index, old: prop::sample::Index
    ) {
        let (nodes, other) = (ours(&leaves), theirs(&leaves));
        let size = leaves.len() as u64;
        prop_assert_eq!(nodes.root().to_vec(), other.root().as_bytes().to_vec());
        let at = index.index(leaves.len());
        let path = inclusion(&nodes, at as u64, size).expect("there");
        prop_assert_eq!(flat(&path), other.prove_inclusion(at).as_bytes().to_vec());
        prop_assert!(includes(&leaf(&leaves[at]), at as u64, size, &path, &nodes.root()));
        let old = old.index(leaves.len()) + 1;
        let before = ours(&leaves[..old]);
        prop_assert_eq!(root(&nodes, old as u64).expect("there"), before.root());
        let path = consistency(&nodes, old as u64, size).expect("there");
        if old < leaves.len() {
            prop_assert_eq!(flat(&path), other.prove_consistency(leaves.len() - old).as_bytes().to_vec());
        }
        prop_assert!(extends((old as u64, &before.root()), (size, &nodes.root()), &path));
        let their_root: RootHash<Sha256> = other.root();
        prop_assert_eq!(their_root.num_leaves(), size);
    }

    #[test]
    fn no_other_proof_holds(
        leaves in some_leaves(), index: prop::sample::Index, flip: prop::sample::Index, bit in 0u8..8, cut: bool
    ) {
        let nodes = ours(&leaves);
        let (size, at) = (leaves.len() as u64, index.index(leaves.len()) as u64);
        let hash = leaf(&leaves[at as usize]);
        let good = inclusion(&nodes, at, size).expect("there");
        let mut bad = good.clone();
        if cut || bad.is_empty() {
            if bad.pop().is_none() { bad.push(hash); }
        } else {
            let place = flip.index(bad.len() * 32);
            bad[place / 32][place % 32] ^= 1 << bit;
        }
        prop_assert!(!includes(&hash, at, size, &bad, &nodes.root()));
        prop_assert!(!includes(&hash, size, size, &good, &nodes.root()));
        let mut other = hash;
        other[0] ^= 1;
        prop_assert!(!includes(&other, at, size, &good, &nodes.root()));
        let old = at + 1;
        let was = root(&nodes, old).expect("there");
        let mut path = consistency(&nodes, old, size).expect("there");
        match (old < size, path.is_empty()) {
            (true, false) => {
                let place = flip.index(path.len() * 32);
                path[place / 32][place % 32] ^= 1 << bit;
            }
            _ => path.push(hash),
        }
        prop_assert!(!extends((old, &was), (size, &nodes.root()), &path));
        let mut forged = was;
        forged[31] ^= 1;
        let path = consistency(&nodes, old, size).expect("there");
        prop_assert!(!extends((old, &forged), (size, &nodes.root()), &path));
    }
}

#[test]
fn what_is_not_there_is_said_and_never_a_panic() {
    let nodes = ours(&[vec![1], vec![2], vec![3]]);
    assert_eq!(root(&nodes, 4), Err(NoSubtree { level: 2, place: 0 }));
    assert_eq!(root(&nodes, u64::MAX).map_err(|e| e.level), Err(63));
    assert_eq!(inclusion(&nodes, 9, 3), Ok(Vec::new()));
    assert_eq!(consistency(&nodes, 9, 3), Ok(Vec::new()));
    assert!(!extends((3, &nodes.root()), (2, &nodes.root()), &[]));
    assert!(extends((0, &empty()), (3, &nodes.root()), &[]));
    assert!(!extends((0, &nodes.root()), (3, &nodes.root()), &[]));
}
