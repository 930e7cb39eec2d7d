//! The simulator and the sink, seen from outside by a real client.

use serde_json::{Value, json};
use std::error::Error as _;
use std::time::{Duration, Instant};
use waybill_loadtest::graph::{
    BodyKind, CallbackConfig, CallbackFaults, Fault, Faults, Limits, Number, Recorded, Rule,
    ScriptedFault, Simulator, SimulatorConfig, Template,
};
use waybill_loadtest::signature::{WebhookSecret, verify_hub};
use waybill_loadtest::sink::{Behaviour, Sink, SinkConfig};

const NUMBER: &str = "900100200300501";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn client() -> reqwest::Client {
    // The first test to come installs it; for the others it is there.
    drop(rustls::crypto::ring::default_provider().install_default());
    let builder = reqwest::Client::builder()
        .http1_only()
        .no_proxy()
        .retry(reqwest::retry::never());
    builder
        .timeout(Duration::from_secs(5))
        .build()
        .expect("client")
}

fn text(to: &str, body: &str) -> Value {
    json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "text",
        "biz_opaque_callback_data": "wb:1", "text": {"body": body}})
}

fn config() -> SimulatorConfig {
    let number = Number {
        access_token: Some("good".into()),
        ..Number::new(NUMBER)
    };
    SimulatorConfig {
        numbers: vec![number],
        ..SimulatorConfig::unlimited()
    }
}

struct Street {
    sim: Simulator,
    client: reqwest::Client,
}

impl Street {
    async fn open(config: SimulatorConfig) -> Self {
        Self {
            sim: Simulator::start(config).await.expect("start"),
            client: client(),
        }
    }

    async fn try_send(
        &self,
        number: &str,
        token: &str,
        body: &Value,
    ) -> reqwest::Result<(u16, Value)> {
        let url = format!("{}/v25.0/{number}/messages", self.sim.base_url());
        let request = self
            .client
            .post(url)
            .bearer_auth(token)
            .header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok((
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        ))
    }

    async fn send(&self, body: &Value) -> (u16, Value) {
        self.try_send(NUMBER, "good", body).await.expect("answer")
    }

    async fn code(&self, body: &Value) -> u64 {
        self.send(body).await.1["error"]["code"]
            .as_u64()
            .unwrap_or(0)
    }

    fn last(&self) -> Recorded {
        self.sim.requests(0, 1_000_000).pop().expect("a record")
    }

    /// Sends one message under one fault.
    async fn under(&self, fault: Fault) -> reqwest::Result<(u16, Value)> {
        let request = self.sim.stats().requests + 1;
        self.sim.set_faults(Faults {
            scripted: vec![ScriptedFault { request, fault }],
            ..Faults::default()
        });
        self.try_send(NUMBER, "good", &text("+12025550123", "hello wbm-f"))
            .await
    }
}

/// Waits for a condition that some other task brings about.
async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < patience, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_send_is_accepted_and_recorded() {
    let street = Street::open(config()).await;
    let (status, body) = street
        .send(&text("+1 202 555-0123", "order 7 wbm-12-ab ready"))
        .await;
    assert_eq!(status, 200);
    let wamid = body["messages"][0]["id"].as_str().expect("id").to_owned();
    let fixture = include_str!("fixtures/response.whatsapp.send.accepted.json");
    let mut expected: Value = serde_json::from_str(fixture).expect("fixture");
    expected["contacts"][0]["input"] = "+1 202 555-0123".into();
    expected["messages"][0]["id"] = wamid.as_str().into();
    assert_eq!(body, expected);
    let record = street.last();
    assert_eq!(
        (
            record.n,
            &*record.phone_number_id,
            &*record.to,
            &*record.kind
        ),
        (1, NUMBER, "12025550123", "text")
    );
    assert_eq!(
        (record.marker.as_deref(), record.token.as_deref()),
        (Some("wbm-12-ab"), Some("wb:1"))
    );
    assert_eq!(
        (record.wamid, record.error, record.fault),
        (Some(wamid), None, None)
    );
}

#[tokio::test]
async fn who_may_not_is_told_so_in_metas_shape() {
    let street = Street::open(config()).await;
    let hello = text("+12025550123", "hi");
    let (status, body) = street
        .try_send(NUMBER, "bad", &hello)
        .await
        .expect("answer");
    assert_eq!(
        (status, &body["error"]["code"], &body["error"]["type"]),
        (401, &json!(190), &json!("OAuthException"))
    );
    assert!(body["error"]["fbtrace_id"].is_string());
    let (status, body) = street.try_send(NUMBER, "", &hello).await.expect("answer");
    assert_eq!((status, &body["error"]["code"]), (401, &json!(104)));
    let open = Street::open(SimulatorConfig {
        access_tokens: vec!["any".into()],
        ..config()
    })
    .await;
    let (status, body) = open.try_send("999", "any", &hello).await.expect("answer");
    assert_eq!(
        (
            status,
            &body["error"]["code"],
            &body["error"]["error_subcode"]
        ),
        (400, &json!(100), &json!(33))
    );
    assert_eq!(open.last().error, Some(100));
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let templates = vec![
        Template {
            name: "order_ready".into(),
            language: "en_US".into(),
            category: "UTILITY".into(),
            body_parameters: 2,
            status: "APPROVED".into(),
        },
        Template {
            name: "sale".into(),
            language: "en".into(),
            category: "MARKETING".into(),
            body_parameters: 0,
            status: "PAUSED".into(),
        },
    ];
    let street = Street::open(SimulatorConfig {
        templates: Some(templates),
        ..config()
    })
    .await;
    let template = |name: &str, language: &str, parameters: usize| {
        let parameters = vec![json!({"type": "text", "text": "wbm-t"}); parameters];
        json!({"messaging_product": "whatsapp", "to": "+12025550123", "type": "template", "template":
            {"name": name, "language": {"code": language}, "components": [{"type": "body", "parameters": parameters}]}})
    };
    assert_eq!(street.code(&json!({"to": "+12025550123"})).await, 100);
    assert_eq!(
        street
            .code(&json!({"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}}))
            .await,
        131_008
    );
    assert_eq!(street.code(&text("nobody", "x")).await, 131_009);
    assert_eq!(
        street.code(&text("+12025550123", &"x".repeat(4097))).await,
        100
    );
    assert_eq!(
        street.code(&template("order_ready", "en_GB", 2)).await,
        132_001
    );
    assert_eq!(
        street.code(&template("order_ready", "en_US", 1)).await,
        132_000
    );
    assert_eq!(street.code(&template("sale", "en", 0)).await, 132_015);
    let (_, body) = street.send(&template("order_ready", "en_US", 2)).await;
    assert_eq!(body["messages"][0]["message_status"], "accepted");
    assert_eq!(
        street.last().marker.as_deref(),
        Some("wbm-t"),
        "a marker in a template parameter is found"
    );
    let details = street.send(&template("order_ready", "en_US", 1)).await.1["error"]["error_data"]
        ["details"]
        .clone();
    assert_eq!(
        details,
        "body: number of localizable_params (1) does not match the expected number of params (2)"
    );
    let read = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.X"});
    assert_eq!(street.send(&read).await.1, json!({"success": true}));
}

#[tokio::test]
async fn limits_are_enforced_and_counted() {
    let street = Street::open(SimulatorConfig {
        limits: Limits::default(),
        ..config()
    })
    .await;
    let mut codes = Vec::new();
    for _ in 0..47 {
        codes.push(street.code(&text("+12025550123", "x")).await);
    }
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 45);
    assert_eq!(codes[45..], [131_056, 131_056]);
    assert_eq!(street.sim.stats().limits_exceeded["pair"], 2);
    let overrides = [(NUMBER.to_owned(), 130_429)].into();
    street.sim.set_faults(Faults {
        phone_number_overrides: overrides,
        ..Faults::default()
    });
    assert_eq!(street.code(&text("+12025550199", "x")).await, 130_429);
}

#[tokio::test]
async fn rules_decide_by_recipient() {
    let rules = vec![
        Rule {
            suffix: "0007".into(),
            sync_code: Some(131_026),
            ..Rule::default()
        },
        Rule {
            suffix: "0008".into(),
            fault: Some(Fault::Http {
                status: 503,
                body: BodyKind::Empty,
                accepted: false,
            }),
            ..Rule::default()
        },
    ];
    let street = Street::open(SimulatorConfig { rules, ..config() }).await;
    assert_eq!(street.code(&text("+12025550007", "x")).await, 131_026);
    assert_eq!(street.send(&text("+12025550008", "x")).await.0, 503);
    assert_eq!(street.send(&text("+12025550009", "x")).await.0, 200);
}

#[tokio::test]
async fn every_fault_is_seen_by_a_client_and_stands_in_the_journal() {
    let street = Street::open(config()).await;
    let started = Instant::now();
    assert_eq!(
        street
            .under(Fault::Latency { ms: 120 })
            .await
            .expect("answer")
            .0,
        200
    );
    assert!(started.elapsed() >= Duration::from_millis(120));
    let (status, body) = street
        .under(Fault::Http {
            status: 500,
            body: BodyKind::Json,
            accepted: false,
        })
        .await
        .expect("answer");
    assert_eq!(
        (
            status,
            &body["error"]["code"],
            &body["error"]["is_transient"]
        ),
        (500, &json!(2), &json!(true))
    );
    let (status, body) = street
        .under(Fault::Http {
            status: 503,
            body: BodyKind::Html,
            accepted: true,
        })
        .await
        .expect("answer");
    assert!(status == 503 && body.as_str().is_some_and(|page| page.contains("<html>")));
    assert!(street.last().wamid.is_some(), "a 503 after acceptance");
    let (status, body) = street
        .under(Fault::Error {
            code: 131_016,
            accepted: false,
        })
        .await
        .expect("answer");
    assert_eq!((status, &body["error"]["code"]), (503, &json!(131_016)));
    let (status, body) = street
        .under(Fault::MalformedBody { accepted: true })
        .await
        .expect("answer");
    assert!(status == 200 && body.is_string() && street.last().wamid.is_some());

    for (fault, accepted) in [
        (Fault::ResetBeforeBody, false),
        (
            Fault::Reset {
                at: 0,
                accepted: false,
            },
            false,
        ),
        (
            Fault::Reset {
                at: 0,
                accepted: true,
            },
            true,
        ),
        (
            Fault::Reset {
                at: 20,
                accepted: true,
            },
            true,
        ),
        (
            Fault::Reset {
                at: 150,
                accepted: true,
            },
            true,
        ),
        (Fault::AcceptedNoAnswer, true),
    ] {
        let name = fault.name();
        let failed = street
            .under(fault.clone())
            .await
            .expect_err("no whole answer");
        assert!(
            failed.source().is_some() && !failed.is_timeout(),
            "{fault:?}: {failed:?}"
        );
        let record = street.last();
        assert_eq!(
            (record.fault.as_deref(), record.wamid.is_some()),
            (Some(name), accepted),
            "{fault:?}"
        );
    }
    assert_eq!(street.sim.stats().faults["reset"], 4);
}

#[tokio::test]
async fn a_stall_never_answers() {
    let street = Street::open(config()).await;
    let waited = tokio::time::timeout(
        Duration::from_millis(300),
        street.under(Fault::Stall { accepted: true }),
    )
    .await;
    assert!(waited.is_err(), "an answer came: {waited:?}");
    let record = street.last();
    assert!(record.fault.as_deref() == Some("stall") && record.wamid.is_some());
}

/// Reads bytes off the wire: the cut is exact, and it is a reset.
#[tokio::test]
async fn a_reset_comes_after_exactly_so_many_bytes() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let faults = Faults {
        scripted: vec![ScriptedFault {
            request: 1,
            fault: Fault::Reset {
                at: 37,
                accepted: true,
            },
        }],
        ..Faults::default()
    };
    let street = Street::open(SimulatorConfig { faults, ..config() }).await;
    let body = text("+12025550123", "x").to_string();
    let request = format!(
        "POST /v25.0/{NUMBER}/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(street.sim.addr())
        .await
        .expect("connect");
    stream.write_all(request.as_bytes()).await.expect("write");
    let mut got = Vec::new();
    let ended = stream.read_to_end(&mut got).await;
    assert_eq!(
        ended.expect_err("a reset").kind(),
        std::io::ErrorKind::ConnectionReset
    );
    assert_eq!(got.len(), 37);
    assert!(got.starts_with(b"HTTP/1.1 200 OK"));
}

/// A receiver of Meta's callbacks that verifies them and fails the first so many.
struct Receiver {
    addr: std::net::SocketAddr,
    seen: std::sync::Arc<std::sync::Mutex<Vec<Value>>>,
}

impl Receiver {
    async fn open(app_secret: &'static str, failing: usize) -> Self {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let (kept, left) = (
            seen.clone(),
            std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(failing)),
        );
        let handler = move |headers: axum::http::HeaderMap, body: axum::body::Bytes| {
            let (kept, left) = (kept.clone(), left.clone());
            async move {
                let signature = headers["x-hub-signature-256"].to_str().expect("header");
                assert!(
                    verify_hub(app_secret, &body, signature),
                    "the signature is right"
                );
                let less = |n: usize| n.checked_sub(1);
                if left
                    .fetch_update(
                        std::sync::atomic::Ordering::SeqCst,
                        std::sync::atomic::Ordering::SeqCst,
                        less,
                    )
                    .is_ok()
                {
                    return axum::http::StatusCode::SERVICE_UNAVAILABLE;
                }
                kept.lock()
                    .expect("lock")
                    .push(serde_json::from_slice(&body).expect("JSON"));
                axum::http::StatusCode::OK
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("bind");
        let addr = listener.local_addr().expect("addr");
        let app = axum::Router::new().route("/cb", axum::routing::post(handler));
        drop(tokio::spawn(
            async move { axum::serve(listener, app).await },
        ));
        Self { addr, seen }
    }

    fn statuses(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("lock");
        let changes = seen.iter().flat_map(|body| {
            body["entry"][0]["changes"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        });
        let statuses = changes.flat_map(|change| {
            change["value"]["statuses"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        });
        statuses
            .map(|status| status["status"].as_str().expect("status").to_owned())
            .collect()
    }

    fn config(&self) -> CallbackConfig {
        let url = Some(format!("http://{}/cb", self.addr));
        let base = CallbackConfig {
            url,
            app_secret: "s3cret".into(),
            jitter: 0.0,
            retry_ms: 1,
            ..CallbackConfig::default()
        };
        CallbackConfig {
            sent_ms: 5,
            delivered_ms: 20,
            read_ms: 20,
            read_share: 1.0,
            ..base
        }
    }
}

#[tokio::test]
async fn callbacks_are_signed_and_retried_until_200() {
    let receiver = Receiver::open("s3cret", 2).await;
    let rules = vec![Rule {
        suffix: "0013".into(),
        async_code: Some(131_049),
        ..Rule::default()
    }];
    let street = Street::open(SimulatorConfig {
        callback: receiver.config(),
        rules,
        ..config()
    })
    .await;
    street.send(&text("+12025550123", "x")).await;
    eventually("three statuses", || receiver.statuses().len() == 3).await;
    let mut statuses = receiver.statuses();
    statuses.sort();
    assert_eq!(statuses, ["delivered", "read", "sent"]);
    eventually("all settled", || street.sim.stats().callbacks.pending == 0).await;
    let stats = street.sim.stats().callbacks;
    assert_eq!(
        (stats.posted, stats.refused, stats.posts, stats.abandoned),
        (3, 2, 5, 0)
    );
    street.send(&text("+12025550013", "x")).await;
    eventually("a failure", || receiver.statuses().len() == 4).await;
    let last = receiver
        .seen
        .lock()
        .expect("lock")
        .last()
        .cloned()
        .expect("body");
    let status = &last["entry"][0]["changes"][0]["value"]["statuses"][0];
    assert_eq!(
        (
            &status["errors"][0]["code"],
            &status["biz_opaque_callback_data"]
        ),
        (&json!(131_049), &json!("wb:1"))
    );
}

#[tokio::test]
async fn a_callback_can_come_before_the_answer() {
    let receiver = Receiver::open("s3cret", 0).await;
    let faults = Faults {
        latency_ms: 200,
        callbacks: CallbackFaults {
            early: 1.0,
            ..CallbackFaults::default()
        },
        ..Faults::default()
    };
    let street = Street::open(SimulatorConfig {
        callback: receiver.config(),
        faults,
        ..config()
    })
    .await;
    let message = text("+12025550123", "x");
    let answer = street.send(&message);
    tokio::pin!(answer);
    let early = tokio::select! {
        _ = &mut answer => false,
        () = eventually("sent", || receiver.statuses() == ["sent"]) => true,
    };
    assert!(early, "the callback is there, the answer is not");
    assert_eq!(answer.await.0, 200);
}

#[tokio::test]
async fn callbacks_that_go_nowhere_are_given_up_and_counted() {
    let receiver = Receiver::open("s3cret", usize::MAX).await;
    let callback = CallbackConfig {
        attempts: 3,
        delivered: false,
        ..receiver.config()
    };
    let street = Street::open(SimulatorConfig {
        callback,
        ..config()
    })
    .await;
    street.send(&text("+12025550123", "x")).await;
    eventually("given up", || street.sim.stats().callbacks.abandoned == 1).await;
    let stats = street.sim.stats().callbacks;
    assert_eq!((stats.posts, stats.pending, stats.posted), (3, 0, 0));
}

#[tokio::test]
async fn a_person_can_write() {
    let receiver = Receiver::open("s3cret", 0).await;
    let street = Street::open(SimulatorConfig {
        callback: receiver.config(),
        ..config()
    })
    .await;
    let id = street
        .sim
        .inbound(NUMBER, "+12025550123", "héllo")
        .expect("inbound");
    eventually("the message", || {
        !receiver.seen.lock().expect("lock").is_empty()
    })
    .await;
    let value = receiver.seen.lock().expect("lock")[0]["entry"][0]["changes"][0]["value"].clone();
    assert_eq!(
        (
            &value["messages"][0]["id"],
            &value["messages"][0]["text"]["body"]
        ),
        (&json!(id), &json!("héllo"))
    );
    assert!(street.sim.inbound("999", "1", "x").is_err());
}

#[tokio::test]
async fn the_admin_routes_look_in_and_change() {
    let street = Street::open(config()).await;
    street.send(&text("+12025550123", "wbm-1")).await;
    let get = |path: &str| {
        street
            .client
            .get(format!("{}{path}", street.sim.base_url()))
            .send()
    };
    let stats: Value = serde_json::from_str(
        &get("/_sim/stats")
            .await
            .expect("get")
            .text()
            .await
            .expect("text"),
    )
    .expect("JSON");
    assert_eq!(
        (&stats["requests"], &stats["accepted"]),
        (&json!(1), &json!(1))
    );
    let page: Value = serde_json::from_str(
        &get("/_sim/requests?after=0&limit=5")
            .await
            .expect("get")
            .text()
            .await
            .expect("text"),
    )
    .expect("JSON");
    assert_eq!(
        (&page["next"], &page["requests"][0]["marker"]),
        (&json!(1), &json!("wbm-1"))
    );
    let post = |body: &str| {
        street
            .client
            .post(format!("{}/_sim/faults", street.sim.base_url()))
            .body(body.to_owned())
            .send()
    };
    assert_eq!(
        post(r#"{"random":[{"share":1.0,"fault":{"kind":"error","code":131000}}]}"#)
            .await
            .expect("post")
            .status(),
        200
    );
    assert_eq!(street.code(&text("+12025550123", "x")).await, 131_000);
    assert_eq!(post(r#"{"rondom":[]}"#).await.expect("post").status(), 400);
}

#[tokio::test]
async fn the_journal_file_holds_every_request() {
    let path = std::env::temp_dir().join(format!("loadtest-journal-{}.jsonl", std::process::id()));
    let street = Street::open(SimulatorConfig {
        journal_path: Some(path.clone()),
        ..config()
    })
    .await;
    for n in 0..5 {
        street
            .send(&text("+12025550123", &format!("wbm-{n}")))
            .await;
    }
    let in_memory = street.sim.requests(0, 10);
    street.sim.shutdown().await;
    let read: Vec<Recorded> = waybill_loadtest::lines::read_lines(&path).expect("read");
    assert_eq!((read.len(), &read), (5, &in_memory));
    std::fs::remove_file(&path).expect("remove");
}

struct Customer {
    sink: Sink,
    client: reqwest::Client,
    secret: WebhookSecret,
}

impl Customer {
    async fn open(behaviour: Behaviour) -> Self {
        let config = SinkConfig {
            secrets: vec![SECRET.into()],
            behaviour,
            ..SinkConfig::default()
        };
        Self {
            sink: Sink::start(config).await.expect("start"),
            client: client(),
            secret: WebhookSecret::parse(SECRET).expect("secret"),
        }
    }

    async fn deliver(&self, id: &str, signed_id: &str) -> reqwest::Result<u16> {
        let body =
            json!({"type": "message.delivered", "data": {"message_id": "msg_1"}}).to_string();
        let signature = self.secret.sign(signed_id, "1795000000", body.as_bytes());
        let request = self
            .client
            .post(self.sink.url())
            .header("webhook-id", id)
            .header("webhook-timestamp", "1795000000");
        let response = request
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .await?;
        let status = response.status().as_u16();
        response.bytes().await?;
        Ok(status)
    }
}

#[tokio::test]
async fn the_sink_verifies_records_and_finds_duplicates() {
    let customer = Customer::open(Behaviour::default()).await;
    assert_eq!(
        customer.deliver("evt_1", "evt_1").await.expect("answer"),
        200
    );
    assert_eq!(
        customer.deliver("evt_1", "evt_1").await.expect("answer"),
        200
    );
    assert_eq!(
        customer.deliver("evt_2", "evt_1").await.expect("answer"),
        401
    );
    let stats = customer.sink.stats();
    assert_eq!(
        (
            stats.signatures_good,
            stats.signatures_bad,
            stats.duplicates,
            stats.events
        ),
        (2, 1, 1, 1)
    );
    let events = customer.sink.events(0, 10);
    assert_eq!(
        (&*events[0].id, &*events[0].kind, &*events[0].message_id),
        ("evt_1", "message.delivered", "msg_1")
    );
}

#[tokio::test]
async fn the_sink_misbehaves_on_demand() {
    let customer = Customer::open(Behaviour {
        status: Some(410),
        ..Behaviour::default()
    })
    .await;
    assert_eq!(
        customer.deliver("evt_1", "evt_1").await.expect("answer"),
        410
    );
    customer.sink.set_behaviour(Behaviour {
        fail_share: 1.0,
        ..Behaviour::default()
    });
    assert_eq!(
        customer.deliver("evt_1", "evt_1").await.expect("answer"),
        500
    );
    assert!(
        customer.sink.events(0, 10).is_empty(),
        "what was failed was not notified"
    );
    customer.sink.set_behaviour(Behaviour {
        drip_ms: 10,
        ..Behaviour::default()
    });
    let started = Instant::now();
    assert_eq!(
        customer.deliver("evt_1", "evt_1").await.expect("answer"),
        200
    );
    assert!(
        started.elapsed() >= Duration::from_millis(150),
        "17 bytes, one per 10 ms"
    );
    customer.sink.set_behaviour(Behaviour {
        hang: true,
        ..Behaviour::default()
    });
    let hung = tokio::time::timeout(
        Duration::from_millis(200),
        customer.deliver("evt_2", "evt_2"),
    )
    .await;
    assert!(hung.is_err());
    assert_eq!(
        (
            customer.sink.stats().failed_on_purpose,
            customer.sink.stats().events
        ),
        (3, 1)
    );
}
