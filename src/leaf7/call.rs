//! One request, over a connection of its own: what goes wrong on one that was kept is harder to judge.

use super::{Answer, Operation, answer};
use crate::{
    ask::{date, is_private, name_trouble, retry_after, whole_body},
    domain::{Key, Timestamp},
    vendor::Profile,
};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION},
};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// A list may be long, and its vendor slow to make it.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Some thirty thousand keys.
const BYTES_MAX: usize = 8 << 20;

/// Asks once. Whatever goes wrong is an answer that says what, and whether something may have been done.
pub async fn call(client: &Client, profile: &Profile, key: &Key, operation: &Operation) -> Answer {
    let (url, authorization) = match request(profile, key, operation) {
        Ok(parts) => parts,
        Err(why) => return Answer::NotDone { why },
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let mut request = client
        .request(operation.method(), url.clone())
        .timeout(TIMEOUT)
        .header(AUTHORIZATION, authorization)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/json");
    if let Some(body) = operation.body() {
        request = request.body(body.to_string());
    }
    match request.send().await {
        Ok(response) => read(operation, &url, response).await,
        Err(error) => {
            let why = name_trouble(&error, &host, TIMEOUT);
            // Without a connection nothing was sent.
            if error.is_connect() { Answer::NotDone { why } } else { Answer::Unclear { why } }
        }
    }
}

async fn read(operation: &Operation, url: &Url, mut response: Response) -> Answer {
    let status = response.status();
    if status.is_redirection() {
        return redirected(url, &response);
    }
    let vendors_now = date(response.headers()).unwrap_or_else(|| Timestamp::from(SystemTime::now()));
    let retry_after = retry_after(status, response.headers(), vendors_now);
    let host = url.host_str().unwrap_or_default();
    match whole_body(&mut response, host, BYTES_MAX, TIMEOUT).await {
        Ok(body) => answer::read(operation, status, retry_after, &body),
        Err(why) => Answer::Unclear { why: format!("{}, but {why}", answer::spell(status)) },
    }
}

/// What is sent where; or what is wrong with the vendor's address.
fn request(profile: &Profile, key: &Key, operation: &Operation) -> Result<(Url, HeaderValue), String> {
    let base = Url::parse(&profile.base_url).map_err(|_| "base_url of the vendor is no URL".to_owned())?;
    if !is_private(&base) {
        return Err("base_url of the vendor is not https, so the key is not sent".to_owned());
    }
    let url = operation.url(&base).ok_or("base_url of the vendor has no paths below it")?;
    let text = Zeroizing::new(format!("Bearer {}", key.expose()));
    let mut value =
        HeaderValue::from_str(&text).map_err(|_| "the key cannot stand in a header".to_owned())?;
    value.set_sensitive(true);
    Ok((url, value))
}

/// The target is not named: it is the answer's text, and may repeat what was sent.
fn redirected(url: &Url, response: &Response) -> Answer {
    let status = response.status();
    let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = target.and_then(|target| url.join(target).ok());
    let whereto = match target.map(|target| target.origin() == url.origin()) {
        Some(true) => "to another path of the same host",
        Some(false) => "to another host",
        None => "to nowhere",
    };
    let why = format!("{}: a redirect {whereto}, which is not followed", answer::spell(status));
    // Only this one says that the request was done.
    if status == StatusCode::SEE_OTHER { Answer::Unclear { why } } else { Answer::NotDone { why } }
}
