//! Rules: the usual figures, the operator's, a tenant's.

use alerts::{AlertRuleInput, Rule, Severity};
use kernel::{Caller, Kind};

use crate::bed::Bed;

fn operator() -> Caller {
    Caller::system("test", None)
}

fn threshold(threshold: f64) -> AlertRuleInput {
    AlertRuleInput { threshold: Some(threshold), ..AlertRuleInput::default() }
}

testkit::engines! {
    /// A tenant's figure, else the operator's, else the usual one; what is left out of a PUT is as usual.
    async fn a_tenants_figures_are_over_the_operators(bed: Bed) {
        let held = async |caller: &Caller| {
            let all = bed.alerts.rules(caller).await.unwrap();
            let rule = all.into_iter().find(|rule| rule.rule == Rule::FailedAuthentication).unwrap();
            (rule.threshold, rule.severity, rule.is_default)
        };
        assert_eq!(held(&bed.caller()).await, (20.0, Severity::Warning, true));
        let set = AlertRuleInput { severity: Some(Severity::Info), ..threshold(50.0) };
        let after = bed.alerts.set_rule(&operator(), "failed_authentication", set).await.unwrap();
        assert_eq!((after.threshold, after.is_default), (50.0, false));
        assert_eq!(held(&bed.caller()).await, (50.0, Severity::Info, true));
        let after = bed.alerts.set_rule(&bed.caller(), "failed_authentication", threshold(5.0)).await.unwrap();
        assert_eq!((after.threshold, after.severity, after.is_default), (5.0, Severity::Info, false));
        assert_eq!(held(&Caller::system("test", Some(bed.stranger))).await, (50.0, Severity::Info, true));
        bed.fail("key_1", 5).await;
        assert_eq!(bed.looked().await, (1, 0, 0), "five are enough for this tenant");
        let after = bed.alerts.set_rule(&bed.caller(), "failed_authentication", AlertRuleInput::default()).await.unwrap();
        assert_eq!((after.threshold, after.is_default), (50.0, true));
    }

    /// A rule that is switched off opens nothing, and closes what is open.
    async fn a_rule_that_is_off_is_quiet(bed: Bed) {
        bed.fail("key_1", 30).await;
        assert_eq!(bed.looked().await, (1, 0, 0));
        let off = AlertRuleInput { enabled: Some(false), ..AlertRuleInput::default() };
        bed.alerts.set_rule(&bed.caller(), "failed_authentication", off).await.unwrap();
        bed.fail("key_2", 30).await;
        assert_eq!(bed.looked().await, (0, 0, 1));
        assert_eq!(bed.only().await.closed_reason.as_deref(), Some("disabled"));
    }

    async fn figures_are_checked(bed: Bed) {
        let caller = bed.caller();
        for (rule, input, place) in [
            ("webhook_success_rate", threshold(101.0), "/threshold"),
            ("unusual_volume", threshold(1.0), "/threshold"),
            ("expiry", AlertRuleInput { minimum: Some(1), ..AlertRuleInput::default() }, "/minimum"),
            ("unusual_volume", AlertRuleInput { minimum: Some(u64::MAX), ..AlertRuleInput::default() }, "/minimum"),
        ] {
            let error = bed.alerts.set_rule(&caller, rule, input).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, place, "{rule}");
        }
        for unknown in ["nothing", "brute_force"] {
            let error = bed.alerts.set_rule(&caller, unknown, threshold(2.0)).await.unwrap_err();
            assert_eq!(error.kind(), Kind::NotFound, "{unknown}: not a tenant's");
        }
        let names: Vec<Rule> = bed.alerts.rules(&caller).await.unwrap().into_iter().map(|rule| rule.rule).collect();
        assert_eq!((names.len(), names.contains(&Rule::BruteForce)), (6, false));
        assert_eq!(bed.alerts.rules(&operator()).await.unwrap().len(), 7);
    }
}
