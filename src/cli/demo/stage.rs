//! The stage: simulator, sink and node in this process, wired to each other.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;
use waybill_loadtest::graph::{CallbackConfig, Number, Simulator, SimulatorConfig, Template};
use waybill_loadtest::sink::{Sink, SinkConfig};

use super::folder::Folder;
use super::life;
use super::verdict::Verdict;
use crate::cli::client::Client;
use crate::cli::context::{Context, listening_url};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::host::{Host, Hosted};
use crate::cli::print::Tone;
use crate::config::{Declaration, Secret, SecretRef, Settings};
use crate::runtime::{Entropy, SystemEntropy};

const TENANTS: &str = include_str!("../../../config/examples/tenants.toml");
/// Where Meta's callbacks arrive: the default of `meta.callback_path`.
const CALLBACKS: &str = "/callbacks/meta";

/// Everything that runs.
pub(super) struct Stage {
    pub(super) simulator: Simulator,
    pub(super) sink: Sink,
    pub(super) node: Box<dyn Hosted>,
    /// The example tenants, pointed at simulator and sink.
    pub(super) declaration: Declaration,
}

impl Stage {
    /// Starts everything, the node last.
    pub(super) async fn set(context: &Context, host: &dyn Host, folder: &Folder, port: u16) -> Result<Self, Failure> {
        let (signing, app_secret) = (format!("whsec_{}", STANDARD.encode(random::<32>())), hex::encode(random::<16>()));
        let sink = Sink::start(SinkConfig { secrets: vec![signing.clone()], ..SinkConfig::default() }).await;
        let sink = sink.map_err(|error| unset(&error))?;
        let declaration = declaration(&sink.url(), &signing)?;
        let simulator = Simulator::start(simulator(&declaration, &app_secret)?).await.map_err(|error| unset(&error))?;
        let settings = settings(context, folder, port, &simulator, &sink, &app_secret)?;
        host.log(&settings, context.log_color()).map_err(Failure::usage)?;
        let node = host.start(settings).await?;
        let callbacks = format!("{}{CALLBACKS}", listening_url(node.addr(), false));
        simulator.set_callback(Some(&callbacks), None).map_err(|error| unset(&error))?;
        Ok(Self { simulator, sink, node, declaration })
    }

    /// A client with the operator's key.
    pub(super) fn operator(&self) -> Result<Client, Failure> {
        self.client(&self.node.operator_key())
    }

    /// A client with any key.
    pub(super) fn client(&self, key: &str) -> Result<Client, Failure> {
        let base = listening_url(self.node.addr(), false);
        let base = Url::parse(&base).map_err(|error| Failure::new(Exit::Internal, format!("{base}: {error}")))?;
        Client::new(base, Secret::new(key.to_owned()))
    }

    /// What there is to look at while it stays up.
    pub(super) fn tell_addresses(&self, context: &Context, verdict: &Verdict) -> Result<(), Failure> {
        let (printer, base) = (&context.printer, listening_url(self.node.addr(), false));
        printer.line(printer.paint(Tone::Strong, "\nTo look at, until Ctrl-C"))?;
        for (name, path) in [("API", "/v1/openapi.json"), ("metrics", "/metrics"), ("health", "/readyz")] {
            printer.line(format!("  {name:<12}{base}{path}"))?;
        }
        printer.line(format!("  {:<12}{}/_sim/stats", "Meta's side", self.simulator.base_url()))?;
        printer.line(format!("  {:<12}http://{}/_sink/stats", "endpoints", self.sink.addr()))?;
        let Some(key) = &verdict.key else {
            return Ok(());
        };
        printer.line("\nSend one yourself:")?;
        printer.line(format!(
            "  curl {base}/v1/messages -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n    \
             -d '{YOURSELF}'"
        ))?;
        printer.line("\nOr see what failed, and what it costs:")?;
        printer.line(format!("  export WAYBILL_URL={base} WAYBILL_KEY={key}"))?;
        printer.line("  waybill failures list\n  waybill usage")
    }

    /// Stops everything, the node first: it drains while Meta and the endpoints still answer.
    pub(super) async fn strike(self) -> Result<(), Failure> {
        let stopped = self.node.stop().await;
        self.simulator.shutdown().await;
        drop(self.sink);
        stopped.map_err(|what| Failure::new(Exit::Internal, format!("the node did not come to a proper end: {what}")))
    }
}

/// A message to try the API with: a template, because free text would need a window that nobody has opened.
const YOURSELF: &str = concat!(
    r#"{"from":"orders","to":"+4915500019999","type":"template","#,
    r#""template":{"name":"order_update","language":{"code":"en"}}}"#
);

fn unset(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Internal, format!("the demo cannot be set up: {error}"))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemEntropy.fill(&mut bytes);
    bytes
}

/// The example tenants: endpoints are the sink, which is told everything; numbers are the simulator's, so that what is
/// sent really leaves; key names are new in each run, for keys are shown only when they are made.
fn declaration(sink: &str, signing: &str) -> Result<Declaration, Failure> {
    let mut declaration = Declaration::parse(TENANTS, "the example tenants")?;
    let url = Url::parse(sink).map_err(|error| unset(&error))?;
    let run = hex::encode(random::<3>());
    for endpoint in &mut declaration.endpoint {
        endpoint.url = url.clone();
        endpoint.secret = Some(SecretRef::Literal(Secret::new(signing.to_owned())));
        endpoint.events = crate::config::EventPattern::parse("message.*").into_iter().collect();
    }
    for session in &mut declaration.session {
        session.test = false;
    }
    for key in &mut declaration.key {
        let name = crate::config::Name::parse(&format!("{}-{run}", key.name));
        key.name = name.unwrap_or_else(|| key.name.clone());
        key.test = false;
    }
    Ok(declaration)
}

fn simulator(declaration: &Declaration, app_secret: &str) -> Result<SimulatorConfig, Failure> {
    let mut numbers = Vec::new();
    for session in &declaration.session {
        numbers.push(Number {
            access_token: Some(session.token.resolve()?.expose().to_owned()),
            waba_id: session.waba_id.clone().unwrap_or_default(),
            ..Number::new(session.phone_number_id.clone())
        });
    }
    let template = Template {
        name: "order_update".to_owned(),
        language: "en".to_owned(),
        category: "UTILITY".to_owned(),
        body_parameters: 2,
        status: "APPROVED".to_owned(),
    };
    // Several statuses in one callback, as Meta sends them when there are many.
    let callback = CallbackConfig {
        app_secret: app_secret.to_owned(),
        read_share: 0.6,
        max_batch: 50,
        batch_ms: 50,
        ..CallbackConfig::default()
    };
    Ok(SimulatorConfig {
        numbers,
        templates: Some(vec![template]),
        rules: life::rules(),
        faults: life::faults(),
        callback,
        ..SimulatorConfig::default()
    })
}

/// The settings of the demo's node: the defaults, pointed at simulator and sink, with deadlines that a person can wait
/// for. Only the wait for an unknown outcome stays long: where a callback tells what became of a message within a minute,
/// also on a busy machine, nothing is sent twice. Of the environment only the log's settings count: a variable meant for another installation must not move the
/// demo into its data folder.
fn settings(
    context: &Context,
    folder: &Folder,
    port: u16,
    simulator: &Simulator,
    sink: &Sink,
    app_secret: &str,
) -> Result<Settings, Failure> {
    let listen = SocketAddr::from(([127, 0, 0, 1], port));
    let dir = toml::Value::from(folder.path().display().to_string());
    let (graph, sink_port) = (simulator.base_url(), sink.addr().port());
    let text = format!(
        "[data]\ndir = {dir}\n\
         [server]\nlisten = \"{listen}\"\n\
         [journal]\npartitions = 8\nsegment_size = \"8MiB\"\n\
         [meta]\ngraph_url = \"{graph}\"\ncallback_path = \"{CALLBACKS}\"\napp_secrets = [\"literal:{app_secret}\"]\n\
         request_timeout = \"3s\"\nconnect_timeout = \"1s\"\n\
         [delivery]\nintent_deadline = \"5s\"\nunknown_after = \"60s\"\nretry_base = \"200ms\"\nretry_cap = \"2s\"\n\
         [webhooks]\nallow_private = true\nallowed_ports = [{sink_port}]\nschedule = [\"200ms\", \"1s\", \"5s\", \"30s\"]\n\
         [telemetry]\nlog = \"error\"\n\
         [health]\ndisk_free_min = \"64MiB\"\ninodes_free_min = 1000\n"
    );
    let log_only = context.variables().filter(|(name, _)| name.starts_with("WAYBILL_TELEMETRY__"));
    Ok(Settings::parse(&text, "the settings of the demo", log_only)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::content::{Content, Kind};

    #[test]
    fn the_message_to_try_is_one_that_the_gates_let_pass() {
        let mut body: serde_json::Value = serde_json::from_str(YOURSELF).expect("JSON");
        body.as_object_mut().expect("an object").remove("from");
        assert_eq!(Content::check(body).expect("a message").kind, Kind::Template);
    }
}
