//! A broker of its own for a test, started and tormented by the scripts in `tests/services`.

use std::process::Command;

/// A running broker. It keeps running when this is dropped: `tests/services/down` ends it.
pub struct Broker {
    world: &'static str,
    /// `host:port`.
    pub address: String,
}

impl Broker {
    /// Starts the broker of this world, or finds it running.
    pub async fn up(world: &'static str) -> Self {
        let printed = script(world, vec!["up", "kafka"]).await;
        let address = printed.trim().strip_prefix("KAFKA_BROKERS=").expect("the address of a broker").to_owned();
        Self { world, address }
    }

    /// `kill`, `pause`, `resume` or `start`.
    pub async fn does(&self, action: &'static str) {
        script(self.world, vec!["node", "kafka", "1", action]).await;
    }
}

async fn script(world: &'static str, words: Vec<&'static str>) -> String {
    let run = move || {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/");
        let mut command = Command::new(format!("{path}{}", words[0]));
        command.args(&words[1..]).env("WAYBILL_SERVICES_WORLD", world).env("WAYBILL_SERVICES_FAST", "1");
        let done = command.output().expect("the scripts in tests/services can be run");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "tests/services/{} failed, these tests need it: {said}", words.join(" "));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    tokio::task::spawn_blocking(run).await.expect("a script that ends")
}
