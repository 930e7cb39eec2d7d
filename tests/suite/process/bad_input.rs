//! Everything a caller can get wrong, against a running node: each mistake gets its answer, and none costs anything.

use bytes::Bytes;
use http::Method;
use serde_json::json;
use waybill_loadtest::signature::sign_hub;

use super::house::{APP_SECRET, CALLBACKS, House, Plan, phone_number_id};
use super::http::Reply;

/// One wrong request and its answer.
struct Case {
    name: &'static str,
    method: Method,
    path: &'static str,
    key: Key,
    kind: &'static str,
    body: Vec<u8>,
    status: u16,
    /// What the answer must say, beside its status.
    says: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Key {
    Good,
    Unknown,
    Mistyped,
    Operator,
    None,
}

fn case(name: &'static str, body: impl Into<Vec<u8>>, status: u16, says: &'static [&'static str]) -> Case {
    Case {
        name,
        method: Method::POST,
        path: "/v1/messages",
        key: Key::Good,
        kind: "application/json",
        body: body.into(),
        status,
        says,
    }
}

fn text() -> Vec<u8> {
    json!({"from": "s0", "to": "+4915550000001", "type": "text", "text": {"body": "hi"}}).to_string().into_bytes()
}

/// What is wrong with the message itself.
fn messages() -> Vec<Case> {
    let wrong = |value: serde_json::Value| value.to_string();
    vec![
        case("not JSON", "{\"from\": \"s0\",, }", 400, &["malformed_json", "line 1", "column"]),
        case("cut short", "{\"from\": \"s0\"", 400, &["malformed_json"]),
        case("nothing", "", 400, &["malformed_json"]),
        case("not UTF-8", [b"{\"from\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat(), 400, &["malformed_json"]),
        case("a list", "[]", 422, &["invalid_request"]),
        case("deep", "[".repeat(100_000), 400, &["malformed_json"]),
        case("wrong types", wrong(json!({"from": 7, "to": [], "type": "text", "text": "hi"})), 422, &["/from", "/to"]),
        case("no recipient", wrong(json!({"from": "s0", "type": "text", "text": {"body": "x"}})), 422, &["/to"]),
        case(
            "no number",
            wrong(json!({"from": "s0", "to": "Ada", "type": "text", "text": {"body": "x"}})),
            422,
            &["/to"],
        ),
        case(
            "a slip",
            wrong(json!({"from": "s0", "to": "+4915550000001", "text": {"body": "x"}, "referense": "r"})),
            422,
            &["/referense", "did you mean `reference`?"],
        ),
        case(
            "another's session",
            wrong(json!({"from": "s9", "to": "+4915550000001", "text": {"body": "x"}})),
            422,
            &["unknown_sender"],
        ),
        case("10 MB", vec![b' '; 10 * 1024 * 1024], 413, &["too_large", "server.max_body"]),
    ]
}

/// What is wrong with the call around it.
fn calls() -> Vec<Case> {
    let good = || case("", text(), 0, &[]);
    vec![
        Case { name: "no key", key: Key::None, status: 401, says: &["unauthorized"], ..good() },
        Case { name: "an unknown key", key: Key::Unknown, status: 401, says: &["unauthorized"], ..good() },
        Case { name: "a mistyped key", key: Key::Mistyped, status: 401, says: &["unauthorized"], ..good() },
        Case { name: "the operator's key", key: Key::Operator, status: 401, says: &["unauthorized"], ..good() },
        Case {
            name: "a form",
            kind: "application/x-www-form-urlencoded",
            status: 415,
            says: &["application/json"],
            ..good()
        },
        Case { name: "another route", path: "/v1/mesages", status: 404, says: &["/v1/messages"], ..good() },
        Case { name: "another method", method: Method::PATCH, status: 405, says: &["method_not_allowed"], ..good() },
        Case {
            name: "a tenant at the operator's door",
            method: Method::PUT,
            path: "/v1/admin/declarations",
            status: 401,
            says: &["unauthorized"],
            ..good()
        },
    ]
}

/// The drop-in answers in Meta's shape.
fn drop_in() -> Vec<Case> {
    let own: &'static str = format!("/v25.0/{}/messages", phone_number_id(0)).leak();
    let good = || Case { path: own, ..case("", text(), 0, &[]) };
    vec![
        Case {
            name: "an unknown phone number id",
            path: "/v25.0/123456789/messages",
            status: 400,
            says: &["\"code\":100", "\"error_subcode\":33"],
            ..good()
        },
        Case {
            name: "an unknown key of the drop-in",
            key: Key::Unknown,
            status: 401,
            says: &["\"code\":190"],
            ..good()
        },
        Case { name: "not JSON for the drop-in", body: b"{".to_vec(), status: 400, says: &["\"code\":100"], ..good() },
        Case {
            name: "10 MB for the drop-in",
            body: vec![b' '; 10 * 1024 * 1024],
            status: 413,
            says: &["\"code\":100"],
            ..good()
        },
    ]
}

async fn answer(house: &House, case: &Case) -> Result<Reply, String> {
    let mistyped = house.key.replace(['a', 'b'], "c");
    let operator = house.operator();
    let bearer = match case.key {
        Key::Good => Some(&*house.key),
        // Of the right form, checksum aside.
        Key::Unknown => Some("wb_live_00000000000000000000000000000000_00_00000000"),
        Key::Mistyped => Some(&*mistyped),
        Key::Operator => Some(&*operator),
        Key::None => None,
    };
    let bearer = bearer.map(|key| format!("Bearer {key}"));
    let mut headers = vec![("content-type", case.kind)];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    match case.status {
        413 => house.http.call_large(case.path, &headers, case.body.clone()).await,
        _ => house.http.call(case.method.clone(), case.path, &headers, Bytes::from(case.body.clone())).await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mistake_of_a_caller_gets_its_answer_and_costs_nothing() {
    let mut house = House::open(Plan::new()).await;
    let before = house.accept("s0", "+4915550000002", "before").await;
    for case in messages().into_iter().chain(calls()).chain(drop_in()) {
        let name = case.name;
        let reply = answer(&house, &case).await.unwrap_or_else(|error| panic!("{name}: no answer: {error}"));
        assert_eq!(reply.status, case.status, "{name}: {reply}");
        let said = String::from_utf8_lossy(&reply.body);
        for word in case.says {
            assert!(said.contains(word), "{name}: `{word}` is not said: {reply}");
        }
        assert!(!said.contains(&house.key), "{name}: the key is repeated");
    }
    house.ready().await;
    let after = house.accept("s0", "+4915550000003", "after").await;
    for id in [before, after] {
        house.until(&id, &["delivered"]).await;
    }
    assert_eq!(house.simulator.stats().requests, 2, "something wrong was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_of_good_and_bad_lines_takes_the_good_ones() {
    let house = House::open(Plan::new()).await;
    let good = |n: u8| json!({"from": "s1", "to": format!("+491555000010{n}"), "text": {"body": "bulk"}}).to_string();
    let long = format!("{{\"x\": \"{}\"}}", "y".repeat(300 * 1024));
    let body = [good(1), "{".to_owned(), good(2), long, "7".to_owned(), good(3)].join("\n");
    let headers = [("authorization", &*format!("Bearer {}", house.key)), ("content-type", "application/x-ndjson")];
    let reply = house.http.call(Method::POST, "/v1/messages/bulk", &headers, body).await.expect("an answer");
    assert_eq!(reply.status, 200, "{reply}");
    let lines: Vec<serde_json::Value> = String::from_utf8_lossy(&reply.body)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    let taken: Vec<&str> = lines.iter().filter_map(|line| line["id"].as_str()).collect();
    assert_eq!(taken.len(), 3, "{reply}");
    let codes: Vec<&str> = lines.iter().filter_map(|line| line["error"]["code"].as_str()).collect();
    assert_eq!(codes, ["malformed_json", "too_large", "invalid_request"], "{reply}");
    for id in taken {
        house.until(id, &["delivered"]).await;
    }
    assert_eq!(house.simulator.stats().requests, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_nobody_signed_is_refused() {
    let house = House::open(Plan::new()).await;
    let body = Bytes::from_static(br#"{"object":"whatsapp_business_account","entry":[]}"#);
    let good = sign_hub(APP_SECRET, &body);
    let other = sign_hub("00000000000000000000000000000000", &body);
    let altered = good.replace("sha256=", "sha1=");
    for signature in [None, Some(""), Some(&*other), Some(&*altered), Some("sha256=zz"), Some(&good[..40])] {
        let reply = house.callback(body.clone(), signature).await;
        assert!(matches!(reply.status, 401 | 403), "{signature:?}: {reply}");
    }
    // Signed: taken, also when it is no JSON, for Meta would repeat it for a week.
    assert_eq!(house.callback(body, Some(&good)).await.status, 200);
    let odd = Bytes::from_static(b"not JSON");
    let reply = house.callback(odd.clone(), Some(&sign_hub(APP_SECRET, &odd))).await;
    assert!(reply.status < 500, "{reply}");
    let large = vec![b' '; 10 * 1024 * 1024];
    let signed = sign_hub(APP_SECRET, &large);
    let headers = [("content-type", "application/json"), ("x-hub-signature-256", &*signed)];
    let reply = house.http.call_large(CALLBACKS, &headers, large).await.expect("an answer");
    assert_eq!(reply.status, 413, "{reply}");
    let id = house.accept("s0", "+4915550000001", "still here").await;
    house.until(&id, &["delivered"]).await;
}
