//! A mail up to its recipients and no further: whether an alert would be taken, without sending one.

use super::{Smtp, accepted, trouble::Trouble};
use crate::domain::spell_duration;
use lettre::{
    Address,
    message::Mailbox,
    transport::smtp::{
        client::AsyncSmtpConnection,
        commands::{Mail as MailFrom, Rcpt, Rset},
    },
};

/// What the server says to sender and recipients before any mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehearsed {
    pub taken: Vec<String>,
    /// Recipient and the server's reason.
    pub refused: Vec<(String, String)>,
}

/// Why it came to no recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRehearsed {
    /// The server said no: to the login, or to the sender.
    Refused(String),
    /// No connection, or no answer.
    Unreachable(String),
}

impl Smtp {
    /// Connects, logs in, names the sender and each recipient, and takes it all back (RSET). Ends within
    /// `Limits::smtp_timeout`.
    pub async fn rehearse(&self, recipients: &[String]) -> Result<Rehearsed, NotRehearsed> {
        let mut doing = "connecting".to_owned();
        let conversation = async {
            let mut connection = self.open(&mut doing).await?;
            let rehearsed =
                name_everybody(&mut connection, &self.settings.from, recipients, &mut doing).await;
            // What the server says of it is known: how it says goodbye does not change it.
            connection.quit().await.ok();
            rehearsed
        };
        let result = match tokio::time::timeout(self.timeout, conversation).await {
            Ok(result) => result,
            Err(_) => Err(Trouble::Silent(format!("gave no answer within {}", spell_duration(self.timeout)))),
        };
        result.map_err(|trouble| match trouble.with_place(&self.server(), &doing) {
            Trouble::Permanent(why) | Trouble::Passing(why) => NotRehearsed::Refused(why),
            Trouble::Silent(why) => NotRehearsed::Unreachable(why),
        })
    }
}

async fn name_everybody(
    connection: &mut AsyncSmtpConnection,
    from: &str,
    recipients: &[String],
    doing: &mut String,
) -> Result<Rehearsed, Trouble> {
    *doing = "naming the sender".into();
    accepted(connection.command(MailFrom::new(Some(address(from)?), Vec::new())).await)?;
    let mut rehearsed = Rehearsed::default();
    for to in recipients {
        *doing = format!("naming {to}");
        match accepted(connection.command(Rcpt::new(address(to)?, Vec::new())).await) {
            Ok(()) => rehearsed.taken.push(to.clone()),
            Err(Trouble::Permanent(why) | Trouble::Passing(why)) => rehearsed.refused.push((to.clone(), why)),
            Err(Trouble::Silent(why)) => return Err(Trouble::Silent(why)),
        }
    }
    *doing = "taking it back".into();
    accepted(connection.command(Rset).await)?;
    Ok(rehearsed)
}

fn address(text: &str) -> Result<Address, Trouble> {
    let parsed = text.parse::<Mailbox>().map(|mailbox| mailbox.email);
    parsed.map_err(|_| Trouble::Permanent(format!("is not asked: \"{text}\" is no mail address")))
}
