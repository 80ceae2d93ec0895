use super::*;

const DAY: i64 = 86_400;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}
fn report(severity: Severity) -> Report {
    Report::new(Code::ConsumerUnproven, severity, "it is silent", "keyrelay prove x")
        .ladder(Some(Ladder { from: at(0), until: at(DAY) }))
}
fn steps(incidents: &mut Incidents) -> Vec<(u32, bool)> {
    incidents.take_tellings().iter().map(|telling| (telling.step, telling.resolved)).collect()
}

#[test]
fn an_incident_is_told_when_it_begins_at_each_step_and_when_it_ends_in_one_thread() {
    let (mut incidents, limits) = (Incidents::new("leaf7-main", vec![]), Limits::default());
    for _ in 0..3 {
        incidents.raise(at(DAY / 24), report(Severity::Warning));
    }
    let begun = incidents.take_tellings();
    assert_eq!(begun.len(), 1);
    for (part, severity) in
        [(2, Severity::Warning), (4, Severity::Warning), (12, Severity::Urgent), (24, Severity::Urgent)]
    {
        let step = at(DAY - DAY / part);
        assert_eq!(incidents.next_deadline(&limits), Some(step));
        incidents.climb(step - Duration::from_secs(1), &limits);
        assert_eq!(incidents.take_tellings(), []);
        incidents.climb(step, &limits);
        let told = incidents.take_tellings();
        assert_eq!((told.len(), told[0].incident.severity, &told[0].id), (1, severity, &begun[0].id));
    }
    assert_eq!(incidents.next_deadline(&limits), None);
    incidents.clear(Code::ConsumerUnproven, "");
    assert_eq!(steps(&mut incidents), [(5, true)]);
    incidents.clear(Code::ConsumerUnproven, "");
    assert_eq!(steps(&mut incidents), []);
}

#[test]
fn one_that_begins_late_is_told_at_the_step_it_has_reached_and_never_at_those_it_missed() {
    let (mut incidents, limits) = (Incidents::new("x", vec![]), Limits::default());
    incidents.raise(at(DAY - DAY / 4 + 60), report(Severity::Warning));
    incidents.climb(at(DAY - DAY / 4 + 60), &limits);
    assert_eq!(steps(&mut incidents), [(0, false)]);
    assert_eq!(incidents.next_deadline(&limits), Some(at(DAY - DAY / 12)));
}

#[test]
fn one_that_becomes_worse_is_told_again_and_one_that_comes_back_is_a_new_thread() {
    let mut incidents = Incidents::new("x", vec![]);
    incidents.raise(at(1), report(Severity::Warning));
    let first = incidents.take_tellings()[0].id.clone();
    incidents.raise(at(2), report(Severity::Urgent));
    incidents.raise(at(3), report(Severity::Warning));
    assert_eq!(steps(&mut incidents), [(1, false)]);
    incidents.clear(Code::ConsumerUnproven, "");
    incidents.take_tellings();
    incidents.raise(at(9), report(Severity::Warning));
    assert_ne!(incidents.take_tellings()[0].id, first);
}

#[test]
fn a_restart_tells_nothing_twice() {
    let mut before = Incidents::new("x", vec![]);
    before.raise(at(1), report(Severity::Warning));
    let told = before.take_tellings();
    let mut after = Incidents::new("x", before.to_vec());
    after.raise(at(50), report(Severity::Warning));
    assert_eq!(steps(&mut after), []);
    after.clear(Code::ConsumerUnproven, "");
    assert_eq!(after.take_tellings()[0].id, told[0].id);
}
