//! The plain part of a mail whose markup is an instance's own: the same words without tags, and where its links lead.

/// What begins on a line of its own.
const BLOCKS: [&str; 22] = [
    "address",
    "article",
    "blockquote",
    "br",
    "div",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "ol",
    "p",
    "section",
    "table",
    "tr",
    "ul",
    "body",
];
/// What has an empty line around it.
const PARAGRAPHS: [&str; 11] = ["blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "table", "ul"];
/// What nobody reads.
const UNSEEN: [&str; 4] = ["head", "script", "style", "title"];

/// The text of markup.
pub(super) fn text_of(html: &str) -> String {
    let (mut out, mut rest) = (Text::default(), html);
    let mut link: Option<(String, usize)> = None;
    while let Some((before, after)) = rest.split_once('<') {
        out.words(before);
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |it| it.1);
            continue;
        }
        if !after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            out.words("<");
            rest = after;
            continue;
        }
        let (tag, following) = after.split_at(tag_end(after));
        rest = following.strip_prefix('>').unwrap_or(following);
        let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        if UNSEEN.contains(&name.as_str()) && !tag.starts_with('/') && !tag.ends_with('/') {
            rest = after_end_of(rest, &name);
        } else if name == "a" && !tag.starts_with('/') {
            link = href(tag).map(|to| (to, out.0.len()));
        } else if name == "a" {
            if let Some((to, from)) = link.take().filter(|(to, from)| !out.0[*from..].contains(to.as_str())) {
                let named = !out.0[from..].trim().is_empty();
                out.words(&if named { format!(" ({to})") } else { to });
            }
        } else if BLOCKS.contains(&name.as_str()) {
            out.line(if PARAGRAPHS.contains(&name.as_str()) { 2 } else { 1 });
        }
    }
    out.words(rest);
    let lines: Vec<&str> = out.0.trim().lines().map(str::trim_end).collect();
    if lines.iter().all(|line| line.is_empty()) { String::new() } else { lines.join("\n") + "\n" }
}

/// Where a tag ends: `>` may stand in the values of its attributes.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, b) in tag.bytes().enumerate() {
        match (quote, b) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') => quote = Some(b),
            (Some(open), b) if open == b => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// What follows on the end of an element of which nothing is seen.
fn after_end_of<'t>(text: &'t str, name: &str) -> &'t str {
    let lower = text.to_ascii_lowercase();
    let Some(at) = lower.find(&format!("</{name}")) else { return "" };
    text[at..].split_once('>').map_or("", |it| it.1)
}

/// Where a link leads, if it leads to a page.
fn href(tag: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let value = tag[lower.find("href=")? + 5..].trim_start();
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split_whitespace().next()?,
    };
    Some(decoded(value)).filter(|to| to.starts_with("http://") || to.starts_with("https://"))
}

#[derive(Default)]
struct Text(String);

impl Text {
    /// Words, with one space for any between them.
    fn words(&mut self, text: &str) {
        for c in decoded(text).chars() {
            let fresh = self.0.is_empty() || self.0.ends_with(['\n', ' ']);
            match c {
                c if c.is_whitespace() && fresh => {}
                c if c.is_whitespace() => self.0.push(' '),
                c => self.0.push(c),
            }
        }
    }

    /// Begins a line, after so many ends of lines at most.
    fn line(&mut self, most: usize) {
        while self.0.ends_with(' ') {
            self.0.pop();
        }
        let there = self.0.len() - self.0.trim_end_matches('\n').len();
        if !self.0.is_empty() {
            (there..most).for_each(|_| self.0.push('\n'));
        }
    }
}

/// A text with its references to characters resolved, as far as templates and our own escaping have them.
fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let named = after.split_once(';').filter(|(name, _)| name.len() <= 10).and_then(|(name, rest)| Some((character(name)?, rest)));
        match named {
            Some((c, following)) => {
                out.push(c);
                rest = following;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out + rest
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let code = hex.map_or_else(|| number.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok());
        return code.and_then(char::from_u32);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "copy" => '\u{a9}',
        "ndash" => '\u{2013}',
        "mdash" => '\u{2014}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_markup_are_read_line_by_line() {
        for (html, text) in [
            ("", ""),
            ("<p> </p>", ""),
            ("just words", "just words\n"),
            ("<h1>Hi</h1><p>Your   code\n is <b>12</b>3</p>", "Hi\n\nYour code is 123\n"),
            ("<!doctype html><html><head><title>T</title><style>p{}</style></head><body><p>x</p></body></html>", "x\n"),
            ("a<br>b<br/>c<script>if (1 < 2) {}</script>", "a\nb\nc\n"),
            ("<ul><li>one<li>two</ul>end", "one\ntwo\n\nend\n"),
            ("<!-- <p>no</p> -->yes", "yes\n"),
            ("a &amp; b &lt;c&gt; &#x2f; &#39;q&#39; &nothing; &", "a & b <c> / 'q' &nothing; &\n"),
            ("1 < 2 <i title=\"a > b\">x</i>", "1 < 2 x\n"),
            ("<b", ""),
        ] {
            assert_eq!(text_of(html), text, "{html}");
        }
    }

    #[test]
    fn where_links_lead_is_said_once() {
        for (html, text) in [
            ("<a href=\"https:&#x2f;&#x2f;a.test?x=1&amp;y=2\">Sign in</a>.", "Sign in (https://a.test?x=1&y=2).\n"),
            ("<a href='https://a.test'>https://a.test</a>", "https://a.test\n"),
            ("<a class=x href=https://a.test><img src=x></a>", "https://a.test\n"),
            ("<a href=\"mailto:a@a.test\">Write</a> <a>none</a>", "Write none\n"),
        ] {
            assert_eq!(text_of(html), text, "{html}");
        }
    }
}
