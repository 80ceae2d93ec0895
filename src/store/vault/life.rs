//! How long the login will be good for: what the store, or a certificate itself, says of each part that keyrelay cannot
//! replace. What the store's policy does not let us see is left out.

use super::{
    Auth, Transport,
    answer::{data, is_of_dead_token},
    failure::NoAnswer,
    login::Session,
    session::dead,
};
use crate::{
    domain::{Ending, LoginPart, StoreTrouble, Timestamp},
    tls,
};
use serde::Deserialize;
use std::time::Duration;
use vaultrs::api::{auth::approle::requests::ReadSecretIDRequest, token::requests::LookupTokenSelfRequest};
use zeroize::Zeroize;

pub(super) async fn endings(
    auth: &Auth,
    session: &Session,
    transport: &Transport,
) -> Result<Vec<Ending>, StoreTrouble> {
    let ending = match auth {
        Auth::Token(_) => token(session, transport).await?,
        Auth::AppRole { mount, .. } => secret_id(auth, mount, session, transport).await?,
        // The cluster gives the pod another one before it ends.
        Auth::Kubernetes { .. } => None,
        Auth::Cert { cert, .. } => tls::certificate_validity(cert).ok().map(|(from, until)| Ending {
            part: LoginPart::Certificate,
            from: Some(from),
            until: Some(until),
            uses_left: None,
            lost: None,
        }),
    };
    Ok(ending.into_iter().collect())
}

#[derive(Deserialize)]
struct TokenFacts {
    creation_time: i64,
    #[serde(default)]
    creation_ttl: u64,
    #[serde(default)]
    expire_time: Option<Timestamp>,
    #[serde(default)]
    explicit_max_ttl: u64,
    #[serde(default)]
    period: u64,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    num_uses: i64,
}

async fn token(session: &Session, transport: &Transport) -> Result<Option<Ending>, StoreTrouble> {
    let look = LookupTokenSelfRequest::default();
    let answer = transport.send(&look, Some(&session.token)).await.map_err(NoAnswer::into_trouble)?;
    if is_of_dead_token(&answer) {
        return Err(dead());
    }
    let cut = |given| {
        let cut = session.lease.filter(|lease| lease.is_cut(given) || !lease.is_renewable());
        cut.and_then(|_| session.ends_at())
    };
    let of = |from, until| Ending { part: LoginPart::Token, from, until, uses_left: None, lost: None };
    let Some(facts) = data::<TokenFacts>(&answer) else {
        return Ok(cut(Duration::ZERO).map(|until| of(Some(session.began), Some(until))));
    };
    let from = Timestamp::from_secs(facts.creation_time);
    let ending = of(Some(from), facts.end(from, cut(Duration::from_secs(facts.creation_ttl))));
    if facts.num_uses != 0 {
        let lost = format!(
            "it is good for {} more calls (num_uses), and keyrelay makes one every minute",
            facts.num_uses.max(0)
        );
        return Ok(Some(Ending { lost: Some(lost), ..ending }));
    }
    Ok(Some(ending).filter(|ending| ending.until.is_some()))
}

impl TokenFacts {
    /// When it ends although it is renewed. The longest life that its mount allows is not told; it shows when a renewal
    /// gives less than the one before (`cut`).
    fn end(&self, from: Timestamp, cut: Option<Timestamp>) -> Option<Timestamp> {
        let longest = (self.explicit_max_ttl > 0).then(|| from + Duration::from_secs(self.explicit_max_ttl));
        match (self.renewable, self.period > 0) {
            (false, _) => self.expire_time,
            (true, true) => longest,
            (true, false) => longest.into_iter().chain(cut).min(),
        }
    }
}

#[derive(Deserialize)]
struct SecretIdFacts {
    creation_time: Timestamp,
    expiration_time: Timestamp,
    #[serde(default)]
    secret_id_num_uses: u32,
}

/// A login tells the role's name, without which nobody may ask; and the policy has to allow
/// `auth/approle/role/NAME/secret-id/lookup`.
async fn secret_id(
    auth: &Auth,
    mount: &str,
    session: &Session,
    transport: &Transport,
) -> Result<Option<Ending>, StoreTrouble> {
    let role_name = session.role_name().clone();
    let (Some(role_name), Ok(secret_id)) = (role_name, auth.material()) else { return Ok(None) };
    let mut look =
        ReadSecretIDRequest { mount: mount.to_owned(), role_name, secret_id: secret_id.to_string() };
    let answer = transport.send(&look, Some(&session.token)).await;
    look.secret_id.zeroize();
    let answer = answer.map_err(NoAnswer::into_trouble)?;
    let of =
        |from, until, uses_left, lost| Ending { part: LoginPart::SecretId, from, until, uses_left, lost };
    if answer.status == 403 {
        // Not asked again with this token: an audit log would fill with it.
        *session.role_name() = None;
    }
    if answer.status == 204 {
        let lost = "the store does not know it any more: it has ended, was used up, or was revoked";
        return Ok(Some(of(None, None, None, Some(lost.to_owned()))));
    }
    let ending = data::<SecretIdFacts>(&answer).map(|facts| {
        // Without an end it says the year 1.
        let until = Some(facts.expiration_time).filter(|until| *until > facts.creation_time);
        let uses_left = Some(facts.secret_id_num_uses).filter(|uses| *uses > 0);
        of(Some(facts.creation_time), until, uses_left, None)
    });
    Ok(ending.filter(|ending| ending.until.is_some() || ending.uses_left.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(explicit_max_ttl: u64, period: u64, renewable: bool) -> TokenFacts {
        let expire_time = Some(Timestamp::from_secs(50));
        TokenFacts {
            creation_time: 0,
            creation_ttl: 50,
            expire_time,
            explicit_max_ttl,
            period,
            renewable,
            num_uses: 0,
        }
    }

    #[test]
    fn a_token_ends_where_no_renewal_leads_beyond() {
        let (from, at) = (Timestamp::from_secs(0), |secs| Some(Timestamp::from_secs(secs)));
        assert_eq!(facts(0, 0, false).end(from, None), at(50), "not renewable");
        assert_eq!(facts(0, 0, true).end(from, None), None, "renewable");
        assert_eq!(facts(90, 0, true).end(from, None), at(90), "with a longest life of its own");
        assert_eq!(facts(0, 0, true).end(from, at(70)), at(70), "a renewal was cut short");
        assert_eq!(facts(90, 0, true).end(from, at(70)), at(70));
        assert_eq!(facts(0, 60, true).end(from, at(70)), None, "periodic");
        assert_eq!(facts(90, 60, true).end(from, None), at(90), "periodic, to a point");
    }
}
