//! Filling in templates that an instance's owner wrote: bounded in time and size, with nothing to reach beyond the values.

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use std::io::{self, Write};

/// The most bytes of a template.
pub(crate) const MAX_SOURCE: usize = 64 * 1024;
/// The most bytes that may come of one.
const MAX_OUTPUT: usize = 256 * 1024;
/// The steps that filling in may take.
const FUEL: u64 = 20_000;
/// The statements that templates may have. Others could pile up memory (`set`), or switch escaping off (`autoescape`).
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// What a text is for: markup is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Html,
    Plain,
}

/// Fills a template in.
///
/// # Errors
/// A sentence for whoever wrote it. It quotes nothing of the values.
pub(crate) fn render(source: &str, form: Form, values: &impl Serialize) -> Result<String, String> {
    if source.len() > MAX_SOURCE {
        return Err(format!("the template has more than {MAX_SOURCE} bytes"));
    }
    check_statements(source)?;
    // Without the built-in filters, tests and functions: some of them make much of little.
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(move |_| if form == Form::Html { AutoEscape::Html } else { AutoEscape::None });
    environment.add_filter("default", minijinja::filters::default);
    environment.add_filter("upper", minijinja::filters::upper);
    environment.add_filter("lower", minijinja::filters::lower);
    let words = |error: minijinja::Error| {
        let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
        format!("{}{line}", error.kind())
    };
    let template = environment.template_from_str(source).map_err(words)?;
    let mut out = Bounded(Vec::new());
    template.render_captured_to(values, &mut out).map_err(words)?;
    String::from_utf8(out.0).map_err(|_| "what came of the template is no text".to_owned())
}

fn check_statements(source: &str) -> Result<(), String> {
    // Texts can be multiplied, up to 100 MB at a time.
    let inside =
        |open: &str, close: &str| source.split(open).skip(1).any(|rest| rest.split(close).next().unwrap_or_default().contains('*'));
    if inside("{{", "}}") || inside("{%", "%}") {
        return Err("`*` is not allowed in expressions".to_owned());
    }
    for rest in source.split("{%").skip(1) {
        let rest = rest.trim_start_matches(['-', '+']).trim_start();
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !STATEMENTS.contains(&word.as_str()) {
            return Err(format!("the statement {:.20} is not allowed; there are {}", word, STATEMENTS.join(", ")));
        }
    }
    Ok(())
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.0.len() + part.len() > MAX_OUTPUT {
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn html(source: &str) -> Result<String, String> {
        render(source, Form::Html, &json!({"name": "<script>alert('x')</script>", "code": "123456", "list": [1, 2]}))
    }

    #[test]
    fn fault_114_values_are_escaped_in_markup_and_cannot_be_taken_as_safe() {
        assert_eq!(html("<b>{{name}}</b>").unwrap(), "<b>&lt;script&gt;alert(&#x27;x&#x27;)&lt;&#x2f;script&gt;</b>");
        for way in ["{{ name|safe }}", "{% autoescape false %}{{ name }}{% endautoescape %}", "{%- filter safe %}{{ name }}{% endfilter %}"]
        {
            assert!(html(way).is_err(), "{way}");
        }
        assert_eq!(render("{{ name }}", Form::Plain, &json!({"name": "a & b"})).unwrap(), "a & b");
        let twice = render("{{ a }}", Form::Plain, &json!({"a": "{{ b }}", "b": "x"})).unwrap();
        assert_eq!(twice, "{{ b }}", "what is filled in is not filled in again");
    }

    #[test]
    fn templates_have_conditions_loops_and_defaults() {
        assert_eq!(html("{% if code %}{{ code }}{% else %}none{% endif %}").unwrap(), "123456");
        assert_eq!(html("{%- for n in list -%}{{ n }},{%- endfor -%}").unwrap(), "1,2,");
        assert_eq!(html("<{{ nothing }}>").unwrap(), "<>");
        assert_eq!(html("{{ nothing|default('x')|upper }}").unwrap(), "X");
    }

    #[test]
    fn what_costs_too_much_or_reaches_out_is_refused() {
        let nested = "{% for a in code %}".repeat(8) + &"{% endfor %}".repeat(8);
        let long = "x".repeat(MAX_SOURCE + 1);
        for bad in [
            nested.as_str(),
            &long,
            "{% set a = 'x' %}",
            "{% include 'a' %}",
            "{% extends 'a' %}",
            "{% import 'a' as b %}",
            "{% macro a() %}{% endmacro %}",
            "{% raw %}{% endraw %}",
            "{{ range(1000000) }}",
            "{{ code",
            "{% if %}",
            "{{ ('x' * 60000) ~ ('x' * 60000) ~ ('x' * 60000) ~ ('x' * 60000) ~ ('x' * 60000) }}",
        ] {
            assert!(html(bad).is_err(), "{:.60}", bad);
        }
    }
}
