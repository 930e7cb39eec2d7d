//! Sharing the partitions out: where journal, rows and vault are in clusters, nodes join a group of the brokers, which says
//! who might own what. It only proposes; claims decide.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::column::kafka_options;
use super::error::StartError;
use crate::actors::hands::Hands;
use crate::actors::ownership::{Ownership, Proposer};
use crate::config::{NodeRole, Settings};
use crate::journal::{GroupOptions, GroupStanding, KafkaGroup};

/// How often it is said how the node stands.
const EVERY: Duration = Duration::from_secs(1);

/// A node's place among others.
pub struct Membership {
    group: KafkaGroup,
    proposer: Arc<Proposer>,
}

/// What a node that does not share is to own, or who will say it.
pub enum Asked {
    /// It is decided.
    Already,
    /// By the group, once the node has joined it.
    ByGroup(Proposer),
}

/// Whether a node is for that.
#[must_use]
pub fn is_for(settings: &Settings, role: NodeRole) -> bool {
    settings.runtime.roles.contains(&role)
}

/// What this node is to own: everything, what a group proposes, or nothing.
#[must_use]
pub fn ownership(settings: &Settings, count: u16) -> (Asked, Ownership) {
    match (is_for(settings, NodeRole::Worker), settings.is_shared()) {
        (true, false) => (Asked::Already, Ownership::of_all(count)),
        (true, true) => {
            let (proposer, ownership) = Ownership::proposed();
            (Asked::ByGroup(proposer), ownership)
        }
        (false, _) => (Asked::Already, Ownership::proposed().1),
    }
}

impl Asked {
    /// Joins the group, if it is to say what this node owns.
    ///
    /// # Errors
    /// When the client cannot be made. That the brokers are away is no error.
    pub fn join(self, settings: &Settings, hands: &Hands) -> Result<Option<Membership>, StartError> {
        let Self::ByGroup(proposer) = self else { return Ok(None) };
        let (proposer, kafka) = (Arc::new(proposer), &settings.journal.kafka);
        let options = GroupOptions { session: kafka.group_session, heartbeat: kafka.group_heartbeat };
        let told = Arc::clone(&proposer);
        let group = KafkaGroup::join(&kafka_options(settings)?, &options, move |partitions| told.propose(partitions))?;
        crate::runtime::spawn("group", watch(Arc::downgrade(&group.standing()), hands.clone()));
        Ok(Some(Membership { group, proposer }))
    }
}

/// Says how the node stands in the group for as long as it is a member.
async fn watch(standing: Weak<GroupStanding>, hands: Hands) {
    let joined = hands.clock.steady();
    while let Some(standing) = standing.upgrade() {
        hands.health.set("group", standing.trouble(hands.clock.steady().saturating_sub(joined)));
        drop(standing);
        tokio::time::sleep(EVERY).await;
    }
}

impl Membership {
    /// Leaves the group, so that others are asked to own what this node has, and owns nothing from then on.
    pub fn leave(self) {
        drop(self.group);
        self.proposer.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(shared: bool, roles: &str) -> Settings {
        let clusters = "[journal]\nkind = \"kafka\"\n[journal.kafka]\nbrokers = [\"b:1\"]\n[store]\nkind = \"cql\"\n[store.cql]\n\
                        nodes = [\"n:1\"]\n[vault]\nkind = \"cql\"\nkey_file = \"k\"\n[vault.cql]\nnodes = [\"n:1\"]\n";
        let text = format!("{}[runtime]\nroles = [{roles}]\n", if shared { clusters } else { "" });
        Settings::parse(&text, "test", std::iter::empty()).expect("they can be used")
    }

    #[test]
    fn who_is_alone_owns_all_and_who_shares_what_is_proposed() {
        let both = "\"api\", \"worker\"";
        let (asked, mut alone) = ownership(&settings(false, both), 4);
        assert!(matches!(asked, Asked::Already));
        assert_eq!((alone.now().partitions.len(), alone.is_shared()), (4, false));
        let (asked, mut one) = ownership(&settings(true, both), 4);
        let Asked::ByGroup(proposer) = asked else { panic!("nobody proposes") };
        assert_eq!(one.now().partitions.len(), 0);
        proposer.propose([2]);
        assert_eq!((one.now().partitions.len(), one.is_shared()), (1, true));
        let (asked, mut none) = ownership(&settings(true, "\"api\""), 4);
        assert!(matches!(asked, Asked::Already));
        assert_eq!(none.now().partitions.len(), 0);
    }
}
