use super::*;
use std::io::Write as _;

fn sha1(text: &str) -> String {
    hex::encode_upper(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

struct List(tempfile::NamedTempFile);

impl List {
    fn of(text: &str) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Self(file)
    }

    fn has(&self, text: &str) -> bool {
        contains(self.0.path(), &sha1(text)).unwrap()
    }
}

#[test]
fn every_line_of_a_sorted_file_is_found_and_nothing_else() {
    for (count, end) in [(false, "\n"), (true, "\r\n")] {
        for size in [0_usize, 1, 2, 3, 7, 500] {
            let mut hashes: Vec<String> = (0..size).map(|n| sha1(&format!("in{n}"))).collect();
            hashes.sort();
            let line = |(n, hash): (usize, &String)| if count { format!("{hash}:{}", 7 * n * n + 1) } else { hash.to_ascii_lowercase() };
            let lines: Vec<String> = hashes.iter().enumerate().map(line).collect();
            // With and without a line break at the end.
            for text in [lines.join(end), lines.iter().map(|line| format!("{line}{end}")).collect()] {
                let list = List::of(&text);
                for n in 0..size {
                    assert!(list.has(&format!("in{n}")), "{n} of {size}");
                    assert!(!list.has(&format!("out{n}")), "{n} of {size}");
                }
                assert!(!list.has("out"));
            }
        }
    }
}

#[test]
fn what_is_no_list_is_an_error_and_not_a_no() {
    let zeros = "0".repeat(10_000);
    for text in ["hello\nworld\n", "5BAA61E4\n", zeros.as_str()] {
        let list = List::of(text);
        assert_eq!(contains(list.0.path(), &sha1("x")).unwrap_err().kind(), io::ErrorKind::InvalidData, "{}", &text[..5]);
    }
    assert!(contains(Path::new("/nowhere/at/all"), &sha1("x")).is_err());
}

#[test]
fn a_range_is_read_and_its_padding_left_out() {
    let rest = &sha1("password")[5..];
    assert_eq!(in_range(&format!("0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n{rest}:9\r\n"), rest), Ok(true));
    assert_eq!(in_range(&format!("{}:9", rest.to_ascii_lowercase()), rest), Ok(true));
    assert_eq!(in_range(&format!("{rest}:0\r\n"), rest), Ok(false), "padding");
    assert_eq!(in_range("", rest), Ok(false));
    for other in ["<html>", "a:b", "0018A45C4D1DEF81644B54AB7F969B88D65"] {
        assert!(in_range(other, rest).is_err(), "{other}");
    }
}

#[test]
fn the_address_of_a_range_server_may_lack_its_slash() {
    let Source::Server { url, .. } = Source::server("http://127.0.0.1:9/mirror", DEFAULT_TIMEOUT).unwrap() else { unreachable!() };
    assert_eq!(url.join("range/ABCDE").unwrap().as_str(), "http://127.0.0.1:9/mirror/range/ABCDE");
    for bad in ["ftp://x/", "nonsense", "https://x/?q="] {
        assert!(Source::server(bad, DEFAULT_TIMEOUT).is_err(), "{bad}");
    }
    assert!(Source::server(DEFAULT_URL, DEFAULT_TIMEOUT).is_ok());
}
