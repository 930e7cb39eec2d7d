//! Handing over: tenants are declared, and their messages handed in, through the API that customers use.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use reqwest::Method;
use serde_json::Value;
use waybill_loadtest::clock::now_us;
use waybill_loadtest::ledger::Ack;

use super::orders::Order;
use super::stage::Stage;
use crate::cli::bulk::{Chunk, Line, MESSAGES, Outcome, post};
use crate::cli::client::Client;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{apply, declare};
use crate::config::Role;

/// Messages of one bulk request: small enough that the display moves.
const CHUNK: usize = 250;

/// A tenant with its key.
pub(super) struct Door {
    pub(super) tenant: String,
    pub(super) key: String,
    client: Client,
}

/// What was acknowledged and what was refused, while it is being handed in.
#[derive(Default)]
pub(super) struct Book {
    acks: Mutex<Vec<Ack>>,
    refused: Mutex<BTreeMap<String, u64>>,
    closed: AtomicBool,
}

impl Book {
    /// How many were acknowledged.
    pub(super) fn accepted(&self) -> u64 {
        self.acks.lock().len() as u64
    }

    /// Everything that was acknowledged.
    pub(super) fn acks(&self) -> Vec<Ack> {
        self.acks.lock().clone()
    }

    /// What was refused, by code.
    pub(super) fn refused(&self) -> BTreeMap<String, u64> {
        self.refused.lock().clone()
    }

    /// Whether nothing more will be handed in.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn note(&self, order: &Order, outcome: Outcome, started_us: u64) {
        match outcome {
            Outcome::Accepted { id, .. } => self.acks.lock().push(Ack {
                marker: order.marker.clone(),
                id,
                from: order.from.clone(),
                to: order.to.clone(),
                started_us,
                acked_us: now_us(),
            }),
            Outcome::Refused(problem) => {
                let code = problem["code"].as_str().unwrap_or("without a code").to_owned();
                *self.refused.lock().entry(code).or_default() += 1;
            }
        }
    }
}

/// Declares the tenants; answers with a key of each.
pub(super) async fn declare(context: &Context, stage: &Stage) -> Result<Vec<Door>, Failure> {
    let body = declare::body(&stage.declaration, false)?;
    let mut answer = stage.operator()?.put(Method::PUT, declare::PATH, &body, &[]).await?;
    let texts = apply::take_secrets(&mut answer);
    let declared = &stage.declaration;
    context.printer.note(format!(
        "Declared {} tenants with {} sessions, {} endpoints and {} keys.",
        declared.tenant.len(),
        declared.session.len(),
        declared.endpoint.len(),
        declared.key.len(),
    ));
    let senders = declared.key.iter().filter(|key| key.role == Role::Sender);
    senders
        .map(|key| {
            let is_it = |text: &&Value| text["tenant"] == key.tenant.as_str() && text["name"] == key.name.as_str();
            let text = texts.iter().find(is_it).and_then(|text| text["text"].as_str());
            let text = text.ok_or_else(|| {
                Failure::new(Exit::Internal, format!("the server gave {} no key: {answer}", key.tenant))
            })?;
            Ok(Door { tenant: key.tenant.to_string(), key: text.to_owned(), client: stage.client(text)? })
        })
        .collect()
}

/// Hands everything in, each tenant by itself and in its order.
pub(super) async fn hand_in(doors: &[Door], orders: Vec<Order>, book: &Book) -> Result<(), Failure> {
    let [first, second] = doors else {
        return Err(Failure::new(Exit::Internal, format!("the demo has two tenants, not {}", doors.len())));
    };
    let (mine, others) = orders.into_iter().partition(|order| order.tenant == first.tenant);
    tokio::try_join!(through(first, mine, book), through(second, others, book))?;
    book.closed.store(true, Ordering::Release);
    Ok(())
}

async fn through(door: &Door, orders: Vec<Order>, book: &Book) -> Result<(), Failure> {
    for part in orders.chunks(CHUNK) {
        let started_us = now_us();
        let lines = part.iter().zip(1..).map(|(order, number)| Line {
            number,
            text: keyed(order).into_bytes(),
            too_long: false,
        });
        let chunk = Chunk { lines: lines.collect(), bytes: 0 };
        for (number, outcome) in post(&door.client, MESSAGES, &chunk).await? {
            let order = usize::try_from(number - 1).ok().and_then(|index| part.get(index));
            let order = order.ok_or_else(|| Failure::new(Exit::Internal, format!("no line {number} was sent")))?;
            book.note(order, outcome, started_us);
        }
    }
    Ok(())
}

/// The line with a key, so that another try after a broken connection doubles nothing. The name of the key is that of
/// the order; a folder that is used again for another demo answers with the messages of the first.
fn keyed(order: &Order) -> String {
    order.line.clone()
}
