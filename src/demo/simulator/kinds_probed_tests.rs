//! The built-in profiles against the vendors that they describe.

use super::*;
use crate::domain::{Limits, ProbeAnswer, Verdict};
use crate::probe::Prober;
use crate::vendor::resolve;

const ORG: &str = "5f0c0d9c-5c3c-4a39-9d9b-3f0e0f6f9f11";

struct Place {
    vendor: Simulator,
    ours: AccountId,
    theirs: AccountId,
    name: &'static str,
}

impl Place {
    async fn of(kind: Kind, name: &'static str) -> Self {
        let vendor = start(Options::calm(kind)).await.unwrap();
        let ours = vendor.new_account("Acme Inc", &[ORG]);
        let theirs = vendor.new_account("Other Inc", &["00000000-0000-4000-8000-000000000002"]);
        Self { vendor, ours, theirs, name }
    }

    async fn probe(&self, key: &Key) -> ProbeAnswer {
        let mut profiles = resolve(&BTreeMap::new()).unwrap();
        let profile = profiles.remove(&self.name.parse().unwrap()).unwrap();
        let params = [("host", "api.example.com"), ("org_uuid", ORG)];
        let params: BTreeMap<_, _> = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut profile = profile.filled(&params);
        profile.base_url = self.vendor.base_url();
        Prober::new(&Limits::default()).unwrap().probe(&profile, key).await
    }

    fn key(&self) -> Key {
        self.vendor.current_key(self.ours)
    }

    async fn verdict(&self, key: &Key) -> Verdict {
        self.probe(key).await.verdict
    }
}

const PLACES: [(Kind, &str); 4] =
    [(Kind::Leaf7, "leaf7"), (Kind::LeafPad, "leafpad"), (Kind::Leadey, "leadey"), (Kind::Legba, "legba")];

#[tokio::test]
async fn a_live_key_is_alive_a_revoked_and_a_random_one_are_dead_and_nothing_is_written() {
    for (kind, name) in PLACES {
        let place = Place::of(kind, name).await;
        let key = place.key();
        let random = crate::probe::random_like(&key.shape(), &mut || 7);
        assert_eq!(place.verdict(&key).await, Verdict::Alive, "{name}");
        assert_eq!(place.verdict(&random).await, Verdict::Dead, "{name}");
        place.vendor.revoke(&key);
        let answer = place.probe(&key).await;
        assert_eq!((answer.verdict, answer.wrote), (Verdict::Dead, false), "{name}: {}", answer.why);
        assert_eq!(place.vendor.documents(), 0);
    }
}

#[tokio::test]
async fn each_noise_is_unclear_to_every_profile() {
    for (kind, name) in PLACES {
        let place = Place::of(kind, name).await;
        let noises = [
            Faults { limited_percent: 100, ..Faults::none() },
            Faults { failing_percent: 100, ..Faults::none() },
            Faults { reset_percent: 100, ..Faults::none() },
            Mode::WebPage.into(),
            Mode::CaptivePortal.into(),
            Mode::Unavailable.into(),
        ];
        for faults in noises {
            place.vendor.set_faults(faults.clone());
            let answer = place.probe(&place.key()).await;
            assert_eq!(answer.verdict, Verdict::Unclear, "{name} {faults:?}: {}", answer.why);
        }
        assert_eq!(place.vendor.documents(), 0);
    }
}

#[tokio::test]
async fn the_account_is_what_the_vendor_proves() {
    for (kind, name) in PLACES {
        let place = Place::of(kind, name).await;
        let account = place.probe(&place.key()).await.account.unwrap_or_default();
        assert_eq!(account, place.vendor.account(place.ours), "{name}");
        let theirs = place.probe(&place.vendor.current_key(place.theirs)).await;
        let shares = theirs.account.unwrap_or_default().shares_with(&account);
        assert!(!shares, "{name}: another customer's key is of another account");
    }
}

#[tokio::test]
async fn leafpads_refusals_of_a_body_are_a_live_key_and_a_success_says_that_it_wrote() {
    let place = Place::of(Kind::LeafPad, "leafpad").await;
    for unfit_body in [UnfitBody::Unprocessable, UnfitBody::BadRequest, UnfitBody::UnsupportedMediaType] {
        place.vendor.set_faults(unfit_body);
        let answer = place.probe(&place.key()).await;
        assert_eq!((answer.verdict, answer.wrote), (Verdict::Alive, false), "{unfit_body:?}");
    }
    assert_eq!(place.vendor.documents(), 0);
    place.vendor.set_faults(UnfitBody::Written);
    let answer = place.probe(&place.key()).await;
    assert_eq!((answer.verdict, answer.wrote, place.vendor.documents()), (Verdict::Unclear, true, 1));
}

#[tokio::test]
async fn leadeys_key_without_credits_or_rights_is_alive_and_its_label_is_the_dashboards_end() {
    let place = Place::of(Kind::Leadey, "leadey").await;
    let key = place.key();
    for mode in [Mode::CreditsTooLow, Mode::NotAllowed] {
        place.vendor.set_faults(mode);
        assert_eq!(place.verdict(&key).await, Verdict::Alive, "{mode:?}");
    }
    let label = place.probe(&key).await.label.unwrap();
    let last = &key.expose()[key.expose().len() - 4..];
    assert!(label.ends_with(last) && place.vendor.masked(&key).ends_with(last), "{label}");
}

#[tokio::test]
async fn legbas_key_is_labelled_by_its_id_and_one_of_another_organization_is_not_alive_here() {
    let place = Place::of(Kind::Legba, "legba").await;
    let key = place.key();
    assert_eq!(place.probe(&key).await.label, Some(place.vendor.key_id(&key)));
    assert_ne!(place.verdict(&place.vendor.current_key(place.theirs)).await, Verdict::Alive);
}
