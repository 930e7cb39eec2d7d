//! A broker and a database of its own for a test, started and tormented by the scripts in `tests/services`.

#[path = "../../services/script.rs"]
mod services;

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

/// A running Cassandra, as the above.
pub struct Database {
    world: &'static str,
    /// `host:port`.
    pub address: String,
}

impl Database {
    /// Starts the database of this world, or finds it running.
    pub async fn up(world: &'static str) -> Self {
        let printed = script(world, vec!["up", "cassandra"]).await;
        let address = printed.trim().strip_prefix("SCYLLA_NODES=").expect("the address of a node").to_owned();
        Self { world, address }
    }

    /// `kill`, `pause`, `resume` or `start`.
    pub async fn does(&self, action: &'static str) {
        script(self.world, vec!["node", "cassandra", "1", action]).await;
    }
}

async fn script(world: &'static str, words: Vec<&'static str>) -> String {
    let run = move || services::script(world, &words);
    tokio::task::spawn_blocking(run).await.expect("a script that ends")
}
