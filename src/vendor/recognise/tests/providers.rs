//! `Authentication-Results` in the forms in which real providers write them, each above a mail that is genuine or
//! forged, and what becomes of it where the provider's own id is pinned: `providers/*.yaml`. The forms are the
//! providers', the mails are ours.

use super::*;
use crate::demo::mails::CONFIRMATIONS;
use std::{fs, path::Path};

/// One provider.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    /// What an operator pins there.
    ids: Vec<String>,
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    about: String,
    /// Who signed the mail in the vendor's place: nobody, or a stranger.
    signed: Option<String>,
    /// What stands above the sender's own header.
    fields: String,
    becomes: Outcome,
    #[serde(default)]
    why: String,
}

fn providers() -> BTreeMap<String, Provider> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vendor/recognise/tests/providers");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let provider = yaml_serde::from_str(&fs::read_to_string(&path).unwrap());
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, provider.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    files.map(read).collect()
}

#[test]
fn r11_m20_m22_m24_three_hundred_and_ten_samples_of_real_providers_forms_become_what_is_expected() {
    let (mut samples, mut forged, mut held, mut wrong) = (0, 0, 0, Vec::new());
    for (name, provider) in providers() {
        for sample in provider.samples {
            let mut world = World { authserv_ids: provider.ids.clone(), ..World::new() };
            let mail = world.fill(CONFIRMATIONS[samples % CONFIRMATIONS.len()].1);
            let signed = match sample.signed.as_deref() {
                None => world.signer.sign(&mail),
                Some("nobody") => mail,
                Some(domain) => {
                    let signer = Signer::generate(domain, "s1").unwrap();
                    publish(&mut world.answers, &signer);
                    signer.sign(&mail)
                }
            };
            let fields = sample.fields.replace('\n', "\r\n");
            let recognised = world.recognise(&[fields.as_bytes(), &signed].concat());
            let about = format!("{name}, {}", sample.about);
            let found = outcome(&recognised.finding);
            if found != (sample.becomes, sample.why.as_str()) {
                wrong.push(format!("{about}: {found:?}"));
            }
            let is_taken = sample.becomes == Outcome::NewKey;
            assert!(sample.signed.is_none() || !is_taken, "{about}: a forged mail is taken");
            samples += 1;
            forged += usize::from(sample.signed.is_some());
            held += usize::from(sample.signed.is_none() && !is_taken);
            // The positive control: without what the server wrote the genuine mail is taken.
            if sample.signed.is_none() {
                assert_eq!(outcome(&world.recognise(&signed).finding), (Outcome::NewKey, ""), "{about}");
            }
        }
    }
    println!("{samples} samples, {forged} of them forged; {held} of the genuine ones are held");
    assert_eq!(wrong, [""; 0]);
    assert_eq!((samples, forged), (310, 18));
}
