//! The grammar, case by case: what is read as a result, and what only looks like one.

use super::*;

/// The results of one method in a few words: `fail header.d=leaf7.fun`. `None`: the field does not count.
fn read(text: &str, method: &str) -> Option<Vec<String>> {
    let results = Results::read(text)?;
    let words = |found: &Found| {
        let properties = found.properties.iter().map(|(name, value)| format!(" {name}={value}"));
        properties.fold(found.result.clone(), |words, property| words + &property)
    };
    Some(results.of(method).map(words).collect())
}

#[test]
fn a_field_has_an_id_a_version_and_results() {
    let field =
        " MX.Example.com 1 ; dkim=pass header.d=leaf7.fun ; DMARC = Fail (p=none) header.from=leaf7.fun";
    let results = Results::read(field).unwrap();
    assert_eq!(results.id, "mx.example.com");
    assert_eq!(read(field, "dkim").unwrap(), ["pass header.d=leaf7.fun"]);
    assert_eq!(read(field, "dmarc").unwrap(), ["fail header.from=leaf7.fun"]);
    for (field, id) in [
        ("mx.example.com", "mx.example.com"),
        ("mx.example.com; none", "mx.example.com"),
        ("(a comment) mx.example.com (another);", "mx.example.com"),
        ("\"mx.example.com\"; none", "mx.example.com"),
        ("mail.example.com/filter 1; none", "mail.example.com/filter"),
    ] {
        assert_eq!(Results::read(field).unwrap().id, id, "{field}");
    }
}

#[test]
fn m22_a_field_without_an_id_does_not_count() {
    for field in [
        "",
        " ",
        ";",
        "; dkim=pass header.d=leaf7.fun",
        "(mx.example.com); dkim=pass header.d=leaf7.fun",
        "dkim=pass header.d=leaf7.fun",
        "spf=pass (sender IP is 203.0.113.5) smtp.mailfrom=leaf7.fun; dkim=fail header.d=leaf7.fun",
        "mx.example.com dkim=fail header.d=leaf7.fun",
        "mx.example.com (unclosed; dkim=fail header.d=leaf7.fun",
        "mx.example.com, mx2.example.com; dkim=fail header.d=leaf7.fun",
    ] {
        // An id with a sign in it that none has is no id that anybody pins.
        let read = Results::read(field).filter(|results| results.id == "mx.example.com");
        let kept = read.is_some_and(|results| !results.found.is_empty());
        assert!(!kept, "{field}");
    }
    assert!(!Results::read("mx.example.com; dkim=fail header.d=leaf7.fun").unwrap().found.is_empty());
}

#[test]
fn m25_a_version_that_nobody_knows_is_not_read_and_spelling_does_not_matter() {
    for field in
        ["mx.example.com 2; dkim=fail", "mx.example.com 11; dkim=fail", "mx.example.com (1) 0; dkim=fail"]
    {
        assert_eq!(read(field, "dkim"), None, "{field}");
    }
    for (field, found) in [
        ("mx; dkim=fail", vec!["fail"]),
        ("mx; dkim =fail", vec!["fail"]),
        ("mx; dkim= fail", vec!["fail"]),
        ("mx; dkim\t=\t\tfail", vec!["fail"]),
        ("mx;DKIM=FAIL", vec!["fail"]),
        ("mx 1;dkim/1=fail", vec!["fail"]),
        ("mx; dkim / 1 = fail", vec!["fail"]),
        ("mx; dkim (v) / (v) 1 (v) = (v) fail (v)", vec!["fail"]),
        ("mx; dkim/2=fail", vec![]),
        ("mx; dkim/2=fail; dkim=pass", vec!["pass"]),
        ("mx; notdkim=fail", vec![]),
        ("mx; dkim-atps=fail", vec![]),
        ("mx; x-dkim=fail", vec![]),
        ("mx; dkim", vec![]),
        ("mx; dkim=", vec![]),
        ("mx; =fail", vec![]),
        ("mx; dkim.fail", vec![]),
        ("mx;;; dkim=fail;;", vec!["fail"]),
        ("mx; none; dkim=fail", vec!["fail"]),
    ] {
        assert_eq!(read(field, "dkim").unwrap(), found, "{field}");
    }
}

#[test]
fn properties_are_read_in_every_form_that_servers_write() {
    for (field, found) in [
        ("mx; dkim=pass header.d=leaf7.fun header.s=s1", "pass header.d=leaf7.fun header.s=s1"),
        ("mx; dkim=pass (2048-bit key) header.i=@leaf7.fun", "pass header.i=@leaf7.fun"),
        ("mx; dkim=pass(ok)header.d=leaf7.fun", "pass header.d=leaf7.fun"),
        ("mx; dkim=pass Header . D = leaf7.fun", "pass header.d=leaf7.fun"),
        ("mx; dkim=pass header.b=\"a+b/c=\"", "pass header.b=a+b/c="),
        ("mx; dkim=pass header.b=a+b/c==", "pass header.b=a+b/c=="),
        (
            "mx; dkim=pass reason=\"2048-bit key; x\" header.d=leaf7.fun",
            "pass reason=2048-bit key; x header.d=leaf7.fun",
        ),
        ("mx; dkim=pass reason=109 header.d=leaf7.fun", "pass reason=109 header.d=leaf7.fun"),
        ("mx; dkim=pass action=none header.d=leaf7.fun", "pass action=none header.d=leaf7.fun"),
        ("mx; dkim=pass header.i=\"a b\"@leaf7.fun", "pass header.i=a b@leaf7.fun"),
        ("mx; dkim=pass header.i=\"a\\\"b\"@leaf7.fun", "pass header.i=a\"b@leaf7.fun"),
        ("mx; dkim=pass header.d=leaf7.fun and more", "pass header.d=leaf7.fun"),
        ("mx; dkim=pass header.d= header.i=@leaf7.fun", "pass header.d=header.i=@leaf7.fun"),
        ("mx; dkim=pass header.d=;", "pass"),
        ("mx; dkim=pass , header.d=leaf7.fun", "pass"),
    ] {
        assert_eq!(read(field, "dkim").unwrap(), [found], "{field}");
    }
}

#[test]
fn a_domain_is_read_out_of_an_address_and_compared_without_case_and_final_dot() {
    let domain = |value: &str| {
        let results = Results::read(&format!("mx; dkim=fail header.d={value}")).unwrap();
        results.of("dkim").next().unwrap().domain("header.d")
    };
    for value in ["leaf7.fun", "LEAF7.fun", "leaf7.fun.", "@leaf7.fun", "a@leaf7.fun", "\"a@b\"@leaf7.fun"] {
        assert_eq!(domain(value).as_deref(), Some("leaf7.fun"), "{value}");
    }
    for value in ["", "@", ".", "a@"] {
        assert_eq!(domain(value), None, "{value:?}");
    }
}

#[test]
fn any_text_is_read_to_its_end() {
    let whole = "mx (a (b) \"c\") 1; dkim/1=fail reason=\"a\\\"b;\" header.d=leaf7.fun; dmarc=fail (ä) header.from=x.y";
    for (at, _) in whole.char_indices() {
        for inserted in ["", "(", ")", "\"", "\\", ";", "=", ".", "ä", "\u{0}"] {
            let text = format!("{}{inserted}{}", &whole[..at], &whole[at..]);
            // What comes of it is of no matter here: it comes, and holds nothing that was not there.
            for cut in [&text[..at + inserted.len()], &text] {
                if let Some(results) = Results::read(cut) {
                    assert!(results.found.len() <= 1 + cut.matches(';').count(), "{cut}");
                }
            }
        }
    }
    let deep = format!("mx; {}dkim=fail{} dkim=fail", "(".repeat(500_000), ")".repeat(500_000));
    assert_eq!(read(&deep, "dkim").unwrap(), ["fail"], "what stands behind a million brackets");
}
