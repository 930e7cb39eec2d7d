//! Sizes: what does not fit on a few screens is not understood by its next reader.

use super::source::{Token, tokens};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 70;

/// `(file, function or "" for the file itself, lines allowed, why it cannot be parted)`. Empty is the aim.
const EXCEPTIONS: &[(&str, &str, usize, &str)] = &[];

fn limit(file: &str, function: &str, usual: usize) -> usize {
    let mut exceptions = EXCEPTIONS.iter();
    let found = exceptions.find(|(f, name, ..)| *f == file && *name == function);
    found.map_or(usual, |(_, _, limit, _)| *limit)
}

/// Files and functions above their limit.
pub fn too_long(file: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let (lines, most) = (text.lines().count(), limit(file, "", LONGEST_FILE));
    if lines > most {
        findings.push(format!("{file}: {lines} lines, at most {most}: part it by subject"));
    }
    for function in functions(&tokens(text)) {
        let most = limit(file, &function.name, LONGEST_FUNCTION);
        if function.lines > most {
            let Function { name, line, lines } = function;
            findings.push(format!("{file}:{line}: fn {name}: {lines} lines, at most {most}: name its steps"));
        }
    }
    findings
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

fn functions(tokens: &[Token]) -> Vec<Function> {
    let named = (0..tokens.len().saturating_sub(1)).filter(|at| {
        let name = &tokens[at + 1].text;
        tokens[*at].text == "fn" && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
    });
    named
        .filter_map(|at| {
            let (line, last) = (tokens[at].line, last_line(&tokens[at..])?);
            Some(Function { name: tokens[at + 1].text.clone(), line, lines: last - line + 1 })
        })
        .collect()
}

/// The line of the closing brace of the function that begins here; `None` for one without a body.
fn last_line(tokens: &[Token]) -> Option<usize> {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for token in tokens {
        match token.text.as_str() {
            "(" | "[" => brackets += 1,
            ")" | "]" => brackets = brackets.saturating_sub(1),
            "{" => braces += 1,
            "}" if braces <= 1 => return Some(token.line),
            "}" => braces -= 1,
            ";" if braces == 0 && brackets == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn what_is_too_long_is_found() {
    let file = "//! x\n".repeat(LONGEST_FILE + 1);
    assert_eq!(too_long("src/x.rs", &file).len(), 1);
    let body = "    let a = [0; 4];\n".repeat(LONGEST_FUNCTION - 1);
    let function = format!("trait T {{ fn a(x: [u8; 4]); }}\nfn long(f: fn(u8)) {{\n{body}}}\n");
    let findings = too_long("src/x.rs", &function);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with("src/x.rs:2: fn long: 71 lines"), "{findings:?}");
}

#[test]
fn the_limit_itself_is_allowed() {
    let file = "//! x\n".repeat(LONGEST_FILE);
    assert_eq!(too_long("src/x.rs", &file), Vec::<String>::new());
    let function = format!("fn f() {{\n{}}}\n", "    a(\"}\");\n".repeat(LONGEST_FUNCTION - 2));
    assert_eq!(too_long("src/x.rs", &function), Vec::<String>::new());
}
