//! Another history, signed with the log's own key: nothing in it contradicts itself, and a checkpoint that somebody kept
//! shows it.

use std::collections::BTreeMap;
use std::fs;

use bytes::Bytes;
use tempfile::TempDir;
use waybill::audit::Signer;
use waybill::audit::export::Log;
use waybill::audit::sign::note;
use waybill::audit::verify::{Asked, verify};
use waybill::domain::audit::Checkpoint;
use waybill::domain::audit::leaf::Leaf;
use waybill::domain::audit::proof::Nodes;
use waybill::domain::event::{Event, HeadV1, HeadsReportedV1};
use waybill::domain::projection::audit::tree_of;
use waybill::domain::record::{Position, Record};
use waybill::domain::row::TreeId;
use waybill::runtime::{Entropy, SeededEntropy};

use super::{Scene, check, describe, files, home};

/// Trees that grow, and how far each was after which place.
#[derive(Default)]
struct Forger {
    trees: BTreeMap<TreeId, (Nodes, Vec<(Position, HeadV1)>)>,
}

impl Forger {
    fn grow(&mut self, record: &Record, partition: u16, at: Position) {
        let tree = tree_of(record, partition);
        let (nodes, heads) = self.trees.entry(tree).or_default();
        nodes.push(Leaf::of(record, partition, nodes.size()).hash());
        heads.push((at, HeadV1 { tenant: tree.tenant, size: nodes.size(), root: nodes.root() }));
    }

    /// What the partition would have said.
    fn said(&self, facts: &HeadsReportedV1) -> HeadsReportedV1 {
        let at = |head: &HeadV1| {
            let (_, heads) = self.trees.get(&TreeId { partition: facts.partition, tenant: head.tenant })?;
            heads.iter().rfind(|(at, _)| *at <= facts.through).map(|(_, head)| head.clone())
        };
        HeadsReportedV1 { heads: facts.heads.iter().filter_map(at).collect(), ..facts.clone() }
    }

    fn partition(&mut self, number: u16, records: &[(Position, Record)]) -> Vec<(Position, Record)> {
        let mut forged = Vec::new();
        for (at, record) in records {
            let record = match record.event() {
                Ok(Event::HeadsReported(facts)) => with(record, &self.said(&facts).into()),
                _ => record.clone(),
            };
            self.grow(&record, number, *at);
            forged.push((*at, record));
        }
        forged
    }
}

/// The record with other facts.
fn with(record: &Record, event: &Event) -> Record {
    let mut header = record.header.clone();
    header.facts = event.facts();
    Record::new(header, Bytes::new()).expect("small")
}

/// The scene as whoever has its key would like it to have been.
fn forged(scene: &Scene, edit: impl FnOnce(&mut BTreeMap<u16, Vec<(Position, Record)>>)) -> Scene {
    let mut records = scene.records.clone();
    edit(&mut records);
    let mut forger = Forger::default();
    let mut all = BTreeMap::new();
    // The reports stand in one partition, and speak of the others.
    for number in records.keys().copied().filter(|number| *number != home()).chain([home()]) {
        all.insert(number, forger.partition(number, &records[&number]));
    }
    let mut log = Log::default();
    all[&home()].iter().for_each(|(_, record)| log.take(record));
    let mut signed = scene.signed.clone();
    (signed.size, signed.root) = (log.size(), log.root());
    let checkpoint = Checkpoint { origin: signed.origin.clone(), size: signed.size, root: signed.root };
    signed.signature = Signer::of_seed(&scene.seed).expect("the key").sign(&checkpoint).to_vec();
    Scene { records: all, signed, seed: scene.seed.clone(), tenants: scene.tenants }
}

/// Up to where each partition's trees were reported.
fn covered(records: &[(Position, Record)]) -> BTreeMap<u16, Position> {
    let said = records.iter().filter_map(|(_, record)| match record.event() {
        Ok(Event::HeadsReported(facts)) => Some((facts.partition, facts.through)),
        _ => None,
    });
    said.collect()
}

/// Drops, changes or moves an event.
fn edit(records: &mut BTreeMap<u16, Vec<(Position, Record)>>, draw: &dyn Entropy) -> &'static str {
    let covered = covered(&records[&home()]);
    let long: Vec<u16> = records.iter().filter(|(_, all)| all.len() > 100).map(|(number, _)| *number).collect();
    let number = long[(draw.number() % long.len() as u64) as usize];
    let all = records.get_mut(&number).expect("it is there");
    // What no report covers yet is nobody's word.
    let covered = covered[&number];
    let of_tenants =
        |(_, (at, record)): &(usize, &(Position, Record))| *at <= covered && record.header.tenant.is_some();
    let places: Vec<usize> = all.iter().enumerate().filter(of_tenants).map(|(at, _)| at).collect();
    let place = places[(draw.number() % places.len() as u64) as usize];
    match draw.number() % 3 {
        0 => {
            all.remove(place);
            "dropped"
        }
        1 => {
            all[place].1.header.at += 1;
            let (header, body) = (all[place].1.header.clone(), all[place].1.body.clone());
            all[place].1 = Record::new(header, body).expect("small");
            "changed"
        }
        _ => {
            // Of one tree: between trees there is no order.
            let same = |at: &&usize| all[**at].1.header.tenant == all[place].1.header.tenant && **at != place;
            let other = *places.iter().find(same).expect("more than one");
            let record = all[place].1.clone();
            all[place].1 = all[other].1.clone();
            all[other].1 = record;
            "moved"
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_history_signed_with_the_logs_own_key_is_found_by_a_checkpoint_that_was_kept() {
    let scene = Scene::new().await;
    let kept = note(&scene.signed.checkpoint(), scene.signed.key, &scene.signed.signature).to_string().into_bytes();
    let asked =
        || Asked { key: Some(scene.key()), checkpoints: vec![("kept".to_owned(), kept.clone())], ..Asked::default() };
    let same = TempDir::new().unwrap();
    forged(&scene, |_| ()).export(same.path(), None);
    let honest = TempDir::new().unwrap();
    scene.export(honest.path(), None);
    assert_eq!(files(same.path()), files(honest.path()), "who changes nothing forges nothing");
    assert!(verify(honest.path(), &asked(), &describe).is_good());
    let draw = SeededEntropy::new(11);
    let (mut without, mut with) = (0, 0);
    for n in 0..30 {
        let dir = TempDir::new().unwrap();
        let mut what = "";
        forged(&scene, |records| what = edit(records, &draw)).export(dir.path(), None);
        without += u32::from(!check(dir.path()).is_good());
        let report = verify(dir.path(), &asked(), &describe);
        assert!(!report.is_good(), "{n}: {what}");
        with += 1;
    }
    println!("of {with} forged histories a kept checkpoint finds {with}; without one {without} are found");
    fs::remove_dir_all(honest.path()).expect("written");
}
