//! What becomes of the vendor's mails on their way: some come twice, some come in another order.

use super::simulator::Dice;

/// Percentages are of all mails, drawn one by one.
#[derive(Clone)]
pub struct Post<T> {
    /// The same bytes come once more.
    pub duplicate_percent: u8,
    /// A mail that may wait comes only after the next one. (Not each may: a confirmation that waited for the next
    /// warning would come when the old key is dead.)
    pub out_of_order_percent: u8,
    dice: Dice,
    held: Option<T>,
}

impl<T: Clone> Post<T> {
    pub fn calm(seed: u64) -> Self {
        Self { duplicate_percent: 0, out_of_order_percent: 0, dice: Dice::new(seed), held: None }
    }

    pub fn nasty(seed: u64) -> Self {
        Self { duplicate_percent: 2, out_of_order_percent: 2, ..Self::calm(seed) }
    }

    /// What arrives now, first things first.
    pub fn carry(&mut self, mail: T, may_wait: bool) -> Vec<T> {
        let copies = if self.dice.percent(self.duplicate_percent) { 2 } else { 1 };
        let overtaken = self.held.take();
        if self.dice.percent(self.out_of_order_percent) && may_wait {
            self.held = Some(mail);
            return overtaken.into_iter().collect();
        }
        std::iter::repeat_n(mail, copies).chain(overtaken).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(post: &mut Post<&'static str>) -> Vec<&'static str> {
        let mails = [("warning 1", true), ("key 1", false), ("warning 2", true), ("key 2", false)];
        mails.into_iter().flat_map(|(mail, may_wait)| post.carry(mail, may_wait)).collect()
    }

    #[test]
    fn calm_is_each_mail_once_and_in_order() {
        assert_eq!(arrived(&mut Post::calm(1)), ["warning 1", "key 1", "warning 2", "key 2"]);
    }

    #[test]
    fn each_fault_has_its_switch() {
        let mut twice = Post { duplicate_percent: 100, ..Post::calm(1) };
        let expected =
            ["warning 1", "warning 1", "key 1", "key 1", "warning 2", "warning 2", "key 2", "key 2"];
        assert_eq!(arrived(&mut twice), expected);
        let mut swapped = Post { out_of_order_percent: 100, ..Post::calm(1) };
        assert_eq!(arrived(&mut swapped), ["key 1", "warning 1", "key 2", "warning 2"]);
    }

    #[test]
    fn nasty_is_two_percent_each_and_the_same_again_with_its_seed() {
        let run = |seed| {
            let mut post = Post::nasty(seed);
            (0..10_000).map(|mail| post.carry(mail, true)).collect::<Vec<_>>()
        };
        let all: Vec<i32> = run(1).concat();
        let twice = all.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let swapped = all.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!((150..=250).contains(&twice) && (150..=250).contains(&swapped), "{twice} {swapped}");
        assert_eq!((run(1) == run(1), run(1) == run(2)), (true, false));
    }
}
