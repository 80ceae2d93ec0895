//! The whole decision about a genuine mail that was changed on its way: whatever was cut, put in and turned around, a
//! key that is let in is the one that was signed, and so is everything that is said of it. Eight bytes choose the
//! mail, the others the changes.
#![no_main]

use arbitrary::Arbitrary;
use keyrelay::{demo::forge, domain::Finding};
use keyrelay_fuzz::{MAILROOM, assert_finding};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Put { at: u16, bytes: &'a [u8] },
    PutLine { line: u8, from: Line, value: &'a str },
    Cut { at: u16, length: u8 },
    Set { at: u16, byte: u8 },
    Move { line: u8, to: u8 },
    Double { line: u8, to: u8 },
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Line {
    From,
    To,
    Subject,
    Date,
    ContentType,
    Encoding,
    Disposition,
    Signature,
    Results,
    Boundary,
    Fold,
    Empty,
}

impl Line {
    fn start(self) -> &'static str {
        match self {
            Line::From => "From: ",
            Line::To => "To: ",
            Line::Subject => "Subject: ",
            Line::Date => "Date: ",
            Line::ContentType => "Content-Type: ",
            Line::Encoding => "Content-Transfer-Encoding: ",
            Line::Disposition => "Content-Disposition: ",
            Line::Signature => "DKIM-Signature: ",
            Line::Results => "Authentication-Results: ",
            Line::Boundary => "--",
            Line::Fold => " ",
            Line::Empty => "",
        }
    }
}

impl Change<'_> {
    fn make(&self, mail: &mut Vec<u8>) {
        let place = |at: u16| usize::from(at) % (mail.len() + 1);
        match self {
            Change::Put { at, bytes } => {
                let at = place(*at);
                mail.splice(at..at, bytes.iter().copied());
            }
            Change::Cut { at, length } => {
                let at = place(*at);
                let end = (at + usize::from(*length)).min(mail.len());
                mail.drain(at..end);
            }
            Change::Set { at, byte } => {
                let at = place(*at);
                if let Some(there) = mail.get_mut(at) {
                    *there = *byte;
                }
            }
            Change::PutLine { line, from, value } => {
                let line_text = format!("{}{value}\r\n", from.start()).into_bytes();
                lines(mail, |lines| lines.insert(usize::from(*line) % (lines.len() + 1), line_text));
            }
            Change::Move { line, to } => lines(mail, |lines| {
                let moved = lines.remove(usize::from(*line) % lines.len());
                lines.insert(usize::from(*to) % (lines.len() + 1), moved);
            }),
            Change::Double { line, to } => lines(mail, |lines| {
                let double = lines[usize::from(*line) % lines.len()].clone();
                lines.insert(usize::from(*to) % (lines.len() + 1), double);
            }),
        }
    }
}

fn lines(mail: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut lines: Vec<Vec<u8>> = mail.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    if !lines.is_empty() {
        change(&mut lines);
    }
    *mail = lines.concat();
}

fuzz_target!(init: keyrelay_fuzz::init(), |input: (u64, Vec<Change<'_>>)| {
    let (seed, changes) = input;
    // A few hundred mails are all layouts; a fuzzer should change them, not collect them.
    let draft = forge::genuine(seed % 512);
    let genuine = draft.mail(&MAILROOM);
    let mut mail = genuine.clone();
    changes.iter().take(64).for_each(|change| change.make(&mut mail));
    let recognised = MAILROOM.judge(&mail, &draft);
    assert_finding(&recognised);
    match &recognised.finding {
        Finding::NewKey(confirmation) => {
            let before = MAILROOM.judge(&genuine, &draft);
            let Finding::NewKey(genuine) = before.finding else { panic!("{:?}", before.finding) };
            assert!(recognised.key.as_ref() == Some(&draft.key), "another key than the one that was signed");
            assert_eq!((confirmation.dated, &confirmation.mail.from), (genuine.dated, &genuine.mail.from));
            assert_eq!(confirmation.mail.signed_by, "leaf7.fun");
        }
        Finding::Warning(_) => panic!("a confirmation became a warning: {:?}", recognised.finding),
        Finding::Known { .. } | Finding::Held { .. } => assert!(recognised.key.is_some()),
        Finding::Wait { .. }
        | Finding::Suspicious { .. }
        | Finding::Unparsed { .. }
        | Finding::NotOurs { .. } => {
            assert!(recognised.key.is_none())
        }
    }
});
