use super::super::tests::calm;
use super::*;
use crate::domain::Code;
use crate::face::status::OpenIncident;

#[test]
fn only_what_somebody_must_look_at_makes_status_fail() {
    for (severity, exit) in
        [(Severity::Info, Exit::Done), (Severity::Warning, Exit::NotHeld), (Severity::Urgent, Exit::NotHeld)]
    {
        let mut of_credential = calm();
        of_credential.credentials[0].incidents.push(incident(severity));
        assert_eq!(open(&of_credential), exit, "{severity}");
        let mut of_nobody = calm();
        of_nobody.incidents.push(incident(severity));
        assert_eq!(open(&of_nobody), exit, "{severity}");
    }
    assert_eq!(open(&calm()), Exit::Done);
}

fn incident(severity: Severity) -> OpenIncident {
    OpenIncident {
        code: Code::StoreSealed,
        severity,
        since: "2026-11-21T09:00:00Z".parse().unwrap(),
        credential: None,
        message: "the store is sealed".into(),
        hint: "unseal it".into(),
        until: None,
        count: 1,
    }
}
