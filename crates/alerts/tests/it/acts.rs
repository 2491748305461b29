//! What people do to alerts.

use std::time::Duration;

use alerts::{Alert, AlertFilter, AlertRuleInput, Mute, Rule, Severity, Status};
use kernel::permission::PermissionSet;
use kernel::{Caller, Credential, Kind, PageRequest, Permission, Scope};

use crate::bed::Bed;

async fn opened(bed: &Bed) -> Alert {
    bed.fail("key_1", 30).await;
    bed.look().await;
    bed.only().await
}

/// A key of the tenant with these permissions.
fn partner(bed: &Bed, permissions: &[Permission]) -> Caller {
    let credential = Credential::Key { key: bed.ambient.id(), client: bed.ambient.id() };
    Caller::new(credential, Some(bed.tenant), [].into(), permissions.iter().copied().collect::<PermissionSet>())
}

testkit::engines! {
    async fn acknowledging_is_told_once_and_noted_in_the_audit_log(bed: Bed) {
        let alert = opened(&bed).await;
        let caller = partner(&bed, &[Permission::AlertsWrite]);
        bed.clock.advance(Duration::from_secs(1));
        let taken = bed.alerts.acknowledge(&caller, alert.id).await.unwrap();
        assert_eq!((taken.status, taken.acknowledged_at), (Status::Acknowledged, Some(bed.ambient.now())));
        assert_eq!(taken.acknowledged_by, Some(caller.actor().to_string()));
        assert_eq!(bed.alerts.acknowledge(&caller, alert.id).await.unwrap(), taken, "once more changes nothing");
        assert_eq!(bed.told_types(bed.tenant).await, ["alert.opened", "alert.updated"]);
        let tenant = bed.tenant;
        let acts = bed.store.read(Scope::system("test"), move |tx| {
            tx.query("SELECT action FROM audit_log WHERE tenant_id = ?1 AND action LIKE 'alert.%'", &[tenant.into()], |row| row.get::<String>(0))
        });
        assert_eq!(acts.await.unwrap(), ["alert.acknowledge"]);
        // It closes by itself like any other.
        bed.minutes(11);
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.looked().await, (0, 0, 1));
        assert_eq!(bed.alerts.acknowledge(&caller, alert.id).await.unwrap_err().code(), "alert_closed");
        assert_eq!(bed.alerts.resolve(&caller, alert.id).await.unwrap_err().code(), "alert_closed");
    }

    /// What was resolved by hand stays so while its condition stands; when that was over once, it may open again.
    async fn resolved_stays_resolved(bed: Bed) {
        let alert = opened(&bed).await;
        bed.clock.advance(Duration::from_secs(1));
        let done = bed.alerts.resolve(&bed.caller(), alert.id).await.unwrap();
        assert_eq!((done.status, done.closed_reason.as_deref()), (Status::Closed, Some("resolved")));
        assert_eq!(bed.told_types(bed.tenant).await, ["alert.opened", "alert.closed"]);
        for _ in 0..5 {
            bed.minutes(8);
            bed.fail("key_1", 30).await;
            assert_eq!(bed.looked().await, (0, 0, 0));
        }
        bed.minutes(12);
        assert_eq!(bed.looked().await, (0, 0, 0), "over");
        bed.fail("key_1", 30).await;
        assert_eq!(bed.looked().await, (1, 0, 0));
        let again = bed.alerts_of(Some(bed.tenant)).await;
        assert_eq!((again.len(), again[0].status), (2, Status::Open));
        // Or after a day.
        bed.alerts.resolve(&bed.caller(), again[0].id).await.unwrap();
        for _ in 0..(24 * 6) {
            bed.minutes(10);
            bed.fail("key_1", 30).await;
            bed.look().await;
        }
        assert_eq!(bed.alerts_of(Some(bed.tenant)).await.len(), 3);
    }

    /// Nothing is told while it is muted, not even of a later alert about the same; afterwards what still stands is told once.
    async fn muted_is_measured_and_not_told(bed: Bed) {
        let alert = opened(&bed).await;
        let until = bed.ambient.now().plus(Duration::from_hours(2));
        let muted = bed.alerts.mute(&bed.caller(), alert.id, Mute { until: Some(until) }).await.unwrap();
        assert_eq!(muted.muted_until, Some(until));
        bed.fail("key_1", 1000).await;
        assert_eq!(bed.looked().await, (0, 0, 0), "graver, and not told");
        assert_eq!(bed.only().await.severity, Severity::Critical);
        bed.minutes(11);
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.look().await.closed, 1);
        bed.fail("key_1", 30).await;
        assert_eq!(bed.look().await.opened, 1);
        assert_eq!(bed.told_types(bed.tenant).await, ["alert.opened"]);
        bed.minutes(100);
        bed.fail("key_1", 30).await;
        assert_eq!(bed.looked().await, (0, 1, 0), "the time is over, and it stands");
        assert_eq!(bed.told_types(bed.tenant).await, ["alert.opened", "alert.updated"]);
        for bad in [bed.ambient.now(), bed.ambient.now().plus(Duration::from_hours(24 * 400))] {
            let error = bed.alerts.mute(&bed.caller(), alert.id, Mute { until: Some(bad) }).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, "/until");
        }
        let unmuted = bed.alerts.mute(&bed.caller(), alert.id, Mute { until: None }).await.unwrap();
        assert_eq!(unmuted.muted_until, None);
    }

    /// Another tenant's alert is none at all, and the operator's is no tenant's.
    async fn nobody_sees_what_is_not_theirs(bed: Bed) {
        let alert = opened(&bed).await;
        bed.signals.note(signals::Kind::FailedAddress, None, "203.0.113.7", "");
        let set = AlertRuleInput { threshold: Some(1.0), ..AlertRuleInput::default() };
        bed.alerts.set_rule(&Caller::system("test", None), "brute_force", set).await.unwrap();
        bed.signals.flush().await.unwrap();
        bed.look().await;
        let all = bed.alerts_of(None).await;
        let operators = all.iter().find(|one| one.rule == Rule::BruteForce).unwrap().id;
        let stranger = Caller::system("test", Some(bed.stranger));
        for (caller, id) in [(&stranger, alert.id), (&stranger, operators), (&bed.caller(), operators)] {
            let mute = Mute { until: None };
            let kinds = [
                bed.alerts.get(caller, id).await.unwrap_err().kind(),
                bed.alerts.acknowledge(caller, id).await.unwrap_err().kind(),
                bed.alerts.resolve(caller, id).await.unwrap_err().kind(),
                bed.alerts.mute(caller, id, mute).await.unwrap_err().kind(),
            ];
            assert_eq!(kinds, [Kind::NotFound; 4]);
        }
        assert!(bed.alerts_of(Some(bed.stranger)).await.is_empty());
        for (caller, may_read) in [(partner(&bed, &[Permission::AlertsRead]), true), (partner(&bed, &[]), false)] {
            assert_eq!(bed.alerts.get(&caller, alert.id).await.is_ok(), may_read);
            assert_eq!(bed.alerts.resolve(&caller, alert.id).await.unwrap_err().code(), "insufficient_scope");
        }
    }

    async fn lists_are_filtered_and_paged(bed: Bed) {
        for n in 0..5 {
            bed.fail(&format!("key_{n}"), if n == 0 { 200 } else { 30 }).await;
            bed.clock.advance(Duration::from_millis(5));
            bed.look().await;
        }
        let newest = bed.alerts_of(Some(bed.tenant)).await;
        bed.alerts.resolve(&bed.caller(), newest[0].id).await.unwrap();
        let list = |filter: AlertFilter, page: PageRequest| {
            let (alerts, caller) = (bed.alerts.clone(), bed.caller());
            async move { alerts.list(&caller, filter, page).await.unwrap() }
        };
        let subjects = |alerts: &[Alert]| alerts.iter().map(|alert| alert.subject.clone()).collect::<Vec<_>>();
        let closed = list(AlertFilter { status: Some(Status::Closed), ..AlertFilter::default() }, PageRequest::default()).await;
        assert_eq!(subjects(&closed.data), ["key_4"]);
        let grave = list(AlertFilter { severity: Some(Severity::Critical), ..AlertFilter::default() }, PageRequest::default()).await;
        assert_eq!(subjects(&grave.data), ["key_0"]);
        let other = list(AlertFilter { rule: Some(Rule::Expiry), ..AlertFilter::default() }, PageRequest::default()).await;
        assert!(other.data.is_empty());
        let first = list(AlertFilter::default(), PageRequest { limit: 3, ..PageRequest::default() }).await;
        assert_eq!(subjects(&first.data), ["key_4", "key_3", "key_2"]);
        let cursor = kernel::Cursor::decode(first.pagination.next_cursor.as_deref().unwrap()).unwrap();
        let second = list(AlertFilter::default(), PageRequest { limit: 3, cursor: Some(cursor), ..PageRequest::default() }).await;
        assert_eq!((subjects(&second.data), second.pagination.next_cursor), (vec!["key_1".to_owned(), "key_0".to_owned()], None));
    }
}
