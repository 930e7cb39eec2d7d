//! A send: accepted, refused, limited, decided by rule, recorded.

use crate::street::{NUMBER, Street, config, text};
use serde_json::{Value, json};
use waybill_loadtest::graph::{BodyKind, Fault, Faults, Limits, Recorded, Rule, SimulatorConfig, Template};

#[tokio::test]
async fn a_send_is_accepted_and_recorded() {
    let street = Street::open(config()).await;
    let (status, body) = street.send(&text("+1 202 555-0123", "order 7 wbm-12-ab ready")).await;
    assert_eq!(status, 200);
    let wamid = body["messages"][0]["id"].as_str().expect("id").to_owned();
    let fixture = include_str!("../fixtures/response.whatsapp.send.accepted.json");
    let mut expected: Value = serde_json::from_str(fixture).expect("fixture");
    expected["contacts"][0]["input"] = "+1 202 555-0123".into();
    expected["messages"][0]["id"] = wamid.as_str().into();
    assert_eq!(body, expected);
    let record = street.last();
    assert_eq!((record.n, &*record.phone_number_id, &*record.to, &*record.kind), (1, NUMBER, "12025550123", "text"));
    assert_eq!((record.marker.as_deref(), record.token.as_deref()), (Some("wbm-12-ab"), Some("wb:1")));
    assert_eq!((record.wamid, record.error, record.fault), (Some(wamid), None, None));
}

#[tokio::test]
async fn who_may_not_is_told_so_in_metas_shape() {
    let street = Street::open(config()).await;
    let hello = text("+12025550123", "hi");
    let (status, body) = street.try_send(NUMBER, "bad", &hello).await.expect("answer");
    assert_eq!((status, &body["error"]["code"], &body["error"]["type"]), (401, &json!(190), &json!("OAuthException")));
    assert!(body["error"]["fbtrace_id"].is_string());
    let (status, body) = street.try_send(NUMBER, "", &hello).await.expect("answer");
    assert_eq!((status, &body["error"]["code"]), (401, &json!(104)));
    let open = Street::open(SimulatorConfig { access_tokens: vec!["any".into()], ..config() }).await;
    let (status, body) = open.try_send("999", "any", &hello).await.expect("answer");
    assert_eq!((status, &body["error"]["code"], &body["error"]["error_subcode"]), (400, &json!(100), &json!(33)));
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
    let street = Street::open(SimulatorConfig { templates: Some(templates), ..config() }).await;
    let template = |name: &str, language: &str, parameters: usize| {
        let parameters = vec![json!({"type": "text", "text": "wbm-t"}); parameters];
        json!({"messaging_product": "whatsapp", "to": "+12025550123", "type": "template", "template":
            {"name": name, "language": {"code": language}, "components": [{"type": "body", "parameters": parameters}]}})
    };
    assert_eq!(street.code(&json!({"to": "+12025550123"})).await, 100);
    assert_eq!(
        street.code(&json!({"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}})).await,
        131_008
    );
    assert_eq!(street.code(&text("nobody", "x")).await, 131_009);
    assert_eq!(street.code(&text("+12025550123", &"x".repeat(4097))).await, 100);
    assert_eq!(street.code(&template("order_ready", "en_GB", 2)).await, 132_001);
    assert_eq!(street.code(&template("order_ready", "en_US", 1)).await, 132_000);
    assert_eq!(street.code(&template("sale", "en", 0)).await, 132_015);
    let (_, body) = street.send(&template("order_ready", "en_US", 2)).await;
    assert_eq!(body["messages"][0]["message_status"], "accepted");
    assert_eq!(street.last().marker.as_deref(), Some("wbm-t"), "a marker in a template parameter is found");
    let details = street.send(&template("order_ready", "en_US", 1)).await.1["error"]["error_data"]["details"].clone();
    assert_eq!(details, "body: number of localizable_params (1) does not match the expected number of params (2)");
    let read = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.X"});
    assert_eq!(street.send(&read).await.1, json!({"success": true}));
}

#[tokio::test]
async fn limits_are_enforced_and_counted() {
    let street = Street::open(SimulatorConfig { limits: Limits::default(), ..config() }).await;
    let mut codes = Vec::new();
    for _ in 0..47 {
        codes.push(street.code(&text("+12025550123", "x")).await);
    }
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 45);
    assert_eq!(codes[45..], [131_056, 131_056]);
    assert_eq!(street.sim.stats().limits_exceeded["pair"], 2);
    let overrides = [(NUMBER.to_owned(), 130_429)].into();
    street.sim.set_faults(Faults { phone_number_overrides: overrides, ..Faults::default() });
    assert_eq!(street.code(&text("+12025550199", "x")).await, 130_429);
}

#[tokio::test]
async fn rules_decide_by_recipient() {
    let rules = vec![
        Rule { suffix: "0007".into(), sync_code: Some(131_026), ..Rule::default() },
        Rule {
            suffix: "0008".into(),
            fault: Some(Fault::Http { status: 503, body: BodyKind::Empty, accepted: false }),
            ..Rule::default()
        },
    ];
    let street = Street::open(SimulatorConfig { rules, ..config() }).await;
    assert_eq!(street.code(&text("+12025550007", "x")).await, 131_026);
    assert_eq!(street.send(&text("+12025550008", "x")).await.0, 503);
    assert_eq!(street.send(&text("+12025550009", "x")).await.0, 200);
}

#[tokio::test]
async fn the_admin_routes_look_in_and_change() {
    let street = Street::open(config()).await;
    street.send(&text("+12025550123", "wbm-1")).await;
    let get = |path: &str| street.client.get(format!("{}{path}", street.sim.base_url())).send();
    let stats: Value =
        serde_json::from_str(&get("/_sim/stats").await.expect("get").text().await.expect("text")).expect("JSON");
    assert_eq!((&stats["requests"], &stats["accepted"]), (&json!(1), &json!(1)));
    let page: Value =
        serde_json::from_str(&get("/_sim/requests?after=0&limit=5").await.expect("get").text().await.expect("text"))
            .expect("JSON");
    assert_eq!((&page["next"], &page["requests"][0]["marker"]), (&json!(1), &json!("wbm-1")));
    let post =
        |body: &str| street.client.post(format!("{}/_sim/faults", street.sim.base_url())).body(body.to_owned()).send();
    assert_eq!(
        post(r#"{"random":[{"share":1.0,"fault":{"kind":"error","code":131000}}]}"#).await.expect("post").status(),
        200
    );
    assert_eq!(street.code(&text("+12025550123", "x")).await, 131_000);
    assert_eq!(post(r#"{"rondom":[]}"#).await.expect("post").status(), 400);
}

#[tokio::test]
async fn the_journal_file_holds_every_request() {
    let path = std::env::temp_dir().join(format!("loadtest-journal-{}.jsonl", std::process::id()));
    let street = Street::open(SimulatorConfig { journal_path: Some(path.clone()), ..config() }).await;
    for n in 0..5 {
        street.send(&text("+12025550123", &format!("wbm-{n}"))).await;
    }
    let in_memory = street.sim.requests(0, 10);
    street.sim.shutdown().await;
    let read: Vec<Recorded> = waybill_loadtest::lines::read_lines(&path).expect("read");
    assert_eq!((read.len(), &read), (5, &in_memory));
    std::fs::remove_file(&path).expect("remove");
}
