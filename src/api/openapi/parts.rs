//! Schemas that take in others by `$with`: fields that several have are written once, and each schema still says by
//! itself which fields there are.

use serde_json::{Map, Value};

/// All schemas, each with what it takes in.
pub(super) fn joined(kept: &Value) -> Value {
    let names = kept["schemas"].as_object().into_iter().flatten().map(|(name, _)| name);
    Value::Object(names.map(|name| (name.clone(), whole(kept, name))).collect::<Map<_, _>>())
}

fn whole(kept: &Value, name: &str) -> Value {
    let mut schema = [&kept["parts"][name], &kept["schemas"][name]].into_iter().find(|it| it.is_object()).cloned();
    let Some(object) = schema.as_mut().and_then(Value::as_object_mut) else {
        return Value::Null;
    };
    let taken = object.remove("$with");
    for other in taken.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if let Value::Object(other) = whole(kept, other) {
            take_in(object, other);
        }
    }
    schema.unwrap_or_default()
}

fn take_in(object: &mut Map<String, Value>, other: Map<String, Value>) {
    for (keyword, value) in other {
        match (object.get_mut(&keyword), value) {
            (Some(Value::Object(own)), Value::Object(more)) => {
                for (name, rule) in more {
                    own.entry(name).or_insert(rule);
                }
            }
            (Some(Value::Array(own)), Value::Array(more)) => own.extend(more),
            (Some(_), _) => {}
            (None, value) => drop(object.insert(keyword, value)),
        }
    }
}
