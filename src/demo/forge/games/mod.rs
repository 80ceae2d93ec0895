//! The forger's steps, by family. Each makes every mail that it is taken on one that must not be let in, whatever
//! other step was taken before or is taken after it.

mod charset;
pub(super) mod echo;
mod header;
mod html;
mod mime;
mod sender;
mod signature;

use super::{dice::Dice, draft::Draft};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    Header,
    Sender,
    Mime,
    Charset,
    Html,
    Signature,
    Echo,
}

impl Family {
    pub const ALL: [Family; 7] = [
        Family::Header,
        Family::Sender,
        Family::Mime,
        Family::Charset,
        Family::Html,
        Family::Signature,
        Family::Echo,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Family::Header => "header games",
            Family::Sender => "From forms",
            Family::Mime => "MIME ambiguities",
            Family::Charset => "charset and encoding tricks",
            Family::Html => "HTML hiding",
            Family::Signature => "signature games",
            Family::Echo => "echoes in other mails",
        }
    }

    pub(super) fn steps(self) -> &'static [Step] {
        match self {
            Family::Header => header::STEPS,
            Family::Sender => sender::STEPS,
            Family::Mime => mime::STEPS,
            Family::Charset => charset::STEPS,
            Family::Html => html::STEPS,
            Family::Signature => signature::STEPS,
            Family::Echo => echo::STEPS,
        }
    }
}

/// One thing that a forger does.
pub(super) struct Step {
    /// Completes "forged: ".
    pub name: &'static str,
    /// What the genuine mail says, where the step writes a text of its own.
    pub honest: Option<fn(&mut Draft, &mut Dice)>,
    pub take: fn(&mut Draft, &mut Dice),
}

pub(super) fn any(dice: &mut Dice) -> (Family, &'static Step) {
    let family = dice.pick(&Family::ALL);
    let steps = family.steps();
    (family, &steps[dice.below(steps.len())])
}

/// A step on any mail.
const fn step(name: &'static str, take: fn(&mut Draft, &mut Dice)) -> Step {
    Step { name, honest: None, take }
}

/// A step that writes a text of its own.
const fn written(
    name: &'static str,
    honest: fn(&mut Draft, &mut Dice),
    take: fn(&mut Draft, &mut Dice),
) -> Step {
    Step { name, honest: Some(honest), take }
}
