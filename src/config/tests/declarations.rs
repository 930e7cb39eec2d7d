//! Documents of `waybill apply`: what they declare, and every class of mistake in them.

use super::lines;
use crate::config::{Channel, Declaration, EventPattern, Name, Role, SecretRef};

fn parse(text: &str) -> Result<Declaration, crate::config::Mistakes> {
    Declaration::parse(text, "t.toml")
}

const SESSION: &str = "[[session]]\ntenant = \"a\"\nname = \"s\"\nphone_number_id = \"1\"\ntoken = \"env:T\"\n";

#[test]
fn a_full_record_of_each_kind() {
    let text = "
[[tenant]]
name = \"acme\"
display_name = \"Acme\"
per_second = 10
burst = 20
require_opt_in = false
require_window = true
quiet_hours = \"21:00-08:00 Europe/Berlin\"
[[portfolio]]
name = \"group\"
people_per_day = 2000
[[session]]
tenant = \"acme\"
name = \"orders\"
channel = \"whatsapp\"
phone_number_id = \"100000000000001\"
waba_id = \"2\"
app_id = \"3\"
portfolio = \"group\"
token = \"file:/run/token\"
test = true
number_per_second = 5
[[endpoint]]
tenant = \"acme\"
name = \"shop\"
url = \"https://shop.example/hook\"
secret = \"literal:whsec_AAAA\"
events = [\"message.*\", \"message.failed\"]
[[key]]
tenant = \"acme\"
name = \"audit\"
role = \"auditor\"
";
    let d = parse(text).expect("a good document");
    let name = |text| Name::parse(text).expect("a name");
    let (tenant, session, endpoint, key) = (&d.tenant[0], &d.session[0], &d.endpoint[0], &d.key[0]);
    assert_eq!((&tenant.name, tenant.display_name.as_deref()), (&name("acme"), Some("Acme")));
    assert_eq!((tenant.per_second, tenant.burst), (Some(10), Some(20)));
    assert_eq!((tenant.require_opt_in, tenant.require_window), (Some(false), Some(true)));
    assert_eq!(tenant.quiet_hours.as_ref().map(ToString::to_string).as_deref(), Some("21:00-08:00 Europe/Berlin"));
    assert_eq!((&session.tenant, &session.name, session.channel), (&name("acme"), &name("orders"), Channel::Whatsapp));
    assert_eq!((session.phone_number_id.as_str(), session.waba_id.as_deref()), ("100000000000001", Some("2")));
    assert_eq!((&d.portfolio[0].name, d.portfolio[0].people_per_day), (&name("group"), Some(2_000)));
    assert_eq!((session.app_id.as_deref(), session.portfolio.as_ref()), (Some("3"), Some(&name("group"))));
    assert_eq!(session.token, SecretRef::File("/run/token".into()));
    assert_eq!((session.test, session.number_per_second), (true, Some(5)));
    assert_eq!((endpoint.url.as_str(), endpoint.events.len()), ("https://shop.example/hook", 2));
    assert!(endpoint.secret.is_some());
    assert_eq!((&key.name, key.role), (&name("audit"), Role::Auditor));
}

#[test]
fn what_may_be_left_out_has_its_default() {
    let text = format!(
        "[[tenant]]\nname = \"a\"\n{SESSION}[[endpoint]]\ntenant = \"a\"\nname = \"e\"\nurl = \"https://e.example\"\n"
    );
    let d = parse(&text).expect("a good document");
    assert_eq!((&d.tenant[0].display_name, d.tenant[0].per_second, d.tenant[0].burst), (&None, None, None));
    assert_eq!((d.tenant[0].require_opt_in, d.tenant[0].require_window), (None, None));
    assert_eq!((d.session[0].channel, d.session[0].test, &d.session[0].waba_id), (Channel::Whatsapp, false, &None));
    assert_eq!((&d.endpoint[0].secret, &d.endpoint[0].events), (&None, &vec![EventPattern::all()]));
    assert!(d.key.is_empty());
    let empty = parse("").expect("an empty document is good");
    assert!(empty.tenant.is_empty() && empty.session.is_empty());
}

#[test]
fn a_tenant_need_not_stand_in_the_same_document() {
    assert_eq!(lines(parse(SESSION)), Vec::<String>::new());
}

#[test]
fn every_mistake_has_its_line_and_key() {
    let cases = [
        (
            "[[tenant]]\nname = \"Acme\"",
            "t.toml:2:8 tenant[0].name: expected a name such as \"acme-shop\", found the string \"Acme\". Use 1 to 63",
        ),
        (
            "[[tenant]]\ndisplay_name = \"x\"",
            "t.toml:1:1 tenant[0].name: the key is missing: a name such as \"acme-shop\". Add name = … here.",
        ),
        (
            "[[tenant]]\nname = \"a\"\nper_second = 0",
            "t.toml:3:14 tenant[0].per_second: 0 is out of range. Choose from 1 to 100000.",
        ),
        ("[[tenant]]\nname = \"a\"\nper_second = \"\"", "t.toml:3:14 tenant[0].per_second: expected a whole number"),
        (
            "[[tenant]]\nname = \"a\"\nbrust = 1",
            "t.toml:3:1 tenant[0].brust: unknown key \"brust\". The nearest key is burst.",
        ),
        (
            "[tenant]\nname = \"a\"",
            "t.toml:1:1 tenant: expected a list, each element a table, found a table. Write its header in double brackets",
        ),
        ("[[tenants]]\nname = \"a\"", "t.toml:1:3 tenants: unknown key \"tenants\". The nearest key is tenant."),
        (
            "[[key]]\ntenant = \"a\"\nname = \"k\"\nrole = \"root\"",
            "t.toml:4:8 key[0].role: expected one of \"sender\", \"auditor\", \"admin\", found the string \"root\". ",
        ),
        ("[[tenant]\nname = \"a\"", "t.toml:1:10: this is not TOML: "),
    ];
    for (text, expected) in cases {
        let found = lines(parse(text));
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "in {text:?}\nexpected {expected}\nfound {found:#?}"
        );
    }
}

#[test]
fn every_key_of_a_session_and_an_endpoint_is_judged() {
    let endpoint = "[[endpoint]]\ntenant = \"a\"\nname = \"e\"\n";
    let cases = [
        (
            SESSION.replace("\"1\"", "1"),
            "t.toml:4:19 session[0].phone_number_id: expected a string, found the integer 1. Put the value in double quotes.",
        ),
        (SESSION.replace("\"1\"", "\"+49\""), "t.toml:4:19 session[0].phone_number_id: \"+49\" is not an id of Meta. "),
        (
            SESSION.replace("env:T", "EAAB"),
            "t.toml:5:9 session[0].token: expected a reference to a secret: \"env:NAME\" or \"file:/path\", found a string. ",
        ),
        (
            format!("{SESSION}channel = \"sms\""),
            "t.toml:6:11 session[0].channel: expected one of \"whatsapp\", found the string \"sms\". ",
        ),
        (
            format!("{SESSION}number_per_second = 1001"),
            "t.toml:6:21 session[0].number_per_second: 1001 is out of range. Choose from 1 to 1000.",
        ),
        (format!("{SESSION}test = 1"), "t.toml:6:8 session[0].test: expected true or false, found the integer 1. "),
        (format!("{endpoint}url = \"shop\""), "t.toml:4:7 endpoint[0].url: expected an absolute URL"),
        (
            format!("{endpoint}url = \"https://u:p@shop.example\""),
            "t.toml:4:7 endpoint[0].url: the URL carries a user name or a password. ",
        ),
        (
            format!("{endpoint}url = \"https://a.example\"\nsecret = \"literal:abc\""),
            "t.toml:5:10 endpoint[0].secret: the signing secret does not begin with whsec_. ",
        ),
        (
            format!("{endpoint}url = \"https://a.example\"\nevents = []"),
            "t.toml:5:10 endpoint[0].events: the list has 0 elements. Give 1 to 64.",
        ),
        (
            format!("{endpoint}url = \"https://a.example\"\nevents = [\"*\", \"message.delivred\"]"),
            "t.toml:5:10 endpoint[0].events: element 1: no event is called \"message.delivred\". Did you mean \"message.delivered\"?",
        ),
        (
            format!("{endpoint}url = \"https://a.example\"\nevents = [\"massage.*\"]"),
            "t.toml:5:10 endpoint[0].events: element 0: no event is called \"massage.*\". Did you mean \"message.*\"?",
        ),
        (
            format!("{endpoint}url = \"https://a.example\"\nevents = [\"*\", \"a.*.b\"]"),
            "t.toml:5:16 endpoint[0].events[1]: expected a pattern of event types",
        ),
    ];
    for (text, expected) in cases {
        let found = lines(parse(&text));
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "in {text:?}\nexpected {expected}\nfound {found:#?}"
        );
    }
}

#[test]
fn duplicates_name_the_line_of_the_first() {
    let cases = [
        (
            "[[tenant]]\nname = \"a\"\n[[tenant]]\nname = \"a\"".to_owned(),
            "t.toml:4:8 tenant[1].name: another tenant with this name already stands in line 2. ",
        ),
        (
            format!("{SESSION}{}", SESSION.replace("\"1\"", "\"2\"")),
            "t.toml:8:8 session[1].name: another session with this tenant and name already stands in line 3. ",
        ),
        (
            format!("{SESSION}{}", SESSION.replace("\"s\"", "\"s2\"")),
            "t.toml:9:19 session[1].phone_number_id: another session with this phone_number_id already stands in line 4. ",
        ),
        (
            "[[key]]\ntenant = \"a\"\nname = \"k\"\nrole = \"admin\"\n".repeat(2),
            "t.toml:7:8 key[1].name: another key with this tenant and name already stands in line 3. ",
        ),
        (
            "[[endpoint]]\ntenant = \"a\"\nname = \"e\"\nurl = \"https://e.example\"\n".repeat(2),
            "t.toml:7:8 endpoint[1].name: another endpoint with",
        ),
    ];
    for (text, expected) in cases {
        let found = lines(parse(&text));
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "in {text:?}\nexpected {expected}\nfound {found:#?}"
        );
    }
    let other_tenant = SESSION.replace("\"a\"", "\"b\"").replace("\"1\"", "\"2\"");
    assert_eq!(lines(parse(&format!("{SESSION}{other_tenant}"))), Vec::<String>::new(), "names are unique per tenant");
}

#[test]
fn all_mistakes_come_at_once_duplicates_of_faulty_records_too() {
    let text = "[[tenant]]\nname = \"a\"\n[[tenant]]\nname = \"a\"\nburst = 0\n[[session]]\nname = \"S\"\n";
    let found = lines(parse(text));
    let starts: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap_or("")).collect();
    let expected = [
        "t.toml:4:8 tenant[1].name",
        "t.toml:5:9 tenant[1].burst",
        "t.toml:6:1 session[0].phone_number_id",
        "t.toml:6:1 session[0].tenant",
        "t.toml:6:1 session[0].token",
        "t.toml:7:8 session[0].name",
    ];
    assert_eq!(starts, expected, "{found:#?}");
}

#[test]
fn names_and_patterns_have_their_forms() {
    let longest = "a".repeat(63);
    for good in ["a", "0", "acme-shop", "a-", longest.as_str()] {
        assert!(Name::parse(good).is_some(), "{good}");
    }
    for bad in ["", "-a", "A", "a_b", "a.b", "ä", &"a".repeat(64)] {
        assert!(Name::parse(bad).is_none(), "{bad}");
    }
    for bad in ["", ".", "a.", ".a", "a*", "*.a", "A.b", "a..b", "**"] {
        assert!(EventPattern::parse(bad).is_none(), "{bad}");
    }
    let matches = |pattern: &str, kind: &str| EventPattern::parse(pattern).expect("a pattern").matches(kind);
    assert!(
        matches("*", "message.sent") && matches("message.*", "message.sent") && matches("message.sent", "message.sent")
    );
    assert!(
        !matches("message.*", "message")
            && !matches("message.*", "messages.sent")
            && !matches("message.sent", "message.sent_late")
    );
}
