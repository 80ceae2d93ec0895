//! The same mails for a second parser (mail-parser): wherever keyrelay accepts, that one shows the same key.

use super::{Family, Outcome, World, families, outcome};
use mail_parser::{MessageParser, PartType};

/// What mail-parser shows of a mail: its text and HTML bodies, HTML as text.
fn shown(mail: &[u8]) -> String {
    let message = MessageParser::default().parse(mail).expect("it reads whatever it can");
    let bodies = message.text_bodies().chain(message.html_bodies());
    let text = bodies.filter_map(|part| match &part.body {
        PartType::Html(html) => Some(mail_parser::decoders::html::html_to_text(html)),
        PartType::Text(text) => Some(text.to_string()),
        _ => None,
    });
    text.collect::<Vec<_>>().join("\n")
}

fn counted(family: &Family, world: &World) -> (usize, usize, Vec<String>) {
    let (mut accepted, mut refused, mut disagreements) = (0, 0, Vec::new());
    for case in family.controls.iter().chain(&family.cases) {
        let mail = family.mail(world, case).signed;
        let recognised = world.recognise(&mail);
        match (outcome(&recognised.finding).0, &recognised.key) {
            (Outcome::NewKey, Some(key)) => {
                accepted += 1;
                if !shown(&mail).contains(key.expose()) {
                    disagreements.push(format!("{}, {}: {}", family.family, case.name, shown(&mail)));
                }
            }
            _ => refused += 1,
        }
    }
    (accepted, refused, disagreements)
}

#[test]
fn r16_a_second_parser_finds_the_same_key_wherever_one_is_accepted() {
    let world = World::new();
    let families = families();
    let family = families.iter().find(|family| family.family == "character sets and encodings").unwrap();
    let (accepted, refused, disagreements) = counted(family, &world);
    println!("{accepted} accepted, with the same key by both parsers; {refused} refused");
    assert_eq!(disagreements, Vec::<String>::new());
    assert!(accepted >= 20, "{accepted} accepted of {}", accepted + refused);
    assert!(refused >= 60, "{refused} refused of {}", accepted + refused);
}

#[test]
fn a_second_parser_finds_the_same_key_in_the_controls_of_every_family() {
    let world = World::new();
    let (mut all, mut disagree) = (0, Vec::new());
    for family in families() {
        let (accepted, _, disagreements) = counted(&family, &world);
        all += accepted;
        disagree.extend(disagreements);
    }
    println!("{all} accepted, with the same key by both parsers");
    assert_eq!(disagree, Vec::<String>::new());
    assert!(all >= 60, "{all}");
}
