//! The mails that cost most to decide, each one limit driven to its edge: of at most a mebibyte, from the vendor's
//! address and with his signature, so that nothing refuses them early. For the figures and the tests of time and memory.

use super::sign::Signer;
use base64::{Engine, engine::general_purpose::STANDARD};

/// A name, what stands in the header besides the usual, and the body.
pub struct Worst {
    pub name: &'static str,
    header: Made,
    body: Made,
}

type Made = fn() -> String;

/// Of a mail; some room is left for its header and signature.
const SIZE: usize = (1 << 20) - (4 << 10);
const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";
const HTML: &str = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";

const fn text(name: &'static str, body: Made) -> Worst {
    Worst { name, header: || TEXT.into(), body }
}

const fn html(name: &'static str, body: Made) -> Worst {
    Worst { name, header: || HTML.into(), body }
}

const fn header(name: &'static str, header: Made) -> Worst {
    Worst { name, header, body: || "Hello\r\n".into() }
}

pub const WORST: [Worst; 43] = [
    text("a text of words", || fill("some words of a text that is rather long and says nothing\r\n")),
    text("lines of one letter", || fill("a\r\n")),
    text("words that look like keys", || fill_with(|n| format!("new key: {n:032x}\r\n"))),
    text("five hundred such words", || {
        (0..500)
            .map(|n| format!("your new vendor key for the very main account is: Zk3{n:029x} \r\n"))
            .collect()
    }),
    text("words that look like keys, in one line", || fill_with(|n| format!("new key: k{n:019x} "))),
    text("one word", || fill("a1")),
    text("one word of full stops", || format!("New key: abcdefgh12345678{}", fill("."))),
    text("assignments", || fill_with(|n| format!("api_key=k{n:019x};"))),
    text("openers before a word", || format!("New key: {}abcdefgh12345678abc", fill("(\"<"))),
    text("blanks", || fill(" \t") + "\r\nx\r\n"),
    text("letters of two bytes", || fill("é9")),
    Worst {
        name: "base64",
        header: || TEXT.replace("8bit", "base64"),
        body: || {
            let text = STANDARD.encode("new key: k0123456789abcdef01 \n".repeat(SIZE * 71 / 100 / 30));
            text.as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
        },
    },
    Worst {
        name: "quoted-printable",
        header: || TEXT.replace("8bit", "quoted-printable"),
        body: || fill("=6E=65=77=20=6B=65=79=3A=20=C3=A9=\r\n"),
    },
    html("tags", || fill("<b>x</b>")),
    html("cells", || fill("<td>a")),
    html("end tags of nothing, deep within", || "<b>".repeat(511) + &fill("</i>")),
    html("tags opened and ended, deep within", || "<b>".repeat(510) + &fill("<p></p>")),
    html("styled tags", || fill("<p style=\"font:0/0 a;color:#fefefe;background:rgb(1,2,3) url(x)\">x</p>")),
    html("tags of many attributes", || {
        let tag: String = (0..300).map(|n| format!(" a{n}=b")).collect();
        fill(&format!("<p{tag}>x</p>"))
    }),
    html("one tag", || format!("<p{}", fill_with(|n| format!(" a{n}")))),
    html("one tag of errors", || format!("<p{}", fill_with(|n| format!(" a{n}\"")))),
    html("one comment", || format!("<!--{}", fill("- "))),
    html("comments", || fill("<!--[if mso]>x<![endif]-->")),
    html("entities", || fill("&amp;&nbsp;&#x1F600;")),
    html("entities without end", || fill("&notin")),
    html("a style sheet", || {
        format!("<style>{}", fill_with(|n| format!(".a{n} p>b{{color:red;content:'x'}}")))
    }),
    html("a style sheet for many tags", || {
        let rules: String = (0..1_000).map(|n| format!("div .a{n}{{color:red}}")).collect();
        format!("<style>{rules}</style>{}", fill("<b class=\"a1 a2 a3\"></b>")[rules.len()..].to_owned())
    }),
    html("a style sheet of brackets", || format!("<style>{}", fill("{"))),
    html("a picture in a tag", || format!("<img src=\"data:image/png;base64,{}\">", fill("iVBORw0KGgo"))),
    Worst {
        name: "parts, 32 deep",
        header: || "Content-Type: multipart/mixed; boundary=b32x\r\n".into(),
        body: || {
            let inner = format!("\r\n{}", fill("some words of a text\r\n"));
            (1..=32).fold(inner[..SIZE - 32 * 80].to_owned(), |inner, n| {
                let kind = format!("Content-Type: multipart/mixed; boundary=b{}x\r\n\r\n", n - 1);
                let kind = if n == 1 { String::new() } else { kind };
                format!("--b{n}x\r\n{kind}{inner}\r\n--b{n}x--\r\n")
            })
        },
    },
    Worst {
        name: "255 parts",
        header: || "Content-Type: multipart/mixed; boundary=b\r\n".into(),
        body: || {
            let part = format!("--b\r\n\r\n{}\r\n", "new key: x1 \r\n".repeat(SIZE / 255 / 14 - 2));
            part.repeat(254) + "--b--\r\n"
        },
    },
    Worst {
        name: "parts without number",
        header: || "Content-Type: multipart/mixed; boundary=b\r\n".into(),
        body: || fill("--b\r\n\r\n"),
    },
    Worst {
        name: "a text before the first part",
        header: || "Content-Type: multipart/mixed; boundary=b\r\n".into(),
        body: || {
            format!("{}\r\n--b\r\n\r\nHello\r\n--b--\r\n", fill_with(|n| format!("new key: k{n:019x}\r\n")))
        },
    },
    header("recipients", || format!("To: {}rotation@example.com\r\n{TEXT}", fill("a@b.example, "))),
    header("senders", || format!("From: {}noreply@leaf7.fun\r\n{TEXT}", fill("a@b.example, "))),
    header("comments in an address", || format!("From: {}\r\n{TEXT}", fill("(((a)))"))),
    header("comments in a date", || format!("Date: {}\r\n{TEXT}", fill("("))),
    header("fields", || fill_with(|n| format!("X-{n}: y\r\n"))),
    header("parameters", || format!("Content-Type: text/plain{}\r\n", fill_with(|n| format!("; x*{n}=y")))),
    header("folds", || format!("{TEXT}X-Note: a\r\n{}", fill(" b\r\n"))),
    header("signatures by nobody", || {
        let fields = "DKIM-Signature: v=1; a=rsa-sha256; d=leaf7.fun; s=s1; h=from; bh=AAAA; b=AAAA\r\n";
        format!("{TEXT}{}", fields.repeat(490))
    }),
    header("names that are signed", || {
        let names = vec!["x"; 128].join(":");
        let field =
            format!("DKIM-Signature: v=1; a=rsa-sha256; d=leaf7.fun; s=s1; h={names}; bh=AAAA; b=AAAA\r\n");
        format!("{TEXT}{}", field.repeat(400))
    }),
    header("a value that is signed", || format!("{TEXT}DKIM-Signature: v=1; b={}\r\n", fill("A=;"))),
];

/// Subjects that no rule matches, and that take each rule as long as can be.
pub const SUBJECTS: [(&str, Made); 4] = [
    ("a subject of short words", || "a ".repeat(490)),
    ("a subject that nearly fits", || "your new ".repeat(100) + "key"),
    ("a subject of notices", || "important notice: ".repeat(54)),
    ("a subject of encoded words", || fill("=?utf-8?q?your_new_key?=\r\n ").trim_end().to_owned()),
];

impl Worst {
    /// Signed, ready to be delivered.
    pub fn mail(&self, signer: &Signer) -> Vec<u8> {
        signer.sign(&self.unsigned())
    }

    pub fn unsigned(&self) -> Vec<u8> {
        let header = (self.header)();
        let own = header.split_once(':').map_or("", |(name, _)| name);
        let usual = usual("Your Leaf7 API key has been rotated");
        let usual = usual.split_inclusive("\r\n").filter(|line| !line.starts_with(&format!("{own}:")));
        format!("{}{header}\r\n{}", usual.collect::<String>(), (self.body)()).into_bytes()
    }
}

/// A mail with such a subject.
pub fn with_subject(signer: &Signer, subject: &str) -> Vec<u8> {
    signer.sign(format!("{}{TEXT}\r\nHello\r\n", usual(subject)).as_bytes())
}

/// Ten signatures by one key over one mebibyte, each in its own form and each broken only in its last step.
pub fn many_signatures(signer: &Signer) -> Vec<u8> {
    let body = fill("some words of  a text \r\n");
    let mut mail = format!("{}{TEXT}\r\n{body}", usual("Your Leaf7 API key has been rotated")).into_bytes();
    for _ in 0..10 {
        mail = signer.sign(&mail);
    }
    String::from_utf8_lossy(&mail).replacen("From: Leaf7", "From:  LEAF7", 1).into_bytes()
}

fn usual(subject: &str) -> String {
    format!(
        "From: Leaf7 <noreply@leaf7.fun>\r\nTo: rotation@example.com\r\nSubject: {subject}\r\n\
        Date: Fri, 20 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@leaf7.fun>\r\nMIME-Version: 1.0\r\n"
    )
}

fn fill(with: &str) -> String {
    with.repeat(SIZE / with.len())
}

fn fill_with(with: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(SIZE);
    let mut nth = 0;
    while text.len() < SIZE - 64 {
        text += &with(nth);
        nth += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_larger_than_what_is_read_whole() {
        let signer = Signer::generate("leaf7.fun", "s1").unwrap();
        for worst in &WORST {
            let size = worst.mail(&signer).len();
            assert!(size <= 1 << 20, "{}: {size}", worst.name);
        }
        assert!(many_signatures(&signer).len() <= 1 << 20);
    }
}
