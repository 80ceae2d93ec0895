use super::*;
use serde_json::json;
use zeroize::Zeroizing;

const DOING: &str = "reading secret/data/x";

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, date: None, location: None, node: 0, body: Zeroizing::new(body.as_bytes().to_vec()) }
}

fn errors_answer(status: u16, error: &str) -> Answer {
    answer(status, &json!({"errors": [error]}).to_string())
}

fn kv(status: u16, data: Value, deletion_time: &str) -> Answer {
    let metadata = json!({
        "created_time": "2026-11-21T09:00:00.123456789Z", "custom_metadata": null,
        "deletion_time": deletion_time, "destroyed": false, "version": 4
    });
    envelope(status, json!({"data": data, "metadata": metadata}))
}

fn envelope(status: u16, data: Value) -> Answer {
    let body = json!({
        "request_id": "", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data,
        "wrap_info": null, "warnings": null, "auth": null
    });
    answer(status, &body.to_string())
}

fn failed(read: Read) -> StoreTrouble {
    match read {
        Read::Failed(trouble) => trouble,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_version_is_present_with_its_number_and_its_time() {
    let Read::Present(document) = read(&kv(200, json!({"api_key": "x"}), ""), DOING) else { panic!() };
    assert_eq!((document.version, document.created_at.to_string()), (4, "2026-11-21T09:00:00.123Z".into()));
    assert_eq!(document.fields.to_json(), json!({"api_key": "x"}));
}

#[test]
fn deleted_is_not_absent() {
    assert!(matches!(
        read(&kv(404, json!(null), "2026-11-21T09:30:00Z"), DOING),
        Read::Deleted { version: 4 }
    ));
    assert!(matches!(read(&answer(404, r#"{"errors":[]}"#), DOING), Read::Absent));
}

#[test]
fn a_404_of_anybody_else_is_neither() {
    let mounted = errors_answer(404, "no handler for route \"secret/data/x\". route entry not found.");
    assert_eq!(
        failed(read(&mounted, DOING)),
        StoreTrouble::Refused("reading secret/data/x: nothing is mounted there; look at the mount".into())
    );
    for (body, why) in [
        ("<html>not found</html>", "404"),
        ("", "404"),
        (r#"{"errors":["namespace not found"]}"#, "404 (namespace not found)"),
    ] {
        let expected = StoreTrouble::Refused(format!("reading secret/data/x: {why}"));
        assert_eq!(failed(read(&answer(404, body), DOING)), expected);
    }
}

#[test]
fn a_200_that_is_no_kv_version_2_is_refused_without_being_quoted() {
    let not_kv2 = StoreTrouble::Refused(
        "reading secret/data/x: the answer is not that of a KV version 2 engine; look at the mount".into(),
    );
    for body in ["canary", "{}", r#"{"data":{"api_key":"canary"}}"#] {
        assert_eq!(failed(read(&answer(200, body), DOING)), not_kv2);
    }
    assert_eq!(failed(read(&kv(200, json!("canary"), ""), DOING)), not_kv2);
    assert_eq!(failed(read(&envelope(200, json!({"api_key": "canary"})), DOING)), not_kv2);
}

#[test]
fn a_server_that_quotes_us_is_not_quoted_to_the_operator() {
    for status in [400, 403, 429, 500, 502] {
        let text = failed(read(&errors_answer(status, "cannot parse: canary"), DOING)).to_string();
        assert!(!text.contains("canary") && text.contains(&status.to_string()), "{text}");
    }
}

#[test]
fn h08_each_trouble_is_told_by_its_own_name() {
    let told = |answer: &Answer| trouble(answer, DOING);
    assert_eq!(told(&errors_answer(503, "Vault is sealed")), StoreTrouble::Sealed);
    assert_eq!(
        told(&errors_answer(403, "permission denied")),
        StoreTrouble::Forbidden("reading secret/data/x: 403 (permission denied)".into())
    );
    assert_eq!(told(&answer(503, "<html>")), StoreTrouble::Unreachable("reading secret/data/x: 503".into()));
    assert_eq!(
        told(&errors_answer(429, "request path \"x\": rate limit quota exceeded")),
        StoreTrouble::Refused("reading secret/data/x: 429 (rate limit quota exceeded)".into())
    );
    assert_eq!(
        told(&errors_answer(412, "required index state not present")),
        StoreTrouble::Unreachable(
            "reading secret/data/x: this node does not know of the last write yet".into()
        )
    );
    assert_eq!(
        told(&answer(302, "")),
        StoreTrouble::Unreachable("reading secret/data/x: a redirect (302) that is not followed".into())
    );
}

#[test]
fn a_writes_answer_is_its_version() {
    let metadata = json!({
        "created_time": "2026-11-21T09:00:00Z", "custom_metadata": null, "deletion_time": "", "destroyed": false,
        "version": 5
    });
    assert_eq!(write(&envelope(200, metadata), DOING), WriteOutcome::Written { version: 5 });
}

#[test]
fn only_the_check_and_sets_own_text_is_a_mismatch() {
    assert_eq!(write(&errors_answer(400, MISMATCH), DOING), WriteOutcome::Mismatch);
    assert_eq!(
        write(&errors_answer(400, "check-and-set parameter required for this call"), DOING),
        WriteOutcome::Failed(StoreTrouble::Refused(
            "reading secret/data/x: 400 (check-and-set parameter required for this call)".into()
        ))
    );
}

#[test]
fn after_an_error_of_the_server_nobody_knows_whether_it_was_written() {
    for status in [500, 502, 503, 504] {
        assert_eq!(
            write(&answer(status, "<html>"), DOING),
            WriteOutcome::Unknown(format!("reading secret/data/x: {status}"))
        );
    }
    assert_eq!(
        write(&answer(200, "?"), DOING),
        WriteOutcome::Unknown("reading secret/data/x: the answer to it makes no sense".into())
    );
    assert_eq!(
        write(&errors_answer(503, "Vault is sealed"), DOING),
        WriteOutcome::Failed(StoreTrouble::Sealed)
    );
}

#[test]
fn a_write_that_version_1_took_is_refused() {
    assert_eq!(
        write(&answer(204, ""), DOING),
        WriteOutcome::Failed(StoreTrouble::Refused(
            "reading secret/data/x: the answer is not that of a KV version 2 engine; look at the mount"
                .into()
        ))
    );
}

#[test]
fn health_is_what_the_body_says() {
    let says = |status, initialized, sealed| {
        health(&answer(status, &json!({"initialized": initialized, "sealed": sealed}).to_string()))
    };
    assert_eq!(says(200, true, false), Ok(()));
    assert_eq!(says(429, true, false), Ok(()), "a standby");
    assert_eq!(says(503, true, true), Err(StoreTrouble::Sealed));
    assert_eq!(
        says(501, false, true),
        Err(StoreTrouble::Refused("it is not initialised; type: bao operator init".into()))
    );
    assert_eq!(
        health(&answer(200, "<html>")),
        Err(StoreTrouble::Refused("what answers at its address is neither Vault nor OpenBao".into()))
    );
}

#[test]
fn h08_a_node_is_what_its_health_says() {
    let says = |standby: Value| {
        let body = json!({"initialized": true, "sealed": false, "standby": standby});
        condition(&answer(if standby == json!(true) { 429 } else { 200 }, &body.to_string()))
    };
    assert_eq!((says(json!(false)), says(json!(true))), (Condition::Active, Condition::Standby));
    let sealed = answer(503, &json!({"initialized": true, "sealed": true, "standby": true}).to_string());
    assert_eq!(condition(&sealed), Condition::Sealed);
    let mirror = json!({"initialized": true, "sealed": false, "standby": false});
    assert_eq!(condition(&answer(472, &mirror.to_string())), Condition::Strange);
    for strange in [r#"{"initialized":false,"sealed":true}"#, "<html>", "{}"] {
        assert_eq!(condition(&answer(200, strange)), Condition::Strange);
    }
}

#[test]
fn without_an_active_node_a_write_was_surely_not_done() {
    let leaderless = errors_answer(500, "local node not active but active cluster node not found");
    assert_eq!(
        write(&leaderless, DOING),
        WriteOutcome::Failed(StoreTrouble::Unreachable("reading secret/data/x: no node is active".into()))
    );
}

#[test]
fn a_dead_token_is_told_from_one_that_may_not_ask() {
    assert!(is_of_dead_token(&errors_answer(403, "permission denied")), "OpenBao");
    let vault = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";
    assert!(is_of_dead_token(&errors_answer(403, vault)), "Vault");
    let lives = "1 error occurred:\n\t* permission denied\n\n";
    assert!(!is_of_dead_token(&errors_answer(403, lives)));
    assert!(!is_of_dead_token(&answer(403, "<html>forbidden")), "a proxy between");
}
