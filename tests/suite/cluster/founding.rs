//! Founding an installation whose journal is in Kafka.

use super::super::process::house::Plan;
use super::service::Broker;
use super::{init, on_kafka};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn init_founds_once_and_what_does_not_go_together_is_refused() {
    let broker = Broker::up("main").await;
    let mut house = on_kafka(Plan::new(), &broker).await;
    let code = house.spawn().exit_code(std::time::Duration::from_secs(30)).await;
    let said = house.node().said();
    assert!(code != 0 && said.contains("waybill cluster init"), "{code} {said}");

    let (code, first) = init(&house).await;
    assert_eq!(code, 0, "{first}");
    assert!(first.contains("with 8 partitions"), "{first}");
    assert_eq!(init(&house).await, (0, first), "a second time changes nothing");

    house.set("journal.partitions", 16);
    let (code, said) = init(&house).await;
    assert!(code != 0, "{said}");
    house.set("journal.partitions", 8);

    // Another installation on the same topic.
    let data = house.data();
    std::fs::rename(&data, house.folder().join("elsewhere")).expect("moved away");
    let (code, said) = init(&house).await;
    assert!(code != 0 && said.contains("vault"), "{code} {said}");
    std::fs::remove_dir_all(&data).expect("what it made of a folder");
    std::fs::rename(house.folder().join("elsewhere"), &data).expect("moved back");

    house.set("journal.kafka.replicas", 3);
    let code = house.spawn().exit_code(std::time::Duration::from_secs(30)).await;
    let said = house.node().said();
    assert!(code != 0 && said.contains("replicas"), "{code} {said}");
    house.set("journal.kafka.replicas", 1);

    house.start().await;
    house.stop().await;
    house.set("journal.kind", "embedded");
    let code = house.spawn().exit_code(std::time::Duration::from_secs(30)).await;
    let said = house.node().said();
    assert!(code != 0 && said.contains("journal.kind"), "{code} {said}");
}
