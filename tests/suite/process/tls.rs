//! TLS on the listener, over real sockets: a chain of a private authority, both versions of HTTP, our own command line as
//! a client, strangers who speak no TLS or say nothing, and a key that does not belong to its certificate.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, Client, Version};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::house::{House, Plan, phone_number_id};
use super::node::{Node, binary};

/// The listener's `server.header_timeout` in this test.
const HELLO: Duration = Duration::from_secs(1);

/// The files of a private authority and of one server, `localhost`.
struct Papers {
    root: String,
    root_file: PathBuf,
    chain_file: PathBuf,
    key_file: PathBuf,
}

impl Papers {
    fn issue(house: &House) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let leaf = leaf.signed_by(&key, &root).expect("a certificate");
        let write = |name: &str, text: String| {
            let path = house.folder().join(name);
            std::fs::write(&path, text).expect("it writes");
            path
        };
        Self {
            root: root.pem(),
            root_file: write("root.pem", root.pem()),
            chain_file: write("chain.pem", leaf.pem() + &root.pem()),
            key_file: write("key.pem", key.serialize_pem()),
        }
    }

    fn client(&self) -> reqwest::ClientBuilder {
        let root = Certificate::from_pem(self.root.as_bytes()).expect("a certificate");
        // A second installation in one process answers Err and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder().no_proxy().tls_certs_only([root]).timeout(Duration::from_secs(10))
    }
}

/// A house behind TLS, its node ready, and who may talk to it.
async fn open() -> (House, Papers, Client) {
    let mut house = House::build(Plan::new().set("server.header_timeout", "1s")).await;
    let papers = Papers::issue(&house);
    house.set("server.tls_cert", papers.chain_file.display().to_string());
    house.set("server.tls_key", papers.key_file.display().to_string());
    house.spawn();
    let client = papers.client().build().expect("a client");
    let (url, until) = (at(&house, "/readyz"), Instant::now() + Duration::from_secs(60));
    while !client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
        assert!(Instant::now() < until && house.node().ended().is_none(), "{}", house.node().said());
        // Nothing of another process can be awaited but its answer.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (house, papers, client)
}

fn at(house: &House, path: &str) -> String {
    format!("https://localhost:{}{path}", house.port)
}

/// A tenant with one number; its key.
async fn declare(house: &House, client: &Client) -> String {
    let declaration = json!({
        "tenants": [{"name": "shop", "display_name": "Shop"}],
        "sessions": [{"tenant": "shop", "name": "s0", "channel": "whatsapp", "phone_number_id": phone_number_id(0),
            "token": "simulator-token", "test": false}],
        "endpoints": [],
        "keys": [{"tenant": "shop", "name": "backend", "role": "admin", "test": false}],
        "dry_run": false,
    });
    let put = client.put(at(house, "/v1/admin/declarations")).bearer_auth(house.operator());
    let answer = put.header("content-type", "application/json").body(declaration.to_string()).send().await;
    let text = answer.expect("an answer").text().await.expect("a body");
    let begin = text.find("wb_live_").unwrap_or_else(|| panic!("no key in {text}"));
    text[begin..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// Hands in a message and follows it until it is sent; over which version of HTTP.
async fn send(house: &House, client: &Client, key: &str) -> Version {
    let body = json!({"from": "s0", "to": "+4915550000001", "type": "text", "text": {"body": "sealed"}}).to_string();
    let post = client.post(at(house, "/v1/messages")).bearer_auth(key).header("content-type", "application/json");
    let answer = post.body(body).send().await.expect("an answer");
    let version = answer.version();
    let id = json_of(answer).await["id"].as_str().expect("an id").to_owned();
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let get = client.get(at(house, &format!("/v1/messages/{id}"))).bearer_auth(key);
        let message = json_of(get.send().await.expect("an answer")).await;
        if message["state"] == "sent" {
            return version;
        }
        assert!(Instant::now() < until, "{message}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn json_of(answer: reqwest::Response) -> Value {
    let text = answer.text().await.expect("a body");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// `waybill status` against the node; its exit code and words.
async fn status(house: &House, root: Option<&PathBuf>) -> (i32, String) {
    let (settings, url) = (house.settings(), at(house, ""));
    let arguments = ["--config", settings.to_str().expect("UTF-8"), "--url", &url, "status"];
    let nowhere = house.folder().join("no-authorities.pem");
    let trusted = root.unwrap_or(&nowhere).display().to_string();
    let mut client = Node::spawn(
        &binary(),
        &arguments,
        &[("SSL_CERT_FILE".to_owned(), trusted)],
        &house.folder().join("status.log"),
    );
    (client.exit_code(Duration::from_secs(20)).await, client.said())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_with_a_certificate_speaks_tls_and_nothing_else() {
    let (mut house, papers, h2) = open().await;
    let key = declare(&house, &h2).await;
    assert_eq!(send(&house, &h2, &key).await, Version::HTTP_2, "what ALPN prefers");
    let h1 = papers.client().http1_only().build().expect("a client");
    assert_eq!(send(&house, &h1, &key).await, Version::HTTP_11);
    let stranger = Client::builder().no_proxy().build().expect("a client");
    let refused = stranger.get(at(&house, "/readyz")).send().await.expect_err("nobody vouches for it");
    assert!(refused.is_connect(), "{refused:?}");

    let (code, said) = status(&house, Some(&papers.root_file)).await;
    assert_eq!(code, 0, "{said}");
    let (code, said) = status(&house, None).await;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("certificate"), "{said}");

    let plain = house.http.get("/readyz", "").await;
    assert!(plain.is_err(), "plain HTTP was answered: {plain:?}");
    silence(&house).await;
    assert_eq!(send(&house, &h2, &key).await, Version::HTTP_2, "strangers cost nothing");
    house.stop().await;
}

/// Whoever says nothing, or half a hello, is shown out after `server.header_timeout`.
async fn silence(house: &House) {
    for hello in [&[][..], &[0x16, 0x03, 0x01]] {
        let mut stream = TcpStream::connect(("127.0.0.1", house.port)).await.expect("it listens");
        stream.write_all(hello).await.expect("it takes bytes");
        let mut answer = Vec::new();
        let end = tokio::time::timeout(HELLO * 10, stream.read_to_end(&mut answer)).await;
        assert!(end.is_ok(), "still there after {:?}", HELLO * 10);
    }
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_at_the_start() {
    let mut house = House::build(Plan::new()).await;
    let papers = Papers::issue(&house);
    let other = KeyPair::generate().expect("a key").serialize_pem();
    std::fs::write(&papers.key_file, other).expect("it writes");
    house.set("server.tls_cert", papers.chain_file.display().to_string());
    house.set("server.tls_key", papers.key_file.display().to_string());
    let (code, said) = house.refused().await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("the certificate and the key cannot be used"), "{said}");
}
