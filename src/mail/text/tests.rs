use super::*;
use crate::mail::parse::Text;

/// The lines of the text and of the HTML.
type Seen = (Option<Vec<String>>, Option<Vec<String>>);

fn seen(mail: &str) -> Result<Seen, Fault> {
    let text = Text::new(mail.as_bytes())?;
    let visible = read(&text.mail()?, &Limits::default())?;
    let plain = |lines: Lines| lines.iter().map(|line| line.to_string()).collect::<Vec<_>>();
    Ok((visible.plain.map(plain), visible.html.map(plain)))
}

fn beside(mail: &str) -> Vec<String> {
    let text = Text::new(mail.as_bytes()).unwrap();
    let visible = read(&text.mail().unwrap(), &Limits::default()).unwrap();
    visible.beside.iter().map(|line| line.to_string()).collect()
}

fn plain(header: &str, body: &str) -> Result<Vec<String>, Fault> {
    seen(&format!("X: 1\n{header}\n\n{body}")).map(|(plain, _)| plain.unwrap_or_default())
}

fn html(body: &str) -> Result<Vec<String>, Fault> {
    let mail = format!("Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}");
    seen(&mail).map(|(_, html)| html.unwrap_or_default())
}

fn fault(why: &str) -> Result<Vec<String>, Fault> {
    Err(why.into())
}

fn lines(lines: &[&str]) -> Result<Vec<String>, Fault> {
    Ok(lines.iter().map(|line| (*line).to_owned()).collect())
}

#[test]
fn text_is_decoded_as_its_header_says() {
    let utf8 = "Content-Type: text/plain; charset=\"UTF-8\"\nContent-Transfer-Encoding: ";
    assert_eq!(plain("Y: 2", "a  b\n---\n\n c"), lines(&["a b", "c"]));
    assert_eq!(plain(&format!("{utf8}8bit"), "é\u{a0}x"), lines(&["é x"]));
    assert_eq!(plain(&format!("{utf8}quoted-printable"), "a=C3=A9b=\nc =  \nd=3D  \n"), lines(&["aébc d="]));
    assert_eq!(plain(&format!("{utf8}BASE64"), "77u/YcOp\n\nCmI=\n"), lines(&["aé", "b"]));
    let latin =
        |charset: &str| format!("Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: ");
    for charset in ["iso-8859-1", "ISO-8859-15", "windows-1252", "latin1"] {
        assert_eq!(
            plain(&format!("{}quoted-printable", latin(charset)), "=E9=FC"),
            lines(&["éü"]),
            "{charset}"
        );
    }
    let euro = |charset: &str, byte: &str| {
        plain(&format!("{}quoted-printable", latin(charset)), &format!("1{byte}"))
    };
    assert_eq!(euro("iso-8859-15", "=A4"), lines(&["1€"]));
    assert_eq!(euro("windows-1252", "=80"), lines(&["1€"]));
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let utf8 = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding:";
    for (header, body, why) in [
        ("Y: 2", "é", "a text of 7 bits has bytes of 8"),
        ("Content-Transfer-Encoding: 8bit", "é", "a text in ASCII has bytes of 8 bits"),
        (&format!("{utf8} quoted-printable"), "a=4", "a text is no quoted-printable"),
        (&format!("{utf8} quoted-printable"), "a=XYb", "a text is no quoted-printable"),
        (&format!("{utf8} quoted-printable"), "é", "a text is no quoted-printable"),
        (&format!("{utf8} quoted-printable"), "=C3", "a text is no UTF-8"),
        (&format!("{utf8} quoted-printable"), "=1B$B", "a text holds control characters"),
        (&format!("{utf8} base64"), "YW Jj*", "a text is no base64"),
        (&format!("{utf8} base64"), "YQ==YQ==", "a text is no base64"),
        (&format!("{utf8} x-uuencode"), "a", "a text has an unknown transfer encoding"),
        ("Content-Type: text/plain; charset=utf-16", "a", "a text is in an unknown character set"),
        ("Content-Type: text/plain; charset=utf-8; charset=utf-7", "a", "a Content-Type cannot be read"),
        ("Content-Type: text/plain; charset*0=utf; charset*1=-8", "a", "a Content-Type cannot be read"),
        ("Content-Type: text", "a", "a Content-Type cannot be read"),
        ("Content-Type: text/plain; charset=\"utf-8", "a", "a Content-Type cannot be read"),
        ("Content-Type: application/json", "a", "it has no text"),
        ("Content-Type: multipart/mixed", "a", "a multipart has no boundary"),
        ("Content-Type: multipart/mixed; boundary=\"\"", "a", "a multipart's boundary is none"),
        ("Content-Type: multipart/mixed; boundary=b", "--b\n\na\n", "a multipart has no end"),
        (
            "Content-Type: multipart/mixed; boundary=b",
            "--b\n\na\n--b--\n--b\n\nc\n",
            "a multipart goes on behind its end",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b",
            "--b\nno header\n--b--\n",
            "a header line has no colon",
        ),
    ] {
        assert_eq!(plain(header, body), fault(why), "{header} {body:?}");
    }
}

#[test]
fn parts_are_cut_at_their_own_boundary_and_attachments_are_left_beside() {
    let mail = "Content-Type: multipart/mixed; boundary=b\n\npreamble a1\n--b\nContent-Type: multipart/alternative; \
        boundary=\"c c\"\n\n--c c\n\none\n--d\n--c c  \nContent-Type: text/html\n\n<p>two\n--c c--\nepilogue a2\n--b\n\
        Content-Disposition: attachment\n\nthree\n--b\nContent-Type: text/plain\nContent-Disposition: inline; \
        filename=x\n\nfour\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nfive\n--b--\nepilogue a3\n";
    assert_eq!(seen(mail), Ok((lines(&["one", "--d"]).ok(), lines(&["two"]).ok())));
    let expected = ["preamble a1", "epilogue a3", "epilogue a2", "three", "four", "Subject: x", "five"];
    assert_eq!(beside(mail), expected.map(str::to_owned));
}

#[test]
fn what_html_hides_or_writes_elsewhere_is_left_beside() {
    let html = "<p>a</p><p hidden>b<b>c</b></p><!-- d --><!--[if mso]><p>e</p><![endif]--><input value=f><img alt=g>\
        <style>p{color:red} .x::before{content:\"h\"}</style><script>i</script>";
    let mail = format!("Content-Type: text/html\n\n{html}");
    let found = beside(&mail);
    for letter in ["bc", "e", "f", "g", "content:", "h"] {
        assert!(found.contains(&letter.to_owned()), "{letter}: {found:?}");
    }
    assert!(!found.contains(&"a".to_owned()) && !found.contains(&"d".to_owned()), "{found:?}");
}

#[test]
fn nesting_and_numbers_have_a_limit() {
    let nested = |depth: usize| {
        let inner = "\n\nx\n".to_owned();
        let wrap = |text: String, n: usize| {
            format!("Content-Type: multipart/mixed; boundary=b{n}x\n\n--b{n}x\n{text}\n--b{n}x--\n")
        };
        (0..depth).fold(inner, wrap)
    };
    assert_eq!(seen(&nested(32)), Ok((lines(&["x"]).ok(), None)));
    assert_eq!(seen(&nested(33)), Err("its parts are nested too deep".into()));
    let flat = |parts: usize| {
        format!("Content-Type: multipart/mixed; boundary=b\n\n{}--b--\n", "--b\n\nx\n".repeat(parts))
    };
    assert!(seen(&flat(255)).is_ok());
    assert_eq!(seen(&flat(256)), Err("it has more than 256 parts".into()));
}

#[test]
fn html_breaks_lines_where_a_reader_sees_them_broken() {
    for (body, expected) in [
        ("<p>a <b>b</b>c\nd<p>e", &["a bc d", "e"][..]),
        ("a<br>b<div>c</div>d<hr/>e", &["a", "b", "c", "d", "e"]),
        ("<table><tr><td>a<td>b</tr><tr><th>c</th><td>d</table>", &["a", "b", "c", "d"]),
        ("<pre>a\n b</pre><ul><li>c<li>d</ul>", &["a", "b", "c", "d"]),
        ("a <code>b</code>. <code style='display:block'>c</code>", &["a b.", "c"]),
        ("l7_<wbr>abc<span>def</span>&amp;&nbsp;x", &["l7_abcdef& x"]),
        ("<span style=\"white-space: pre-wrap\">a\nb</span>", &["a", "b"]),
        ("<TEXTAREA>a\nb</TEXTAREA>", &["a", "b"]),
        ("a <input value=b> <img alt=c> <a href=d>e</a>", &["a e"]),
    ] {
        assert_eq!(html(body), lines(expected), "{body}");
    }
}

#[test]
fn what_html_hides_is_not_seen() {
    for body in [
        "<head><title>x</title><style>x</style></head>",
        "<script>x</script><!-- x --><![CDATA[x]]><?x?>",
        "<div hidden>x</div>",
        "<div style='display: NONE'>x<p>x</p></div>",
        "<div style=\"color: red; display:none !important\">x</div>",
        "<span style=visibility:hidden>x</span>",
        "<span style='font-size:0'>x</span><span style='font-size: 0.0em'>x</span>",
        "<span style='opacity:0;'>x</span><div style='max-height:0px'>x</div>",
        "<div style='height:0;overflow:hidden'>x</div>",
        "<div style='mso-hide:all'>x</div><div style='text-indent:-9999px'>x</div>",
        "<template>x</template><svg><text>x</text></svg><iframe>x</iframe><noembed>x</noembed>",
        "<p style='display:none'><span>x<p>x",
    ] {
        assert_eq!(html(body), lines(&[]), "{body}");
        assert_eq!(
            html(&format!("<p>a</p>{body}")).map(|lines| lines[..1].to_vec()),
            lines(&["a"]),
            "{body}"
        );
    }
    for body in [
        "<span style='font-size:0.9em'>x</span>",
        "<div style='height:0'>x</div>",
        "<p style='display:none'>a<p>x",
        "<div hidden>a</div>x",
        "<td style='display:none'>a<td>x",
        "<b style='opacity:0.5'>x</b>",
    ] {
        assert_eq!(html(body), lines(&["x"]), "{body}");
    }
}

#[test]
fn html_without_end_is_refused_and_not_waited_for() {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}")).collect();
    assert_eq!(html(&format!("x<p{attributes}>")), fault("its HTML has a tag without an end"));
    assert_eq!(html(&"<b>".repeat(513)), fault("its HTML nests deeper than 512"));
    assert_eq!(html(&format!("{}x", "<b></b>".repeat(25_000))), lines(&["x"]));
    assert_eq!(html(&"<b></b>".repeat(100_000)), fault("its HTML has more than 60000 tags"));
    assert_eq!(html(&"&amp;".repeat(100_000)), fault("its HTML has more than 60000 tags"));
    assert_eq!(plain("Y: 2", &"a\n".repeat(50_001)), fault("it has more than 50000 lines"));
    assert_eq!(plain("Y: 2", &"a\n".repeat(50_000)).map(|lines| lines.len()), Ok(50_000));
}

/// Each quotation mark in a name is a parse error, which html5ever reports like a token: it was counted as one, and a
/// tag of any length was compared attribute by attribute for minutes.
#[test]
fn m49_a_tag_full_of_errors_is_refused_like_any_tag_without_end() {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}\"")).collect();
    assert_eq!(html(&format!("x<p{attributes}>")), fault("its HTML has a tag without an end"));
}

/// Each tag is short enough, and all of them together cost minutes.
#[test]
fn m49_many_tags_of_many_attributes_are_refused() {
    let attributes: String = (0..1_000).map(|n| format!(" a{n}")).collect();
    let tags = |count: usize| format!("<p{attributes}>").repeat(count) + "x";
    assert_eq!(html(&tags(1)), lines(&["x"]));
    assert_eq!(html(&tags(100)), fault("its HTML has tags with too many attributes"));
}

/// Its logo, as a data URI, was called a tag without an end.
#[test]
fn a_picture_written_into_a_tag_is_passed_over() {
    let picture = format!("<img src=\"data:image/png;base64,{}==\">", "iVBORw0KGgo/+".repeat(20_000));
    assert_eq!(html(&format!("<p>a</p>{picture}<p>b</p>")), lines(&["a", "b"]));
}

#[test]
fn m49_parameters_by_the_thousand_are_refused() {
    let parameters = |count: usize| (0..count).map(|n| format!("; x*{n}=y")).collect::<String>();
    assert_eq!(plain(&format!("Content-Type: text/plain{}", parameters(60)), "a"), lines(&["a"]));
    let thousands = plain(&format!("Content-Type: text/plain{}", parameters(100_000)), "a");
    assert_eq!(thousands, fault("a Content-Type cannot be read"));
}

#[test]
fn more_rules_than_a_style_sheet_has_are_refused() {
    let rules = |count: usize| (0..count).map(|n| format!(".c{n}{{color:red}}")).collect::<String>();
    assert_eq!(html(&format!("<style>{}</style>{}x", rules(500), "<b></b>".repeat(1_000))), lines(&["x"]));
    let busy = html(&format!("<style>{}</style>{}x", rules(500), "<b></b>".repeat(10_000)));
    assert_eq!(busy, fault("its HTML has too many tags for its style sheet"));
}

#[test]
fn a_subject_is_read_through_its_encoded_words() {
    let read = |value: &str| {
        let mail = format!("Subject: {value}\n\n");
        let text = Text::new(mail.as_bytes()).unwrap();
        subject(&text.mail().unwrap())
    };
    let ok = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(read("Your  new\n key"), ok("Your new key"));
    assert_eq!(read("=?utf-8?Q?Ihr_?=\n =?UTF-8?b?U2NobMO8c3NlbA==?= neu"), ok("Ihr Schlüssel neu"));
    assert_eq!(read("=?iso-8859-1*de?q?Schl=FCssel?="), ok("Schlüssel"));
    let broken = Err("its Subject has a broken encoded word".to_owned());
    for value in [
        "=?utf-8?Q?x",
        "=?utf-8?X?x?=",
        "=?utf-7?Q?x?=",
        "=?utf-8?Q?=0D=0AX?=",
        "=?utf-8?b?*?=",
        "=?utf-8?q?=C3?=",
    ] {
        assert_eq!(read(value), broken, "{value}");
    }
    let none = Text::new(b"To: a\n\n").unwrap();
    assert_eq!(subject(&none.mail().unwrap()), Ok(None));
}
