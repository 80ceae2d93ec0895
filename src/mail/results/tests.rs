//! What counts as the own server's word, and what it says.

use super::*;
use crate::mail::parse::Text;

const ID: &str = "mx.example.com";
const FROM: &str = "noreply@leaf7.fun";

/// The own server's word about a mail with these fields above the sender's signature.
fn said(fields: &str) -> Word {
    said_of(&format!("{fields}DKIM-Signature: v=1\r\n"), &[ID], FROM)
}

fn said_of(header: &str, ids: &[&str], from: &str) -> Word {
    let text = Text::new(format!("{header}From: {from}\r\n\r\n").as_bytes()).unwrap();
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    word(&text.mail().unwrap(), &ids, &["leaf7.fun".to_owned()], from)
}

fn field(text: &str) -> String {
    format!("Authentication-Results: {text}\r\n")
}

fn nothing_against() -> Word {
    Word::NothingAgainst(ID.into())
}

fn dkim_fails() -> Word {
    Word::Against("mx.example.com says that the signature of leaf7.fun does not hold (dkim=fail)".into())
}

fn dmarc_fails() -> Word {
    Word::Against("mx.example.com says that its From is not proven (dmarc=fail)".into())
}

fn other_from() -> Word {
    Word::Against("mx.example.com saw another From than the one that is there (dmarc)".into())
}

fn several() -> Word {
    let why = "that server does not take out what others write in its name";
    Word::Against(format!("it bears results of mx.example.com from more than one stop on its way: {why}"))
}

#[test]
fn r12_m23_what_stands_in_comments_and_quotes_is_no_result() {
    const FAIL: &str = "dkim=fail header.d=leaf7.fun";
    const PASS: &str = "dkim=pass header.d=leaf7.fun";
    // `!` stands for the failing result, `+` for the passing one.
    let quiet = [
        "mx.example.com; none (!)",
        "mx.example.com (!); none",
        "mx.example.com; (!) none",
        "mx.example.com; + (!)",
        "mx.example.com; + ((!))",
        "mx.example.com; + (a (b (c !) d) e)",
        "mx.example.com; + (a) (!) (b)",
        "mx.example.com; + (\\) !)",
        "mx.example.com; + (\\( \\) !)",
        "mx.example.com; + (\"); !)",
        "mx.example.com; + (; !;)",
        "mx.example.com; + (never closed; !",
        "mx.example.com; + (never (closed); !",
        "mx.example.com; + reason=\"!\"",
        "mx.example.com; + reason=\"; !;\"",
        "mx.example.com; + reason=\"\\\"; !\"",
        "mx.example.com; + reason=\"(\" (\"; !)",
        "mx.example.com; + reason=\"never closed; !",
        "mx.example.com; dkim=pass (!) header.d=leaf7.fun",
        "mx.example.com; dkim=pass header.d=leaf7.fun header.b=\"x; !\"",
    ];
    let against = [
        "mx.example.com; !",
        "mx.example.com; ! (+)",
        "mx.example.com; ! ((+))",
        "mx.example.com (+); !",
        "mx.example.com; (+) !",
        "mx.example.com; (a (b)) ! (c)",
        "mx.example.com; ! reason=\"+\"",
        "mx.example.com; ! reason=\"; +;\"",
        "mx.example.com; ! reason=\"\\\"; +\"",
        "mx.example.com; ! (never closed; +",
        "mx.example.com; ! reason=\"never closed; +",
        "mx.example.com; ! (\\) ; +)",
        "mx.example.com; (\") !",
        "mx.example.com; none reason=\"(\"; ! reason=\")\"",
        "mx.example.com; spf=pass (a ; b) smtp.mailfrom=\"a;b\"@leaf7.fun; !",
        "mx.example.com; dkim=fail (+) header.d=leaf7.fun",
        "mx.example.com; dkim=fail reason=\"; +\" header.d=leaf7.fun",
        "mx.example.com; dkim=fail header.d=\"leaf7.fun\" (+)",
        "mx.example.com; dkim(+)=(+)fail(+)header(+).(+)d(+)=(+)leaf7.fun",
        "mx.example.com; dkim=fail\r\n (+\r\n +)\r\n\theader.d=leaf7.fun",
    ];
    assert_eq!(quiet.len() + against.len(), 40);
    for (cases, wanted) in [(quiet, nothing_against()), (against, dkim_fails())] {
        for case in cases {
            let text = case.replace('!', FAIL).replace('+', PASS);
            assert_eq!(said(&field(&text)), wanted, "{text}");
        }
    }
}

#[test]
fn m20_fields_of_other_servers_say_nothing() {
    for id in [
        "aaa.com",
        "mx.example.com.evil.example",
        "example.com",
        "evil.mx.example.com",
        "\"mx. example.com\"",
    ] {
        assert_eq!(said(&field(&format!("{id}; dkim=fail header.d=leaf7.fun"))), Word::Nothing, "{id}");
    }
    for name in ["ARC-Authentication-Results", "X-Authentication-Results", "Authentication-Results-Original"]
    {
        assert_eq!(said(&format!("{name}: {ID}; dkim=fail header.d=leaf7.fun\r\n")), Word::Nothing, "{name}");
    }
    for text in
        ["mx.example.com; dkim=fail header.d=leaf7.fun", "MX.Example.COM; dkim=fail header.d=Leaf7.FUN"]
    {
        assert_eq!(said(&field(text)), dkim_fails(), "{text}");
    }
    assert_eq!(
        said_of(&field("a; dkim=fail header.d=leaf7.fun"), &[], FROM),
        Word::Nothing,
        "none is pinned"
    );
}

#[test]
fn m21_a_field_counts_where_the_own_server_puts_it() {
    let (fails, passes) =
        (field("mx.example.com; dkim=fail header.d=leaf7.fun"), field("mx.example.com; none"));
    let received = "Received: from a by b; Fri, 20 Nov 2026 09:00:00 +0000\r\n";
    let signature = "DKIM-Signature: v=1\r\n";
    for (header, wanted) in [
        // Postfix above what it received, Gmail below; Dovecot and Cyrus add a stop within the house.
        (format!("{fails}{received}{signature}"), dkim_fails()),
        (format!("{received}{fails}{signature}"), dkim_fails()),
        (format!("{received}{received}{fails}{received}{signature}"), dkim_fails()),
        // Two programs of one server, each with its field.
        (format!("{passes}{fails}{received}{signature}"), dkim_fails()),
        (format!("{passes}Received-SPF: pass\r\n{fails}{received}{signature}"), dkim_fails()),
        (format!("{passes}{passes}{received}{signature}"), nothing_against()),
        // It was there when the mail was signed.
        (format!("{received}{signature}{fails}"), Word::Nothing),
        (format!("{received}{signature}{received}{fails}"), Word::Nothing),
        // It came in from elsewhere, and was left in.
        (format!("{passes}{received}{passes}{signature}"), several()),
        (format!("{passes}{received}{fails}{signature}"), several()),
        (format!("{passes}{signature}{passes}"), several()),
        (format!("{signature}{passes}{received}{passes}"), several()),
    ] {
        assert_eq!(said_of(&header, &[ID], FROM), wanted, "{header}");
    }
}

#[test]
fn m24_m26_a_signature_is_judged_by_its_domain() {
    for (text, wanted) in [
        ("dkim=fail", nothing_against()),
        ("dkim=fail header.s=s1 header.b=abcd", nothing_against()),
        ("dkim=pass", nothing_against()),
        ("dkim=fail header.d=leaf7.fun", dkim_fails()),
        ("dkim=fail header.i=@leaf7.fun", dkim_fails()),
        ("dkim=fail header.i=keys@mail.leaf7.fun", dkim_fails()),
        ("dkim=hardfail header.i=@leaf7.fun", dkim_fails()),
        ("dkim=fail header.d=evil.example", nothing_against()),
        ("dkim=fail header.d=evil.example header.i=@leaf7.fun", nothing_against()),
        ("dkim=fail header.i=@notleaf7.fun", nothing_against()),
        ("dkim=fail header.d=leaf7.fun; dkim=pass header.d=evil.example", dkim_fails()),
        ("dkim=pass header.d=leaf7.fun; dkim=fail header.d=evil.example", nothing_against()),
        (
            "dkim=fail header.d=leaf7.fun header.s=ed; dkim=pass header.d=leaf7.fun header.s=rsa",
            nothing_against(),
        ),
        ("dkim=neutral header.d=leaf7.fun", nothing_against()),
        ("dkim=temperror header.d=leaf7.fun", nothing_against()),
        ("dkim=failed header.d=leaf7.fun", nothing_against()),
        ("spf=fail smtp.mailfrom=leaf7.fun", nothing_against()),
    ] {
        assert_eq!(said(&field(&format!("mx.example.com; {text}"))), wanted, "{text}");
    }
    let other_field = field("mx.example.com; dkim=pass header.d=leaf7.fun");
    let both = format!("{other_field}{}", field("mx.example.com; dkim=fail header.d=leaf7.fun"));
    assert_eq!(said(&both), dkim_fails(), "one field takes nothing back from another");
}

#[test]
fn m27_the_own_server_saw_the_same_from() {
    for (text, wanted) in [
        ("dmarc=pass header.from=leaf7.fun", nothing_against()),
        ("dmarc=pass (p=REJECT) header.from=\"noreply@leaf7.fun\"", nothing_against()),
        ("dmarc=pass", nothing_against()),
        ("dmarc=pass header.from=none", nothing_against()),
        ("dmarc=none header.from=leaf7.fun", nothing_against()),
        ("dmarc=pass header.from=evil.example", other_from()),
        ("dmarc=pass header.from=mail.leaf7.fun", other_from()),
        ("dmarc=none header.from=evil.example", other_from()),
        ("dmarc=fail header.from=evil.example", other_from()),
        ("dmarc=fail header.from=leaf7.fun", dmarc_fails()),
        ("dmarc=fail", dmarc_fails()),
        ("dmarc=pass header.from=leaf7.fun; dmarc=fail header.from=leaf7.fun", dmarc_fails()),
    ] {
        assert_eq!(said(&field(&format!("mx.example.com; {text}"))), wanted, "{text}");
    }
    let header = field("mx.example.com; dmarc=pass header.from=leaf7.fun");
    let below = said_of(&header, &[ID], "noreply@mail.leaf7.fun");
    assert_eq!(below, nothing_against(), "the domain that published the policy is above");
}
