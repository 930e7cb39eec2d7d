//! A vault that was put back, over doubles.

use std::sync::Arc;

use super::*;
use crate::domain::draft::Draft;
use crate::domain::id::{EventId, InstallationId, KeyId};
use crate::domain::record::Principal;
use crate::journal::{Appended, Genesis, Unruly};
use crate::runtime::SeededEntropy;
use crate::vault::{Alias, MemoryVault};

const TENANT: TenantId = TenantId([1; 16]);

async fn erased(journal: &Unruly, contact: KeyId, opt_out_kept: bool) -> Position {
    let asked = EventId([9; 16]);
    let facts = ContactErasedV1 { contact, asked, destroyed_at: 1, messages: 0, cancelled: 0, opt_out_kept };
    let event = Event::from(facts);
    let draft = Draft::new(EventId(contact.0), contact, &event, Principal::Operator, 1).tenant(TENANT);
    match journal.append(0, vec![draft.record().expect("small")]).await {
        Appended::Durable { last, .. } => last,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_was_erased_after_the_copy_was_made_is_erased_again() {
    let installation = InstallationId([5; 16]);
    let vault = MemoryVault::new(installation, 1, Arc::new(SeededEntropy::new(1)));
    let phone = |n: u8| Alias::phone(&format!("49151000000{n}")).expect("a phone number");
    let mut people = Vec::new();
    for n in 0..4 {
        people.push(vault.contact(TENANT, &phone(n)).await.expect("made"));
    }
    for journal in [Unruly::new, Unruly::with_gaps].map(|new| new(Genesis::new(installation, 1))) {
        let mark = erased(&journal, people[0], false).await;
        erased(&journal, people[1], false).await;
        erased(&journal, people[2], true).await;
        forget_again(&journal, &vault, vec![(0, mark)]).await;
        assert!(vault.aliases(TENANT, people[0]).await.is_ok(), "the copy was made after that: it is not looked for");
        for gone in &people[1..3] {
            assert!(vault.aliases(TENANT, *gone).await.expect_err("erased").is_erased());
        }
        assert_eq!(vault.find(TENANT, &phone(1)).await, Ok(None));
        let mark = vault.find(TENANT, &phone(2)).await.expect("readable");
        assert!(mark.is_some_and(|mark| !people.contains(&mark)), "a no to marketing stays");
        assert!(vault.aliases(TENANT, people[3]).await.is_ok());
    }
}
