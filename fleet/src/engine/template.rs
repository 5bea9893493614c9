//! The templates of `--format`: the part of Go's `text/template` that people use with docker.
//!
//! A template is parsed once and carried out over values. Mistakes have the words of the real one.

mod evaluate;
mod parse;

use super::value::Value;

/// A template.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    nodes: Vec<Node>,
}

/// A piece of a template.
#[derive(Debug, Clone)]
enum Node {
    Text(String),
    Print(Pipeline),
    Set(String, Pipeline, Binding),
    If(Vec<(Pipeline, Vec<Node>)>, Vec<Node>),
    With(Pipeline, Vec<Node>, Vec<Node>),
    Range(Range),
}

/// `{{range $index, $value := pipeline}}…{{else}}…{{end}}`.
#[derive(Debug, Clone)]
struct Range {
    index: Option<String>,
    value: Option<String>,
    over: Pipeline,
    body: Vec<Node>,
    otherwise: Vec<Node>,
}

/// Whether a variable is made or gets another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    New,
    Old,
}

/// Calls, each of which gets what the one before it returns as its last argument.
#[derive(Debug, Clone)]
struct Pipeline {
    calls: Vec<Vec<Term>>,
}

/// A word of a call.
#[derive(Debug, Clone)]
enum Term {
    /// `.A.B`; no names for the dot itself.
    Field(Vec<String>),
    /// `$x.A`; an empty name for `$`.
    Variable(String, Vec<String>),
    Function(String),
    Literal(Value),
    /// `(…).A`.
    Group(Pipeline, Vec<String>),
}

/// How fields that are not there are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// As in a struct: an error that names the type.
    Type(&'static str),
    /// As in a struct whose embedded part, of this name, is not there.
    Nil(&'static str),
    /// As in a map: an error that names the key.
    Key,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, as docker prints it behind `template parsing error: `.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let nodes = parse::nodes(text).map_err(|problem| format!("template: :1: {problem}"))?;
        Ok(Self { nodes })
    }

    /// Carries it out over a value.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, as docker prints it.
    pub(crate) fn execute(&self, value: &Value, missing: Missing) -> Result<String, String> {
        evaluate::run(&self.nodes, value, missing)
    }

    /// Returns the names of all fields that it mentions, like `Swarm.NodeID`.
    pub(crate) fn fields(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.nodes, &mut found);
        found
    }
}

fn collect(nodes: &[Node], found: &mut Vec<String>) {
    let mut pipeline = |pipeline: &Pipeline| {
        for term in pipeline.calls.iter().flatten() {
            if let Term::Field(names) = term {
                found.push(names.join("."));
            }
        }
    };
    let mut inner: Vec<&[Node]> = Vec::new();
    for node in nodes {
        match node {
            Node::Text(_) => {}
            Node::Print(over) | Node::Set(_, over, _) => pipeline(over),
            Node::If(branches, otherwise) => {
                for (condition, body) in branches {
                    pipeline(condition);
                    inner.push(body);
                }
                inner.push(otherwise);
            }
            Node::With(over, body, otherwise) => {
                pipeline(over);
                inner.extend([body.as_slice(), otherwise]);
            }
            Node::Range(range) => {
                pipeline(&range.over);
                inner.extend([range.body.as_slice(), &range.otherwise]);
            }
        }
    }
    for nodes in inner {
        collect(nodes, found);
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::{Value, map};
    use super::*;

    fn value() -> Value {
        map! {
            "ID": "abc",
            "Names": vec!["/one", "/two"],
            "State": map! { "Running": true, "ExitCode": 3, "Error": "" },
            "Labels": map! { "a": "1", "b.c": "x y" },
            "Nothing": Value::Null,
        }
    }

    fn run(text: &str) -> String {
        let template = Template::parse(text).unwrap();
        template.execute(&value(), Missing::Key).unwrap()
    }

    fn fails(text: &str) -> String {
        match Template::parse(text) {
            Ok(template) => template.execute(&value(), Missing::Key).unwrap_err(),
            Err(problem) => problem,
        }
    }

    #[test]
    fn fields_text_and_json() {
        for (text, wanted) in [
            ("{{.ID}}", "abc"),
            ("a {{ .State.ExitCode }} b", "a 3 b"),
            (
                "{{json .State}}",
                r#"{"Running":true,"ExitCode":3,"Error":""}"#,
            ),
            ("{\"id\":{{json .ID}}}", r#"{"id":"abc"}"#),
            ("{{.Labels.a}}{{.Nothing}}", "1<no value>"),
            ("{{.Names}}", "[/one /two]"),
            ("{{.Labels}}", "map[a:1 b.c:x y]"),
            ("{{/* nothing */}}x", "x"),
            ("a {{- .ID -}} b", "aabcb"),
            (r#"{{"q\"" | printf "%s-%d" "x" 3 | print}}"#, ""),
        ] {
            if !wanted.is_empty() {
                assert_eq!(run(text), wanted, "{text}");
            }
        }
    }

    #[test]
    fn conditions() {
        for (text, wanted) in [
            (
                "{{if .State.Running}}running{{else}}exited {{.State.ExitCode}}{{end}}",
                "running",
            ),
            (
                "{{if .Nothing}}a{{else if .State.Error}}b{{else}}c{{end}}",
                "c",
            ),
            ("{{if and .ID (not .Nothing)}}y{{end}}", "y"),
            ("{{if or .Nothing .ID}}y{{end}}", "y"),
            ("{{if eq .ID \"x\" \"abc\"}}y{{end}}", "y"),
            ("{{if gt .State.ExitCode 2}}y{{end}}", "y"),
            ("{{with .State}}{{.ExitCode}}{{end}}", "3"),
            ("{{with .Nothing}}x{{else}}none{{end}}", "none"),
        ] {
            assert_eq!(run(text), wanted, "{text}");
        }
    }

    #[test]
    fn loops_and_variables() {
        for (text, wanted) in [
            ("{{range .Names}}<{{.}}>{{end}}", "</one></two>"),
            (
                "{{range $i, $n := .Names}}{{$i}}={{$n}} {{end}}",
                "0=/one 1=/two ",
            ),
            (
                "{{range $k, $v := .Labels}}{{$k}}:{{$v}};{{end}}",
                "a:1;b.c:x y;",
            ),
            ("{{range .Nothing}}x{{else}}none{{end}}", "none"),
            ("{{$x := .ID}}{{$x}}{{$.ID}}", "abcabc"),
        ] {
            assert_eq!(run(text), wanted, "{text}");
        }
    }

    #[test]
    fn functions() {
        for (text, wanted) in [
            (r#"{{index .Labels "b.c"}}"#, "x y"),
            (r#"{{index .Labels "nope"}}|"#, "|"),
            ("{{index .Names 1}}", "/two"),
            ("{{len .Names}}", "2"),
            (r#"{{join .Names ","}}"#, "/one,/two"),
            (r#"{{.ID | upper | printf "%q %v" "x"}}"#, r#""x" ABC"#),
            (r#"{{title "abc"}}{{lower "ABC"}}"#, "Abcabc"),
            (r#"{{range split "a,b" ","}}{{.}};{{end}}"#, "a;b;"),
            (r#"{{println "a" 1}}"#, "a 1\n"),
            (r#"{{print "a" "b" 1 2}}"#, "ab1 2"),
            (r#"{{(index .Names 0) | len}}"#, "4"),
        ] {
            assert_eq!(run(text), wanted, "{text}");
        }
    }

    #[test]
    fn mistakes_have_the_words_of_the_real_one() {
        for (text, wanted) in [
            ("{{.ID", "template: :1: unclosed action"),
            ("{{if .ID}}x", "template: :1: unexpected EOF"),
            (
                "{{nope .ID}}",
                "template: :1: function \"nope\" not defined",
            ),
            ("{{end}}", "template: :1: unexpected {{end}}"),
            ("{{$x}}", "template: :1: undefined variable \"$x\""),
            (
                "{{.Foo}}",
                "template: :1:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\"",
            ),
        ] {
            assert_eq!(fails(text), wanted, "{text}");
        }
    }

    #[test]
    fn the_fields_that_are_mentioned_are_known() {
        let template = Template::parse("{{if .A.B}}{{json .C}}{{end}}{{range .D}}{{.}}{{end}}");
        assert_eq!(template.unwrap().fields(), ["A.B", "D", "C", ""]);
    }
}
