//! A rendered mail as the bytes that travel.

use super::super::render::{Mail, plain};
use crate::domain::Timestamp;
use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0,
};
use lettre::message::{Body, IntoBody, Mailbox};
use std::time::SystemTime;

/// The message, with the mail's own Message-ID and Date. The error names an address that is none.
pub(super) fn compose(mail: &Mail) -> Result<Message, String> {
    let mut message = Message::builder()
        .date(SystemTime::UNIX_EPOCH + mail.date.since(Timestamp::MIN))
        .from(mailbox(&mail.from)?)
        .subject(mail.subject.as_str())
        .message_id(Some(mail.message_id.clone()));
    for to in &mail.to {
        message = message.to(mailbox(to)?);
    }
    if let Some(first) = &mail.references {
        message = message.in_reply_to(first.clone()).references(first.clone());
    }
    for (name, value) in &mail.headers {
        message = message.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.clone()));
    }
    message
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(readable(&mail.body))
        .map_err(|_| "the mail has no recipient: name one in alerts.email.to".into())
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| format!("\"{}\" is no mail address: correct alerts.email", plain(text)))
}

/// As it is, or quoted-printable: never base64, so that what a mail holds can be searched for on the way.
fn readable(body: &str) -> Body {
    if body.is_ascii() {
        return Body::new(body.to_owned());
    }
    body.to_owned().into_body(Some(ContentTransferEncoding::QuotedPrintable))
}
