//! What these tests share: a context whose output can be read, a host whose node does as it is told, a server of one
//! answer.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use clap::Parser;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::cli::args::Args;
use crate::cli::context::Context;
use crate::cli::host::{Host, Hosted, StartFailure, StartKind};
use crate::cli::print::{Printer, Style};
use crate::cli::{Exit, run};
use crate::config::Settings;
use crate::runtime::BoxFuture;

/// Everything that was written to one stream.
#[derive(Debug, Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// As text.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).expect("text is written")
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub exit: Exit,
    pub out: String,
    pub notes: String,
}

/// Runs a command line with an environment, off the runtime of the test.
pub fn command(line: &[&str], env: &[(&str, &str)]) -> Ended {
    let args = Args::try_parse_from(std::iter::once(&"waybill").chain(line)).expect("the command line is understood");
    let (out, notes) = (Written::default(), Written::default());
    let style = Style { json: args.global.json, quiet: args.global.quiet, ..Style::default() };
    let printer = Printer::new(style, Box::new(out.clone()), Box::new(notes.clone()));
    let env: BTreeMap<String, String> = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let context = Context::new(printer, args.global, env);
    let exit = run::run(&context, args.verb, &Refusing);
    Ended { exit, out: out.text(), notes: notes.text() }
}

/// The same beside a running test server.
pub async fn command_beside(line: &[&str], env: &[(&str, &str)]) -> Ended {
    let line: Vec<String> = line.iter().map(ToString::to_string).collect();
    let env: Vec<(String, String)> = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let ended = tokio::task::spawn_blocking(move || {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        command(&line, &env)
    });
    ended.await.expect("the command does not panic")
}

/// A host whose data folder is always held by another process.
pub struct Refusing;

impl Host for Refusing {
    fn start(&self, _: Settings) -> BoxFuture<'_, Result<Box<dyn Hosted>, StartFailure>> {
        let failure = StartFailure { kind: StartKind::DataFolder, what: "another process holds it".to_owned() };
        Box::pin(std::future::ready(Err(failure)))
    }

    fn found(&self, _: Settings) -> BoxFuture<'_, Result<String, StartFailure>> {
        Box::pin(std::future::ready(Ok("inst_1 with 64 partitions".to_owned())))
    }

    fn log(&self, _: &Settings, _: bool) -> Result<(), String> {
        Ok(())
    }
}

/// A server that gives one scripted answer to each connection in turn, and keeps what it was asked.
pub struct Scripted {
    pub addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Scripted {
    /// Answers: status line and body each; the type is JSON. The last one is repeated.
    pub async fn serve(answers: Vec<(&'static str, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let task = crate::runtime::spawn("scripted", {
            let asked = Arc::clone(&asked);
            async move {
                let mut answered = 0;
                while let Ok((mut stream, _)) = listener.accept().await {
                    let request = read_request(&mut stream).await;
                    asked.lock().push(request);
                    let (status, body) = &answers[answered.min(answers.len() - 1)];
                    answered += 1;
                    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n");
                    let whole = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                    stream.write_all(whole.as_bytes()).await.expect("the client reads");
                }
            }
        });
        Self { addr, asked, task }
    }

    /// `http://…`
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What was asked so far, head and body.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request, with as much body as its head announces.
async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.expect("the client writes");
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let announced = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if read == 0 || body.len() >= announced.unwrap_or(0) {
            return text;
        }
    }
}
