//! Whom a name means: decided once, by any number of nodes at once, with nothing but rows that are written and read.
//!
//! Two nodes that meet a person at the same moment must answer with the same contact, or an opt-out would reach one of two.
//! This is Disk Paxos (Gafni and Lamport, 2003), with the database's quorum in place of the majority of disks: each process has
//! a row of its own under the name, which nobody else writes. It says the highest ballot that the process has begun, and
//! what it proposed in which one. A ballot is begun by writing that and reading everybody's rows, and closed by writing the
//! proposal and reading them again; whoever sees a higher ballot gives way and begins another one. Of two processes that both
//! wrote before they read, one sees the other: so no two of them close ballots with different proposals, however slow either
//! of them is. What was decided is written beside the rows, and is all that anybody reads from then on.

use std::time::Duration;

use super::shared::Shared;
use crate::cql::CqlError;
use crate::domain::id::{KeyId, Tag, TenantId};
use crate::vault::error::VaultError;

/// The first pause of who gave way, at most; it doubles.
const PAUSE: Duration = Duration::from_millis(4);

/// The longest.
const LONGEST: Duration = Duration::from_millis(250);

/// What one process has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Which process.
    pub process: [u8; 16],
    /// The highest ballot it has begun.
    pub begun: i64,
    /// In which one it proposed; 0: in none.
    pub proposed: i64,
    /// What it proposed, or would like to.
    pub contact: KeyId,
    /// The stamp of all that.
    pub stamp: i64,
}

/// What stands under a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    /// What was decided.
    pub decided: Option<KeyId>,
    /// What every process has said.
    pub said: Vec<Said>,
}

impl Name {
    /// The stamp of what is written next: above all that was read, whatever anybody's clock says.
    pub fn stamp(&self, now: i64) -> i64 {
        self.said.iter().map(|said| said.stamp.saturating_add(1)).fold(now, i64::max)
    }

    /// What this process begins its next ballot with: what it had proposed before is not forgotten.
    fn begin(&self, process: [u8; 16], wish: KeyId, now: i64) -> Said {
        let own = self.said.iter().find(|said| said.process == process);
        let (proposed, contact) =
            own.filter(|own| own.proposed > 0).map_or((0, wish), |own| (own.proposed, own.contact));
        let begun = self.said.iter().map(|said| said.begun).max().unwrap_or(0).saturating_add(1);
        Said { process, begun, proposed, contact, stamp: self.stamp(now) }
    }

    /// Whether what this process wrote is there. It is not where a name was deleted by a node whose clock is ahead: what is
    /// written below the deletion is seen by nobody, and a ballot that nobody sees decides nothing.
    fn shows(&self, own: &Said) -> bool {
        let mine = self.said.iter().find(|said| said.process == own.process);
        mine.is_some_and(|said| (said.begun, said.proposed) >= (own.begun, own.proposed))
    }

    /// Whether somebody has begun a higher ballot than this one.
    fn is_above(&self, own: &Said) -> bool {
        let others = self.said.iter().filter(|said| said.process != own.process);
        others.into_iter().any(|said| (said.begun, said.process) > (own.begun, own.process))
    }

    /// What must be proposed in this ballot: what was proposed in the highest one that came so far.
    fn propose(&self, own: &Said, now: i64) -> Said {
        let proposed =
            self.said.iter().filter(|said| said.proposed > 0).max_by_key(|said| (said.proposed, said.process));
        let contact = proposed.map_or(own.contact, |said| said.contact);
        let stamp = self.stamp(now).max(own.stamp.saturating_add(1));
        Said { proposed: own.begun, contact, stamp, ..*own }
    }
}

/// Decides whom a name means, if nobody has yet: this contact, as far as this process is concerned.
pub async fn decide(shared: &Shared, at: (TenantId, Tag), wish: KeyId) -> Result<KeyId, VaultError> {
    let (begun, mut pause) = (shared.clock.steady(), PAUSE);
    loop {
        let name = shared.name(at).await?;
        if let Some(decided) = name.decided {
            return Ok(decided);
        }
        let own = name.begin(shared.process, wish, shared.clock.wall());
        if let Some(contact) = ballot(shared, at, own).await? {
            shared.write_decision(at, contact).await?;
            shared.remember(at, contact);
            return Ok(contact);
        }
        if shared.clock.steady().saturating_sub(begun) > shared.patience() {
            let why =
                "other nodes were about to name the same person all the time, or the clock of one that erased whoever \
                       had this name is ahead of this node's: compare them"
                    .to_owned();
            return Err(CqlError::Refused { doing: "decide whom a name means".to_owned(), why }.into());
        }
        let most = u64::try_from(pause.as_micros()).unwrap_or(1).max(1);
        tokio::time::sleep(Duration::from_micros(shared.entropy.number() % most)).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// One ballot: what it decided, or nothing, where somebody else is at a higher one.
async fn ballot(shared: &Shared, at: (TenantId, Tag), own: Said) -> Result<Option<KeyId>, VaultError> {
    shared.say(at, &own).await?;
    let name = shared.name(at).await?;
    if name.decided.is_some() || name.is_above(&own) || !name.shows(&own) {
        return Ok(name.decided);
    }
    let own = name.propose(&own, shared.clock.wall());
    shared.say(at, &own).await?;
    let name = shared.name(at).await?;
    Ok(name.decided.or((!name.is_above(&own) && name.shows(&own)).then_some(own.contact)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{Entropy, SeededEntropy};

    /// A process, step by step: it reads, writes what begins a ballot, reads, writes what it proposes, reads.
    enum Step {
        Look,
        Begin(Name),
        Begun(Said),
        Proposed(Said),
        Done(KeyId),
    }

    fn step(step: Step, process: [u8; 16], name: &mut Name) -> Step {
        let wish = KeyId(process);
        let say = |name: &mut Name, own: Said| {
            name.said.retain(|said| said.process != process);
            name.said.push(own);
        };
        match step {
            Step::Look => name.decided.map_or_else(|| Step::Begin(name.clone()), Step::Done),
            Step::Begin(seen) => {
                let own = seen.begin(process, wish, 0);
                say(name, own);
                Step::Begun(own)
            }
            Step::Begun(own) if name.is_above(&own) => Step::Look,
            Step::Begun(own) => {
                let own = name.propose(&own, 0);
                // The read and the write that follows are two steps of others' as well.
                say(name, own);
                Step::Proposed(own)
            }
            Step::Proposed(own) if name.is_above(&own) => Step::Look,
            Step::Proposed(own) => Step::Done(own.contact),
            done @ Step::Done(_) => done,
        }
    }

    #[test]
    fn whatever_the_order_of_their_steps_no_two_processes_decide_differently() {
        for seed in 0..20_000 {
            let (entropy, mut name) = (SeededEntropy::new(seed), Name::default());
            let mut all: Vec<([u8; 16], Step)> = (1..=3).map(|n| ([n; 16], Step::Look)).collect();
            let mut decided = Vec::new();
            for _ in 0..60 {
                let one = (entropy.number() % 3) as usize;
                let (process, before) = std::mem::replace(&mut all[one], ([0; 16], Step::Look));
                all[one] = (process, step(before, process, &mut name));
                if let Step::Done(contact) = all[one].1 {
                    decided.push(contact);
                }
            }
            decided.dedup();
            assert!(decided.len() <= 1, "seed {seed}: {decided:?}");
        }
    }

    #[test]
    fn a_ballot_that_nobody_sees_decides_nothing() {
        let own = Name::default().begin([1; 16], KeyId([7; 16]), 500);
        assert!(!Name::default().shows(&own), "it was written below a deletion");
        let proposed = Said { proposed: 1, ..own };
        let name = |said| Name { decided: None, said: vec![said] };
        assert!(name(own).shows(&own) && !name(own).shows(&proposed) && name(proposed).shows(&proposed));
    }

    #[test]
    fn what_is_written_next_is_above_all_that_was_read() {
        let said = Said { process: [1; 16], begun: 3, proposed: 2, contact: KeyId([7; 16]), stamp: 900 };
        let name = Name { decided: None, said: vec![said] };
        let own = name.begin([2; 16], KeyId([8; 16]), 500);
        assert_eq!((own.begun, own.proposed, own.stamp), (4, 0, 901));
        assert_eq!(name.propose(&own, 500).contact, KeyId([7; 16]), "it stands in a ballot already");
        let again = name.begin([1; 16], KeyId([8; 16]), 2_000);
        assert_eq!((again.proposed, again.contact, again.stamp), (2, KeyId([7; 16]), 2_000), "what it proposed stays");
    }
}
