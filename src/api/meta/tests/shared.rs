//! Refusals by callback that are of more than one message: a full portfolio, a paused template.

use super::acts::{accepted_as, with_token};
use super::people::phone;
use super::stage::{ACCOUNT, NOW, Stage, event};
use crate::domain::event::{Event, PortfolioDeclaredV1, SessionDeclaredV1};
use crate::domain::id::BudgetId;
use crate::domain::row::{Row, RowId};
use crate::vault::Vault;

const FAILED: &str = "whatsapp.status.failed.131049";

/// A message of this template, refused by callback with this code.
async fn refused(stage: &Stage, code: &str) -> Vec<u8> {
    let contact = stage.vault.contact(stage.tenant, &phone()).await.expect("a contact");
    let message = accepted_as(stage, contact, Some("sale")).await;
    let body = String::from_utf8(with_token(stage, FAILED, message)).expect("UTF-8");
    body.replace("131049", code).into_bytes()
}

#[tokio::test]
async fn a_refusal_for_the_portfolios_sake_holds_it_once() {
    let stage = Stage::new().await;
    let portfolio = BudgetId::portfolio(stage.app.journal.genesis().installation, "group");
    let body = refused(&stage, "131064").await;
    stage.post(&body).await;
    assert_eq!(stage.names(), ["StatusReported"], "it has none");
    let facts = PortfolioDeclaredV1 { portfolio, name: "group".into(), people_per_day: None };
    stage.write(portfolio, &facts.into()).await;
    let declared = SessionDeclaredV1 {
        session: stage.session,
        tenant: stage.tenant,
        name: "orders".into(),
        channel: "whatsapp".into(),
        account: ACCOUNT.into(),
        waba: None,
        app: None,
        portfolio: Some("group".into()),
        per_second: 80,
        burst: 80,
        test: false,
        members: None,
    };
    stage.write(stage.session, &declared.into()).await;
    stage.apply().await;
    stage.app.directory.refresh(&stage.app).await.expect("readable");
    for _ in 0..2 {
        stage.post(&body).await;
        stage.apply().await;
    }
    assert_eq!(stage.names().iter().filter(|name| **name == "PortfolioHeld").count(), 1, "{:?}", stage.names());
    let Some(Row::Portfolio(row)) = stage.row(RowId::Portfolio(portfolio)).await else { panic!("it is declared") };
    let held = row.held(NOW).expect("held");
    assert!(held.code == 131_064 && held.until > NOW, "{held:?}");
}

#[tokio::test]
async fn a_paused_template_is_stopped_once() {
    let stage = Stage::new().await;
    let body = refused(&stage, "132015").await;
    for _ in 0..2 {
        stage.post(&body).await;
        stage.apply().await;
    }
    let asked: Vec<_> = stage.written().iter().map(|entry| event(&entry.record)).collect();
    let asked: Vec<_> =
        asked.iter().filter_map(|it| if let Event::GateAsked(it) = it { Some(it) } else { None }).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].closed && asked[0].gate.name().as_deref() == Some("sale"), "{asked:?}");
    assert!(asked[0].reason.contains("132015"), "{asked:?}");
}
