//! JSON Schema as far as our document uses it; a keyword that is not known here is a finding, so nothing stands in the
//! document that is not checked. Shared with `tests/suite`.

use serde_json::{Map, Value};

/// Keywords that say something to people and bind nobody.
const WORDS: [&str; 6] = ["description", "examples", "default", "writeOnly", "contentMediaType", "$comment"];

/// The schemas of a document.
pub struct Schemas<'a> {
    document: &'a Value,
}

impl<'a> Schemas<'a> {
    /// Those of this OpenAPI document.
    pub fn of(document: &'a Value) -> Self {
        Self { document }
    }

    /// What keeps `value` from being a `name`. Also a field that the schema does not name: readers may meet new fields,
    /// but what is answered today is described.
    pub fn findings(&self, name: &str, value: &Value) -> Vec<String> {
        let schema = serde_json::json!({"$ref": format!("#/components/schemas/{name}")});
        let mut found = Vec::new();
        self.check(&schema, value, name, &mut found);
        found
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        if let Some(place) = schema["$ref"].as_str() {
            let target = self.document.pointer(place.trim_start_matches('#'));
            return self.check(target.unwrap_or_else(|| panic!("no {place}")), value, at, found);
        }
        let Some(schema) = schema.as_object() else { return };
        for (keyword, rule) in schema {
            let broken = match keyword.as_str() {
                "type" => !is_type(rule, value),
                "enum" => !list(rule).contains(value),
                "const" => rule != value,
                "not" => self.fits(rule, value),
                "oneOf" => return self.one_of(rule, value, at, found),
                "anyOf" => !list(rule).iter().any(|rule| self.fits(rule, value)),
                "required" => !list(rule).iter().all(|name| has(value, name)),
                "minimum" => value.is_number() && value.as_f64() < rule.as_f64(),
                "maximum" => value.is_number() && value.as_f64() > rule.as_f64(),
                "maxLength" => length(value) > rule.as_u64(),
                "minLength" => length(value).is_some_and(|length| Some(length) < rule.as_u64()),
                "maxItems" => value.as_array().is_some_and(|items| Some(items.len() as u64) > rule.as_u64()),
                "format" => !is_format(rule, value),
                "properties" | "additionalProperties" | "items" => false,
                word => !WORDS.contains(&word) && !word.starts_with("x-"),
            };
            if broken {
                found.push(format!("{at}: {keyword} {rule}: {value}"));
            }
        }
        self.inside(schema, value, at, found);
    }

    fn inside(&self, schema: &Map<String, Value>, value: &Value, at: &str, found: &mut Vec<String>) {
        if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
            for (number, value) in values.iter().enumerate() {
                self.check(items, value, &format!("{at}/{number}"), found);
            }
        }
        let (Some(named), Some(fields)) = (schema.get("properties"), value.as_object()) else { return };
        for (name, value) in fields {
            let at = format!("{at}/{name}");
            match (named.get(name), schema.get("additionalProperties")) {
                (Some(rule), _) => self.check(rule, value, &at, found),
                (None, Some(Value::Bool(true))) => {}
                (None, Some(rule @ Value::Object(_))) => self.check(rule, value, &at, found),
                (None, _) => found.push(format!("{at}: is not described")),
            }
        }
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let mut found = Vec::new();
        self.check(schema, value, "", &mut found);
        found.is_empty()
    }

    /// Of several that do not fit, the findings of the nearest are told.
    fn one_of(&self, rules: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let each = list(rules).iter().map(|rule| {
            let mut found = Vec::new();
            self.check(rule, value, at, &mut found);
            found
        });
        let each: Vec<Vec<String>> = each.collect();
        match each.iter().filter(|found| found.is_empty()).count() {
            1 => {}
            0 => found.extend(each.into_iter().min_by_key(Vec::len).unwrap_or_default()),
            many => found.push(format!("{at}: fits {many} of the alternatives: {value}")),
        }
    }
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().map_or(&[], Vec::as_slice)
}

fn has(value: &Value, name: &Value) -> bool {
    value.as_object().is_none_or(|object| name.as_str().is_some_and(|name| object.contains_key(name)))
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn is_type(rule: &Value, value: &Value) -> bool {
    let is = |word: &Value| match word.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        other => panic!("no type {other:?}"),
    };
    if rule.is_array() { list(rule).iter().any(is) } else { is(rule) }
}

fn is_format(rule: &Value, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return true };
    match rule.as_str() {
        Some("date-time") => text.parse::<jiff::Timestamp>().is_ok(),
        Some("date") => text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10,
        Some("uri") => text.parse::<url::Url>().is_ok(),
        other => panic!("no format {other:?}"),
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let thing = serde_json::json!({
        "type": "object", "required": ["a"], "x-note": "free",
        "properties": {
            "a": {"type": ["integer", "null"], "minimum": 1},
            "b": {"oneOf": [{"const": "x"}, {"type": "array", "items": {"type": "string", "maxLength": 2}}]},
        },
    });
    let document = serde_json::json!({"components": {"schemas": {"Thing": thing, "Odd": {"multipleOf": 2}}}});
    let schemas = Schemas::of(&document);
    for good in [r#"{"a":1}"#, r#"{"a":null,"b":"x"}"#, r#"{"a":2,"b":["ab"]}"#] {
        let value = serde_json::from_str(good).expect("JSON");
        assert_eq!(schemas.findings("Thing", &value), Vec::<String>::new(), "{good}");
    }
    for bad in
        ["[]", "{}", r#"{"a":0}"#, r#"{"a":"1"}"#, r#"{"a":1,"c":1}"#, r#"{"a":1,"b":"y"}"#, r#"{"a":1,"b":["abc"]}"#]
    {
        let value = serde_json::from_str(bad).expect("JSON");
        assert_eq!(schemas.findings("Thing", &value).len(), 1, "{bad}");
    }
    assert_eq!(schemas.findings("Odd", &Value::from(1)).len(), 1, "an unknown keyword is a finding");
}
