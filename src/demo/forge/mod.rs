//! Mails out of a seed: genuine ones as the many programs write, sign and carry them, and forgeries, each of them a
//! genuine mail with a forger's steps on it. For tests, long runs and fuzzing; the same seed makes the same mail. It
//! knows how mails are made and nothing of how they are judged, but for [`Mailroom::judge`], which asks.

mod content;
mod dice;
mod draft;
mod games;
mod genuine;
mod header;
mod mailroom;
mod seal;
mod wording;

#[cfg(test)]
mod tests;

pub use dice::Dice;
pub use draft::Draft;
pub use games::Family;
pub use mailroom::Mailroom;

use crate::{domain::Finding, vendor::Recognised};

/// A forgery, and the genuine mail that it was.
pub struct Forgery {
    /// The first step's.
    pub family: Family,
    pub genuine: Draft,
    pub forged: Draft,
    /// The steps, in words.
    pub steps: Vec<&'static str>,
}

/// The genuine mail of a seed.
pub fn genuine(seed: u64) -> Draft {
    genuine::draft(&mut Dice::new(seed))
}

/// The forgery of a seed: one to three steps on a genuine mail.
pub fn forgery(seed: u64) -> Forgery {
    let mut dice = Dice::new(seed);
    let mut genuine = genuine::draft(&mut dice);
    let (family, first) = games::any(&mut dice);
    if let Some(honest) = first.honest {
        honest(&mut genuine, &mut dice);
    }
    let mut forged = genuine.clone();
    let mut steps = vec![first];
    while steps.len() < 3 && dice.chance(15) {
        steps.push(games::any(&mut dice).1);
    }
    let names = steps.iter().map(|step| step.name).collect();
    for step in steps {
        forged.story.push(format!("forged: {}", step.name));
        (step.take)(&mut forged, &mut dice);
    }
    Forgery { family, genuine, forged, steps: names }
}

/// Whether a key was let in.
pub fn is_accepted(recognised: &Recognised) -> bool {
    matches!(recognised.finding, Finding::NewKey(_))
}

/// A verdict's name, for counts.
pub fn verdict(finding: &Finding) -> &'static str {
    match finding {
        Finding::NewKey(_) => "NewKey",
        Finding::Warning(_) => "Warning",
        Finding::Known { .. } => "Known",
        Finding::Wait { .. } => "Wait",
        Finding::Held { .. } => "Held",
        Finding::Suspicious { .. } => "Suspicious",
        Finding::Unparsed { .. } => "Unparsed",
        Finding::NotOurs { .. } => "NotOurs",
    }
}
