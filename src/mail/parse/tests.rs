use super::*;

fn fault<T>(result: Result<T, Fault>) -> Fault {
    result.err().unwrap_or_else(|| "no fault".into())
}

fn sender(mail: &str) -> Result<String, Fault> {
    Text::new(mail.as_bytes())?.mail()?.sender()
}

#[test]
fn a_plain_address_is_found_in_every_usual_form() {
    for value in [
        "noreply@leaf7.fun",
        "<noreply@leaf7.fun>",
        "Leaf7 <NoReply@Leaf7.FUN>",
        "\"Leaf7, Inc. <x@evil.example>\" <noreply@leaf7.fun>",
        "\"a \\\" b\" <noreply@leaf7.fun> (support)",
        "=?utf-8?q?Leaf7_=E2=9C=93?= <noreply@leaf7.fun>",
        "Löwe 7 <noreply@leaf7.fun>",
        "(a (nested) comment) noreply@leaf7.fun",
    ] {
        assert_eq!(addresses(value), Ok(vec!["noreply@leaf7.fun".to_owned()]), "{value}");
    }
    let two = addresses("a@x.example, B <b@y.example>");
    assert_eq!(two, Ok(vec!["a@x.example".to_owned(), "b@y.example".to_owned()]));
}

#[test]
fn the_forms_that_forgers_use_are_refused() {
    let not_plain = "is not a plain list of addresses";
    for (value, why) in [
        ("", "has an entry without an address"),
        ("Leaf7", "has an entry without an address"),
        ("a@x.example,", "has an entry without an address"),
        ("vendor: a@evil.example;", not_plain),
        ("<@evil.example,@any.example:x@leaf7.fun>", "has an address that is not plain"),
        ("<x@leaf7.fun>\\,<a@evil.example>", not_plain),
        ("<a@evil.example>x@leaf7.fun", "has text behind an address"),
        ("x@leaf7.fun <a@evil.example>", "has two addresses in one place"),
        ("<x@leaf7.fun> <a@evil.example>", "has two addresses in one place"),
        ("x@leaf7.fun a@evil.example", "has two addresses in one place"),
        ("me x@leaf7.fun", "has text around a bare address"),
        ("=?utf-8?b?<x@leaf7.fun>?=", "has text behind an address"),
        ("<x@leaf7.fun", "has an address without an end"),
        ("\"x <x@leaf7.fun>", "has a quotation without an end"),
        ("(x <x@leaf7.fun>", "has a comment without an end"),
        ("((((((x)))))) x@leaf7.fun", "has comments within comments"),
        ("x\u{0}@leaf7.fun", "holds control characters"),
        ("\"x y\"@leaf7.fun", "has text around a bare address"),
        ("<\"x\"@leaf7.fun>", "has an address that is not plain"),
        ("<x@leaf7.fun.>", "has an address that is not plain"),
        ("<x@[127.0.0.1]>", "has an address that is not plain"),
        ("<x@leaf7>", "has an address that is not plain"),
        ("<x@leäf7.fun>", "has an address that is not plain"),
        ("<x@y@leaf7.fun>", "has an address that is not plain"),
        ("<>", "has an address that is not plain"),
    ] {
        assert_eq!(addresses(value), Err(why.into()), "{value}");
    }
}

#[test]
fn m49_addresses_by_the_million_are_refused() {
    let list = |count: usize| "a@x.example, ".repeat(count) + "b@x.example";
    assert_eq!(addresses(&list(999)).map(|found| found.len()), Ok(1_000));
    assert_eq!(addresses(&list(1_000_000)), Err("has more than 1000 addresses".into()));
}

#[test]
fn a_comment_does_not_join_the_words_around_it() {
    assert_eq!(addresses("noreply@leaf7.fun(Leaf7)"), Ok(vec!["noreply@leaf7.fun".into()]));
    for value in ["noreply@(x)leaf7.fun", "noreply(x)@leaf7.fun", "no(x)reply@leaf7.fun", "a(x)b@leaf7.fun"] {
        assert!(addresses(value).is_err(), "{value}");
    }
}

#[test]
fn a_from_is_there_once_with_one_address() {
    assert_eq!(sender("From: a@x.example\r\n\r\n"), Ok("a@x.example".into()));
    assert_eq!(sender("fRoM:\r\n a@x.example\r\n\r\n"), Ok("a@x.example".into()));
    for (mail, why) in [
        ("To: a@x.example\r\n\r\n", "it has no From"),
        ("From: a@x.example\r\nfrom: b@x.example\r\n\r\n", "it has more than one From"),
        ("From: a@x.example, b@x.example\r\n\r\n", "its From has 2 addresses"),
        ("From: x: a@x.example;\r\n\r\n", "its From is not a plain list of addresses"),
        ("From\r\n : <a@evil.example>\r\n\r\n", "a header field's name holds what no name holds"),
        ("From : a@x.example\r\n\r\n", "a header field's name holds what no name holds"),
        (" From: a@x.example\r\n\r\n", "a header field's name holds what no name holds"),
        ("\r\nFrom: a@x.example\r\n\r\n", "it does not begin with a header field"),
        ("From a@x.example Fri Nov 20\r\nFrom: a@x.example\r\n\r\n", "a header line has no colon"),
        ("From: a@x.example\u{7}\r\n\r\n", "a header field holds control characters"),
        ("From: a@x.example\r\n \r\nTo: b\r\n\r\n", "a header field is folded over an empty line"),
    ] {
        assert_eq!(fault(sender(mail)), why, "{mail:?}");
    }
}

#[test]
fn fields_that_decide_are_there_once_and_a_mail_was_not_sent_on() {
    for name in AT_MOST_ONCE {
        let mail = format!("X-First: 1\r\n{name}: a\r\n{}: b\r\n\r\n", name.to_uppercase());
        let text = Text::new(mail.as_bytes()).unwrap();
        assert_eq!(fault(text.mail()), format!("it has more than one {name}"));
    }
    let text = Text::new(b"resent-from: a@x.example\r\n\r\n").unwrap();
    assert_eq!(fault(text.mail()), "it was sent on by somebody (Resent-)");
    let received = Text::new(b"Received: a\r\nReceived: b\r\n\r\n").unwrap();
    assert_eq!(received.mail().ok().map(|mail| mail.fields.len()), Some(2));
}

#[test]
fn line_ends_are_all_of_one_kind_and_become_crlf() {
    assert_eq!(Text::new(b"A: 1\n\nb\n").unwrap().bytes(), b"A: 1\r\n\r\nb\r\n");
    assert_eq!(Text::new(b"A: 1\r\n\r\nb").unwrap().bytes(), b"A: 1\r\n\r\nb");
    for mixed in [&b"A: 1\r\n\nb"[..], b"A: 1\n\r\n", b"A: 1\r\n\r\na\rb\r\n", b"A: 1\r", b"\r\r\n"] {
        assert_eq!(fault(Text::new(mixed)), "its line ends are not all of one kind", "{mixed:?}");
    }
}

#[test]
fn a_header_without_a_body_and_a_body_without_an_end_are_mails() {
    let text = Text::new(b"Subject: a\r\n  b\r\nTo: c").unwrap();
    let mail = text.mail().unwrap();
    let read: Vec<_> = mail.fields.iter().map(|field| (field.name, field.unfolded().unwrap())).collect();
    assert_eq!(read, [("Subject", " a  b".to_owned()), ("To", " c".to_owned())]);
    assert_eq!(mail.body, b"");
}

#[test]
fn m49_five_hundred_and_twelve_fields_are_enough() {
    let mail = |fields: usize| "X: y\r\n".repeat(fields) + "\r\n";
    assert!(Text::new(mail(512).as_bytes()).unwrap().mail().is_ok());
    assert_eq!(fault(Text::new(mail(513).as_bytes()).unwrap().mail()), "it has more than 512 header fields");
}

#[test]
fn m49_a_date_is_read_in_every_zone_and_anything_else_is_refused() {
    let date = |value: &str| {
        let mail = format!("Date: {value}\r\n\r\n");
        Text::new(mail.as_bytes()).unwrap().mail().unwrap().date().map(|date| date.to_string())
    };
    let nine = Ok("2026-11-20T09:00:00Z".to_owned());
    assert_eq!(date("Fri, 20 Nov 2026 09:00:00 +0000"), nine);
    assert_eq!(date("Fri, 20 Nov 2026 10:00:00 +0100 (CET)"), nine);
    assert_eq!(date("20 Nov 2026 09:00:00 GMT"), nine);
    assert_eq!(date("20 Nov 26 04:00 EST"), nine);
    for bad in ["", "now", "2026-11-20T09:00:00Z", "Fri, 32 Nov 2026 09:00:00 +0000", &"(".repeat(500_000)] {
        assert_eq!(date(bad), Err("its Date is no date".into()), "{bad}");
    }
}
