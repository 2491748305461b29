//! The list of built-in connectors.

use std::collections::HashSet;

use connectors::{Auth, built_in};

#[test]
fn each_is_whole_and_has_a_name_of_its_own() {
    let all = built_in();
    let ids: HashSet<_> = all.iter().map(|connector| connector.about().id.clone()).collect();
    assert_eq!(ids, ["salesforce", "hubspot", "pipedrive", "zoho"].map(str::to_owned).into());
    assert_eq!(ids.len(), all.len());
    for connector in &all {
        let about = connector.about();
        let names: HashSet<_> = about.objects.iter().map(|object| &object.name).collect();
        assert_eq!(names.len(), about.objects.len(), "{}", about.id);
        assert!(about.objects.iter().all(|object| object.batch > 0), "{}", about.id);
        // The vault finds the vendor's endpoints by this name.
        assert!(matches!(&about.auth, Auth::OAuth2 { provider } if *provider == about.id), "{}", about.id);
    }
}
