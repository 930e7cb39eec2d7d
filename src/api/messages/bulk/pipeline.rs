//! The pipeline: lines are prepared at once, appended in their order, answered in their order.
//!
//! Preparing waits for the vault's disk, appending for the journal's; with many lines in both the group commits of both
//! fill. Appending in the order of lines is what keeps two messages to one person in order.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::super::super::accept::{IdempotencyKey, Prepared, Taken, prepare, take_quota};
use super::super::super::auth::{Caller, still_works};
use super::super::super::body;
use super::super::super::campaigns::Audience;
use super::super::super::codes::Code;
use super::super::super::problem::Problem;
use super::super::super::state::App;
use super::super::decode::decode;
use super::super::send::answer;
use super::answers::Pen;
use super::lines::{Line, Lines};
use crate::runtime;
use crate::telemetry;

/// Lines on their way at once: as many as one group commit of the journal takes.
const WINDOW: usize = 256;

/// Bytes of lines on their way: 32 bulk requests hold 128 MiB. One line is always let in.
const WINDOW_BYTES: usize = 4 * 1024 * 1024;

/// Longest sleep between two looks at the tenant's bucket.
const PAUSE: Duration = Duration::from_secs(1);

type Preparing = oneshot::Receiver<Result<Prepared, Problem>>;
type Settling = Pin<Box<dyn Future<Output = Result<Taken, Problem>> + Send>>;

/// How a line is read.
#[derive(Debug, Clone)]
pub enum Reading {
    /// As a message.
    Messages,
    /// As a line of a campaign's audience.
    Audience(Arc<Audience>),
}

/// One bulk request.
pub struct Pipeline {
    app: Arc<App>,
    caller: Caller,
    lines: Lines,
    reading: Reading,
    answers: Pen,
    preparing: VecDeque<(u64, usize, Preparing)>,
    settling: VecDeque<(u64, usize, Settling)>,
    bytes: usize,
    ended: bool,
}

impl Pipeline {
    /// A pipeline from lines to answers.
    pub fn new(app: Arc<App>, caller: Caller, (lines, reading): (Lines, Reading), answers: Pen) -> Self {
        Self {
            app,
            caller,
            lines,
            reading,
            answers,
            preparing: VecDeque::new(),
            settling: VecDeque::new(),
            bytes: 0,
            ended: false,
        }
    }

    /// Runs until the last line is answered, or nobody reads answers any more. What was appended by then stays.
    pub async fn run(mut self) {
        loop {
            let room = self.has_room();
            tokio::select! {
                line = self.lines.next(), if room => match line {
                    Some(line) => self.begin(line),
                    None => self.ended = true,
                },
                prepared = prepared(&mut self.preparing), if !self.preparing.is_empty() => self.submit(prepared),
                settled = settled(&mut self.settling), if !self.settling.is_empty() => {
                    if !self.answer(settled).await {
                        return;
                    }
                }
                () = self.answers.closed() => return,
                else => return,
            }
            if self.ended && self.preparing.is_empty() && self.settling.is_empty() {
                return;
            }
        }
    }

    fn has_room(&self) -> bool {
        let on_the_way = self.preparing.len() + self.settling.len();
        !self.ended && (on_the_way == 0 || (on_the_way < WINDOW && self.bytes < WINDOW_BYTES))
    }

    fn begin(&mut self, line: Line) {
        let (number, size, work) = match line {
            Line::Whole(number, text) => (number, text.len(), Ok(text)),
            Line::TooLong(number) => (number, 0, Err(too_long(self.lines.max()))),
            Line::Broken(number) => (
                number,
                0,
                Err(Problem::new(Code::RequestTimeout, "the body broke off")
                    .remedy("send this line and those after it again")),
            ),
        };
        let (app, caller) = (Arc::clone(&self.app), self.caller);
        let reading = self.reading.clone();
        let (done, preparing) = oneshot::channel();
        let prepare = async move {
            let prepared = match work {
                Ok(text) => take(&app, &caller, &text, &reading).await,
                Err(problem) => Err(problem),
            };
            // Nobody waits for it when the caller has gone; preparing alone has no effect.
            drop(done.send(prepared));
        };
        drop(runtime::spawn("bulk line", prepare));
        self.bytes += size;
        self.preparing.push_back((number, size, preparing));
    }

    /// The front of the preparing lines goes to the journal; calls from here keep their order.
    fn submit(&mut self, prepared: Result<Prepared, Problem>) {
        let Some((number, size, _)) = self.preparing.pop_front() else {
            return;
        };
        let settling: Settling = match prepared {
            Ok(Prepared::Ready(ready)) => {
                let pending = ready.submit(&self.app);
                let app = Arc::clone(&self.app);
                Box::pin(async move { pending.settle(&app).await })
            }
            Ok(Prepared::Replayed(taken)) => Box::pin(std::future::ready(Ok(taken))),
            Err(problem) => {
                if problem.code == Code::Unauthorized {
                    self.close();
                }
                Box::pin(std::future::ready(Err(problem)))
            }
        };
        self.settling.push_back((number, size, settling));
    }

    /// The key was revoked: no line after this one is read, and none that is prepared is appended.
    fn close(&mut self) {
        self.ended = true;
        self.bytes -= self.preparing.drain(..).map(|(_, size, _)| size).sum::<usize>();
    }

    /// Says what became of the front line. False when nobody listens.
    async fn answer(&mut self, settled: Result<Taken, Problem>) -> bool {
        let Some((number, size, _)) = self.settling.pop_front() else {
            return true;
        };
        self.bytes -= size;
        let mut said = match settled {
            Ok(taken) => answer(&taken),
            Err(problem) => {
                telemetry::refused(problem.code.word());
                json!({"error": problem.to_json()})
            }
        };
        said["line"] = json!(number);
        let mut text = said.to_string().into_bytes();
        text.push(b'\n');
        self.answers.write(text).await
    }
}

async fn prepared(preparing: &mut VecDeque<(u64, usize, Preparing)>) -> Result<Prepared, Problem> {
    match preparing.front_mut() {
        Some((_, _, task)) => task.await.unwrap_or_else(|_| {
            // It has died; the log says of what.
            Err(Problem::new(Code::Internal, "this line could not be worked on"))
        }),
        None => std::future::pending().await,
    }
}

async fn settled(settling: &mut VecDeque<(u64, usize, Settling)>) -> Result<Taken, Problem> {
    match settling.front_mut() {
        Some((_, _, settling)) => settling.await,
        None => std::future::pending().await,
    }
}

async fn take(app: &App, caller: &Caller, text: &Bytes, reading: &Reading) -> Result<Prepared, Problem> {
    let mut body: Value = body::decode(text)?;
    let audience = match reading {
        Reading::Messages => None,
        Reading::Audience(audience) => Some(audience),
    };
    if let Some(audience) = audience {
        let request = audience.request(body)?;
        // What is loaded waits for its start, and counts against the tenant's rate when it leaves.
        still_works(app, caller).await?;
        audience.still_takes(app).await?;
        return prepare(app, caller, request).await;
    }
    let key = idempotency(&mut body)?;
    let request = decode(body, key)?;
    // Slowed down, not refused: a bulk is as long as it is, and its sender waits for answers anyway.
    while let Err(wait) = take_quota(app, caller).await? {
        tokio::time::sleep(wait.min(PAUSE)).await;
    }
    // A bulk may be open for days, and a line may have waited for its turn: a key that was revoked since sends no more.
    still_works(app, caller).await?;
    prepare(app, caller, request).await
}

fn idempotency(body: &mut Value) -> Result<Option<IdempotencyKey>, Problem> {
    let key = body.as_object_mut().and_then(|object| object.remove("idempotency_key"));
    match key {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(key)) => IdempotencyKey::parse(&key).map(Some).map_err(bad_key),
        Some(_) => Err(bad_key(Problem::new(Code::InvalidRequest, "not a string"))),
    }
}

fn bad_key(_: Problem) -> Problem {
    Problem::field(
        "/idempotency_key",
        "is not an idempotency key",
        "write 1 to 255 visible ASCII characters without spaces",
    )
}

fn too_long(max: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("the line has more than {max} bytes"))
        .remedy("`server.bulk_line_max` is the limit")
}
