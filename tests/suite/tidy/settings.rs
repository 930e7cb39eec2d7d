//! Settings: what an operator can write must reach somebody. A key that is read, checked and documented and then used
//! by nobody is a promise that nothing keeps.

use super::source::{Token, tokens};

/// The keys of a settings file with all its keys: `section.key`, or the last two parts of a deeper one.
pub fn keys(text: &str) -> Vec<[String; 2]> {
    let root: toml::Table = text.parse().expect("the default settings are TOML");
    let mut found = Vec::new();
    for (name, value) in &root {
        collect(name, value, &mut found);
    }
    found
}

fn collect(section: &str, value: &toml::Value, found: &mut Vec<[String; 2]>) {
    let Some(table) = value.as_table() else {
        return;
    };
    for (key, value) in table {
        match value.is_table() {
            true => collect(key, value, found),
            false => found.push([section.to_owned(), key.clone()]),
        }
    }
}

/// Keys that no file reads as `section.key`. What reads a section under another name is not found: name it like the
/// section, so that whoever searches for a setting finds its use.
pub fn unread(keys: &[[String; 2]], files: &[(String, String)]) -> Vec<String> {
    let files: Vec<Vec<Token>> =
        files.iter().filter(|(file, _)| may_read(file)).map(|(_, text)| tokens(text)).collect();
    let is_read = |key: &[String; 2]| files.iter().any(|tokens| reads(tokens, key));
    keys.iter()
        .filter(|key| !is_read(key))
        .map(|[section, key]| {
            format!(
                "config/waybill.toml: `{section}.{key}` is used by nobody: hand it to whoever keeps it, or remove it"
            )
        })
        .collect()
}

/// The product itself, but for the room that only reads and checks.
fn may_read(file: &str) -> bool {
    file.starts_with("src/") && !file.starts_with("src/config/") && !file.contains("/tests")
}

fn reads(tokens: &[Token], [section, key]: &[String; 2]) -> bool {
    tokens.windows(3).any(|three| three[0].text == *section && three[1].text == "." && three[2].text == *key)
}

#[test]
fn a_setting_that_nobody_reads_is_found() {
    let keys = keys("[vault]\nkey_file = \"\"\nkey_cache = \"60s\"\n[delivery.expiry]\nutility = \"24h\"\n");
    assert_eq!(keys.len(), 3);
    let files = |code: &str| vec![("src/node/start.rs".to_owned(), code.to_owned())];
    let good = "fn f() { a(settings.vault.key_file, s.vault\n.key_cache, delivery.expiry.utility) }";
    assert_eq!(unread(&keys, &files(good)), Vec::<String>::new());
    let bad = "// vault.key_file\nfn f() { a(\"vault.key_file\", settings.vault.key_files) }";
    assert_eq!(unread(&keys, &files(bad)).len(), 3);
    for elsewhere in ["src/config/cross.rs", "tests/suite/x.rs", "src/cli/tests/x.rs"] {
        assert_eq!(unread(&keys, &[(elsewhere.to_owned(), good.to_owned())]).len(), 3, "{elsewhere}");
    }
}
