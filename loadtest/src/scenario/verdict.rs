//! Whether what must hold held. What could not be measured did not hold.

use super::file::{Across, VerdictSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A quantity, or why it could not be measured.
pub type Measured = Result<f64, String>;

/// The quantities of one round by name.
pub type Values = BTreeMap<String, Measured>;

/// What became of one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it says.
    pub name: String,
    /// What it is about, as it is computed.
    pub of: String,
    /// The value that counts; none if it could not be measured.
    pub value: Option<f64>,
    /// At most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// At least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Whether it holds.
    pub pass: bool,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Verdict {
    /// Judges all rounds: each must have been measured.
    pub(super) fn of(spec: &VerdictSpec, rounds: &[Values]) -> Self {
        let values: Result<Vec<f64>, String> = rounds.iter().map(|values| compute(spec, values)).collect();
        let value = values.and_then(|values| across(spec, values).ok_or_else(|| "there was no round".to_owned()));
        let VerdictSpec { name, at_most, at_least, .. } = spec.clone();
        let pass = value.as_ref().is_ok_and(|value| within(spec, *value));
        let (value, why) = match value {
            Ok(value) => (Some(value), None),
            Err(why) => (None, Some(why)),
        };
        Self { name, of: formula(spec), value, at_most, at_least, pass, why }
    }
}

/// `(value - minus) / over` of one round.
fn compute(spec: &VerdictSpec, values: &Values) -> Measured {
    let get = |name: &String| match values.get(name) {
        Some(Ok(value)) if value.is_finite() => Ok(*value),
        Some(Ok(value)) => Err(format!("{name} is {value}")),
        Some(Err(why)) => Err(format!("{name}: {why}")),
        None => Err(format!("{name} was not measured")),
    };
    let difference = get(&spec.value)? - spec.minus.as_ref().map(get).transpose()?.unwrap_or(0.0);
    match spec.over.as_ref().map(|name| (name, get(name))) {
        None => Ok(difference),
        Some((_, Err(why))) => Err(why),
        Some((name, Ok(0.0))) => Err(format!("{name} is 0, and nothing can be divided by it")),
        Some((_, Ok(over))) => Ok(difference / over),
    }
}

fn within(spec: &VerdictSpec, value: f64) -> bool {
    // A value that is no number is neither below nor above anything, so it is within nothing.
    spec.at_most.is_none_or(|most| value <= most) && spec.at_least.is_none_or(|least| value >= least) && !value.is_nan()
}

/// How far beyond its limits, below 0 if within.
fn beyond(spec: &VerdictSpec, value: f64) -> f64 {
    let above = spec.at_most.map_or(f64::NEG_INFINITY, |most| value - most);
    let below = spec.at_least.map_or(f64::NEG_INFINITY, |least| least - value);
    above.max(below)
}

fn across(spec: &VerdictSpec, mut values: Vec<f64>) -> Option<f64> {
    match spec.across {
        Across::Worst => values.into_iter().max_by(|a, b| beyond(spec, *a).total_cmp(&beyond(spec, *b))),
        Across::Median => {
            values.sort_by(f64::total_cmp);
            let middle = values.len() / 2;
            match values.len() {
                0 => None,
                len if len % 2 == 1 => Some(values[middle]),
                _ => Some(f64::midpoint(values[middle - 1], values[middle])),
            }
        }
    }
}

fn formula(spec: &VerdictSpec) -> String {
    let upper = match (&spec.minus, &spec.over) {
        (None, _) => spec.value.clone(),
        (Some(minus), None) => format!("{} - {minus}", spec.value),
        (Some(minus), Some(_)) => format!("({} - {minus})", spec.value),
    };
    spec.over.as_ref().map_or(upper.clone(), |over| format!("{upper} / {over}"))
}

/// A number as people read it: counts without digits behind the point, small ones with two or three.
pub(super) fn shown(value: f64) -> String {
    match value.abs() {
        small if small < 10.0 && small.fract() != 0.0 => format!("{value:.3}"),
        middle if middle < 1_000.0 && middle.fract() != 0.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, of, value, at_most, at_least, pass, why } = self;
        let value = value.map_or_else(|| "not measured".to_owned(), shown);
        let limits = [("at least", at_least), ("at most", at_most)];
        let limits =
            limits.into_iter().filter_map(|(word, limit)| limit.map(|limit| format!("{word} {}", shown(limit))));
        let limits = limits.collect::<Vec<_>>().join(", ");
        let word = if *pass { "holds" } else { "FAILS" };
        write!(f, "  {word}  {name:<44} {value:>14}  {limits:<34} {of}")?;
        why.iter().try_for_each(|why| write!(f, "\n         {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Across, Values, Verdict, VerdictSpec, shown};

    fn values(all: &[(&str, Result<f64, &str>)]) -> Values {
        all.iter().map(|(name, value)| ((*name).to_owned(), value.map_err(str::to_owned))).collect()
    }

    fn spec(value: &str, minus: Option<&str>, over: Option<&str>) -> VerdictSpec {
        VerdictSpec {
            name: "n".into(),
            value: value.into(),
            minus: minus.map(Into::into),
            over: over.map(Into::into),
            at_most: Some(1.2),
            at_least: None,
            across: Across::Worst,
        }
    }

    #[test]
    fn a_limit_is_inclusive_and_the_arithmetic_is_one_difference_and_one_ratio() {
        let round = values(&[("a", Ok(7.0)), ("b", Ok(1.0)), ("c", Ok(5.0))]);
        let verdict = Verdict::of(&spec("a", Some("b"), Some("c")), std::slice::from_ref(&round));
        assert_eq!((verdict.value, verdict.pass, verdict.of.as_str()), (Some(1.2), true, "(a - b) / c"));
        assert!(!Verdict::of(&spec("a", None, Some("c")), std::slice::from_ref(&round)).pass);
        let least = VerdictSpec { at_most: None, at_least: Some(7.0), ..spec("a", None, None) };
        assert!(Verdict::of(&least, std::slice::from_ref(&round)).pass);
        assert!(!Verdict::of(&VerdictSpec { at_least: Some(7.1), ..least }, &[round]).pass);
    }

    #[test]
    fn what_was_not_measured_fails_and_says_why() {
        let round = values(&[("a", Ok(1.0)), ("none", Err("nobody looked")), ("zero", Ok(0.0)), ("nan", Ok(f64::NAN))]);
        let cases = [
            (spec("none", None, None), "none: nobody looked"),
            (spec("a", Some("none"), None), "none: nobody looked"),
            (spec("a", None, Some("none")), "none: nobody looked"),
            (spec("a", None, Some("zero")), "zero is 0, and nothing can be divided by it"),
            (spec("gone", None, None), "gone was not measured"),
            (spec("nan", None, None), "nan is NaN"),
        ];
        for (spec, why) in cases {
            let verdict = Verdict::of(&spec, std::slice::from_ref(&round));
            assert_eq!((verdict.pass, verdict.value, verdict.why.as_deref()), (false, None, Some(why)));
            assert!(verdict.to_string().contains("FAILS") && verdict.to_string().contains("not measured"), "{verdict}");
        }
        assert!(!Verdict::of(&spec("a", None, None), &[]).pass, "no round is no pass");
        let half = [values(&[("a", Ok(1.0))]), values(&[("a", Err("it died"))])];
        assert!(!Verdict::of(&spec("a", None, None), &half).pass, "each round must have been measured");
    }

    #[test]
    fn the_worst_round_counts_and_the_middle_one_where_it_is_asked_for() {
        let rounds = [1.0, 1.1, 4.0].map(|a| values(&[("a", Ok(a))]));
        assert_eq!(Verdict::of(&spec("a", None, None), &rounds).value, Some(4.0));
        let least = VerdictSpec { at_most: None, at_least: Some(1.05), ..spec("a", None, None) };
        assert_eq!(Verdict::of(&least, &rounds).value, Some(1.0), "worst is lowest where low is bad");
        let middle = VerdictSpec { across: Across::Median, ..spec("a", None, None) };
        let verdict = Verdict::of(&middle, &rounds);
        assert_eq!((verdict.value, verdict.pass), (Some(1.1), true));
        assert_eq!(Verdict::of(&middle, &rounds[1..]).value, Some(2.55));
    }

    #[test]
    fn numbers_are_shown_as_people_read_them() {
        assert_eq!([0.0, 1.25, 12.34, 1234.5, 300.0].map(shown), ["0", "1.250", "12.34", "1234", "300"]);
    }
}
