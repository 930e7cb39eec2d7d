//! Precedence: defaults, then the file, then the environment, key by key.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::{lines, read};
use crate::config::{LogFormat, Settings};

#[test]
fn the_file_goes_over_the_defaults_and_the_environment_over_both() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\nmax_in_flight = 7\n[delivery.expiry]\nutility = \"1h\"";
    let s = read(file, &[("WAYBILL_SERVER__LISTEN", "127.0.0.1:2")]).expect("good settings");
    assert_eq!(s.server.listen.port(), 2, "environment over file");
    assert_eq!(s.server.max_in_flight, 7, "file over defaults");
    assert_eq!(s.delivery.expiry.utility, Duration::from_secs(3600), "file over defaults, one level deeper");
    assert_eq!(s.delivery.expiry.marketing, Duration::from_secs(259_200), "its neighbour keeps its default");
    assert_eq!(s.server.header_timeout, Duration::from_secs(10));
}

#[test]
fn a_variable_is_read_as_the_kind_of_its_key() {
    let s = read(
        "",
        &[
            ("WAYBILL_DELIVERY__EXPIRY__UTILITY", "2h"),
            ("WAYBILL_JOURNAL__PARTITIONS", "128"),
            ("WAYBILL_WEBHOOKS__ALLOW_PRIVATE", "true"),
            ("WAYBILL_WEBHOOKS__JITTER", "0.5"),
            ("WAYBILL_WEBHOOKS__SCHEDULE", "1s, 2s,3s"),
            ("WAYBILL_WEBHOOKS__ALLOWED_PORTS", "[ 443, 9000 ]"),
            ("WAYBILL_TELEMETRY__LOG_FORMAT", "json"),
            ("WAYBILL_META__APP_SECRETS", "env:A,file:/b"),
            ("WAYBILL_SERVER__ADMIN_LISTEN", "[::1]:9090"),
        ],
    )
    .expect("good settings");
    assert_eq!(s.delivery.expiry.utility, Duration::from_secs(7200));
    assert_eq!((s.journal.partitions, s.webhooks.allow_private, s.webhooks.jitter), (128, true, 0.5));
    assert_eq!(s.webhooks.schedule, [1, 2, 3].map(Duration::from_secs));
    assert_eq!(s.webhooks.allowed_ports, [443, 9000]);
    assert_eq!(s.telemetry.log_format, LogFormat::Json);
    assert_eq!(s.meta.app_secrets.len(), 2);
    assert_eq!(s.server.admin_listen.map(|a| a.port()), Some(9090));
}

#[test]
fn a_variable_can_empty_what_the_file_set() {
    let file = "[meta]\nverify_token = \"env:TOKEN\"\napp_secrets = [\"env:A\"]";
    let s =
        read(file, &[("WAYBILL_META__VERIFY_TOKEN", ""), ("WAYBILL_META__APP_SECRETS", "")]).expect("good settings");
    assert!(s.meta.verify_token.is_none() && s.meta.app_secrets.is_empty());
}

#[test]
fn variables_that_are_no_settings_are_left_alone() {
    let strangers = [
        ("PATH", "/bin"),
        ("WAYBILL_PORT", "tcp://10.0.0.1:80"),
        ("WAYBILL_SERVICE_HOST", "10.0.0.1"),
        ("OTHER__KEY", "1"),
    ];
    assert_eq!(read("", &strangers), Ok(Settings::defaults()));
}

#[test]
fn a_file_is_read_from_disk() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"[server]\nmax_in_flight = 9\n").expect("written");
    let s = Settings::load(Some(file.path()), std::iter::empty()).expect("good settings");
    assert_eq!(s.server.max_in_flight, 9);
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake_beside_those_of_the_environment() {
    let env = [("WAYBILL_JOURNAL__PARTITIONS".to_owned(), "0".to_owned())];
    let missing = lines(Settings::load(Some(Path::new("/no/such/waybill.toml")), env.into_iter()));
    assert_eq!(missing[0], "/no/such/waybill.toml: the file does not exist. Check the path, or create the file.");
    assert_eq!(missing[1], "WAYBILL_JOURNAL__PARTITIONS journal.partitions: 0 is out of range. Choose from 1 to 1024.");
    let folder = tempfile::tempdir().expect("a folder");
    let found = lines(Settings::load(Some(folder.path()), std::iter::empty()));
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("the file cannot be read: "), "{}", found[0]);
}

#[test]
fn a_file_that_is_not_text_says_where() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"[server]\n# caf\xe9\n").expect("written");
    let path = file.path().display().to_string();
    let found = lines(Settings::load(Some(file.path()), std::iter::empty()));
    assert_eq!(found, [format!("{path}:2:6: the file is not UTF-8 text. Save it as UTF-8.")]);
}

#[test]
fn a_file_beyond_the_bound_is_refused() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    file.as_file().set_len(crate::config::source::LARGEST_FILE + 1).expect("a sparse file");
    let found = lines(Settings::load(Some(file.path()), std::iter::empty()));
    assert!(found[0].contains("the file is larger than 16 MiB"), "{}", found[0]);
}
