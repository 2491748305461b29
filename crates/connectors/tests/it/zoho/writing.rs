use connectors::{Connector as _, Fault, Outcome};
use serde_json::{Value, json};
use vendors::stand::Vendor as _;

use super::{create, delete, scene, update};

fn id(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Created(record) | Outcome::Updated(record) => &record.id,
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: &Outcome) -> (String, Option<String>) {
    match outcome {
        Outcome::Failed(Fault::Refused { code, field, .. }) => (code.clone(), field.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_row_has_its_own_end_whatever_the_status() {
    let scene = scene();
    let known = scene.lead("Known");
    let gone = scene.lead("Gone");
    scene.org.delete("Leads", &gone, false).unwrap();
    scene.pass(60);
    let outcomes = scene
        .write(
            "Leads",
            &[
                create(&json!({"Last_Name": "Fresh", "Email": "fresh@example.com"})),
                create(&json!({"Email": "nameless@example.com"})),
                create(&json!({"Last_Name": "Plain"})),
                create(&json!({"Last_Name": "Odd", "No_of_Employees": "many"})),
                update(&known, &json!({"City": "Roma", "Phone": null})),
                update(&gone, &json!({"City": "Roma"})),
                update(&known, &json!({"City": "Wien"})),
                update(&known, &json!({"Last_Name": null})),
                delete(&gone),
                delete("7"),
            ],
        )
        .await;
    assert!(matches!(&outcomes[0], Outcome::Created(record) if record.modified_at.is_some()), "{outcomes:?}");
    assert_eq!(refused(&outcomes[1]), ("MANDATORY_NOT_FOUND".to_owned(), Some("Last_Name".to_owned())));
    assert!(matches!(&outcomes[2], Outcome::Created(_)), "{outcomes:?}");
    assert_eq!(refused(&outcomes[3]), ("INVALID_DATA".to_owned(), Some("No_of_Employees".to_owned())));
    assert_eq!([id(&outcomes[4]), id(&outcomes[6])], [known.as_str(); 2]);
    assert_eq!(outcomes[5], Outcome::Gone { merged_into: None });
    assert_eq!(refused(&outcomes[7]).0, "MANDATORY_NOT_FOUND");
    assert_eq!(outcomes[8..], [Outcome::Deleted, Outcome::Deleted]);
    assert_eq!(scene.kept("Leads", &known)["City"], "Wien", "the second change came second");
    assert_eq!(scene.org.rows("Leads").len(), 3);
}

#[tokio::test]
async fn a_full_batch_fails_in_part_and_as_a_whole() {
    let scene = scene();
    scene.fault("partial-batch,every=3,times=1");
    let writes: Vec<_> = (0..100).map(|n| create(&json!({"Last_Name": format!("L{n}")}))).collect();
    let outcomes = scene.write("Leads", &writes).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        let failed = matches!(outcome, Outcome::Failed(Fault::Unavailable { .. }));
        assert_eq!(failed, (n + 1) % 3 == 0, "{n}: {outcome:?}");
    }
    assert_eq!((scene.carrier.notes.count("POST"), scene.org.rows("Leads").len()), (1, 67));
    let outcomes = scene.write("Leads", &[create(&json!({"City": "x"})), create(&json!({"City": "y"}))]).await;
    assert!(outcomes.iter().all(|outcome| refused(outcome).0 == "MANDATORY_NOT_FOUND"), "a 202 in which nothing was accepted");
}

/// An upsert would overwrite what a person wrote into a record that nobody knew of.
#[tokio::test]
async fn a_record_that_is_there_is_told_and_not_overwritten() {
    let scene = scene();
    let ann = scene.org.add("Leads", &json!({"Last_Name": "Ann", "Email": "ann@example.com", "City": "Roma"})).unwrap();
    scene.pass(60);
    let write = create(&json!({"Last_Name": "Other", "Email": "ANN@example.com", "City": "Wien"}));
    assert_eq!(scene.write("Leads", std::slice::from_ref(&write)).await, [Outcome::Exists { id: Some(ann.clone()) }]);
    assert_eq!((&scene.kept("Leads", &ann)["City"], &scene.kept("Leads", &ann)["Last_Name"]), (&json!("Roma"), &json!("Ann")));
    // The query does not know of the next one yet, and it is found all the same.
    scene.fault("index-lag,ms=30000");
    let bob = scene.lead("Bob");
    let write = create(&json!({"Last_Name": "Other", "Email": "bob@example.com"}));
    assert_eq!(scene.write("Leads", &[write]).await, [Outcome::Exists { id: Some(bob.clone()) }]);
    assert_eq!((scene.kept("Leads", &bob)["Last_Name"].clone(), scene.org.rows("Leads").len()), (json!("Bob"), 2));
}

#[tokio::test]
async fn an_account_that_is_there_is_never_made_by_looking_for_it() {
    let scene = scene();
    let acme = scene.org.add("Accounts", &json!({"Account_Name": "Acme"})).unwrap();
    let unique = Some(("Account_Name".to_owned(), json!("Acme")));
    let write = connectors::Write { act: connectors::WriteAct::Create { unique }, fields: super::map(&json!({"Account_Name": "Acme"})) };
    assert_eq!(scene.write("Accounts", std::slice::from_ref(&write)).await, [Outcome::Exists { id: Some(acme) }]);
    scene.fault("index-lag,ms=30000");
    scene.org.edit("Accounts", scene.org.rows("Accounts")[0]["id"].as_str().unwrap(), &json!({"Account_Name": "Beta"})).unwrap();
    let unique = Some(("Account_Name".to_owned(), json!("Beta")));
    let write = connectors::Write { act: connectors::WriteAct::Create { unique }, fields: super::map(&json!({"Account_Name": "Beta"})) };
    assert_eq!(scene.write("Accounts", &[write]).await, [Outcome::Exists { id: None }], "there, and nobody says where yet");
    assert_eq!(scene.org.rows("Accounts").len(), 1);
}

#[tokio::test]
async fn a_taken_value_of_a_unique_field_is_told_with_its_owner() {
    let scene = scene();
    scene.org.add_field("Leads", "Vat text 20 #").unwrap();
    let ann = scene.org.add("Leads", &json!({"Last_Name": "Ann", "Vat": "DE5"})).unwrap();
    let bob = scene.lead("Bob");
    let outcomes = scene.write("Leads", &[create(&json!({"Last_Name": "Cid", "Vat": "de5"})), update(&bob, &json!({"Vat": "DE5"}))]).await;
    assert_eq!(outcomes[0], Outcome::Exists { id: Some(ann) });
    assert_eq!(refused(&outcomes[1]), ("DUPLICATE_DATA".to_owned(), Some("Vat".to_owned())));
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_record() {
    let scene = scene();
    scene.fault("lost-answer,path=Leads/upsert,times=1");
    let outcomes = scene.write("Leads", &[create(&json!({"Last_Name": "Ann", "Email": "ann@example.com"}))]).await;
    let [Outcome::Exists { id: Some(id) }] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!((scene.org.rows("Leads").len(), scene.org.rows("Leads")[0]["id"].as_str()), (1, Some(id.as_str())));
    // Without a unique value nobody can know, and it is not tried again.
    scene.fault("lost-answer,method=post,times=1");
    let outcomes = scene.write("Leads", &[create(&json!({"Last_Name": "Bob"}))]).await;
    assert!(matches!(outcomes[0], Outcome::Unknown(Fault::Lost { .. })), "{outcomes:?}");
    assert_eq!(scene.org.rows("Leads").len(), 2);
    scene.fault("lost-answer,method=put,times=1");
    let outcomes = scene.write("Leads", &[update(id, &json!({"City": "Roma"}))]).await;
    assert!(matches!(&outcomes[0], Outcome::Updated(record) if record.id == *id), "{outcomes:?}");
}

#[tokio::test]
async fn what_was_written_comes_back() {
    let scene = scene();
    let written = json!({"Last_Name": "Ann", "Email": "ann@example.com", "Annual_Revenue": 5, "Email_Opt_Out": true, "City": null});
    let outcomes = scene.write("Leads", &[create(&written)]).await;
    let names: Vec<&str> = written.as_object().unwrap().keys().map(String::as_str).collect();
    let run = scene.run(connectors::Span::Full, &names).await;
    assert_eq!(run.ids(), [id(&outcomes[0])]);
    let sorted = |map: &serde_json::Map<String, Value>| map.clone().into_iter().collect::<std::collections::BTreeMap<_, _>>();
    assert_eq!(sorted(&run.records[0].fields), sorted(written.as_object().unwrap()), "so that the engine knows its own echo");
}

#[tokio::test]
async fn what_concerns_all_is_one_fault_and_nothing_was_done() {
    let scene = scene();
    scene.fault("forbidden");
    let fault = scene.connector.write(&scene.session, "Leads", &[create(&json!({"Last_Name": "Ann"})), delete("5")]).await.unwrap_err();
    assert!(matches!(fault, Fault::Forbidden { .. }), "{fault:?}");
    scene.org.stand().faults.clear();
    scene.fault("error-inside,method=post,times=9");
    let outcomes = scene.connector.write(&scene.session, "Leads", &[create(&json!({"Last_Name": "Ann"}))]).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Unknown(_)), "an internal error of a call that makes something: {outcomes:?}");
    assert!(scene.connector.write(&scene.session, "Leads", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn workflows_stay_out_of_it_unless_they_are_wanted() {
    for (config, runs) in [(json!({}), false), (json!({"runWorkflows": true}), true)] {
        let scene = super::scene_with(config, vendors::zoho::Options::unlimited());
        let known = scene.lead("Known");
        // Zoho runs them unless it is asked not to, by an empty list of triggers; the double knows none, but whether it is asked.
        scene.fault(r#"forbidden,body="trigger":[]"#);
        for write in [
            create(&json!({"Last_Name": "Ann"})),
            create(&json!({"Last_Name": "Bob", "Email": "bob@example.com"})),
            update(&known, &json!({"City": "x"})),
        ] {
            let told = scene.connector.write(&scene.session, "Leads", &[write]).await;
            assert_eq!(told.is_ok(), runs, "{told:?}");
        }
        scene.write("Leads", &[delete(&known)]).await;
        let target = scene.org.stand().log.entries().last().unwrap().target.clone();
        assert!(target.contains(&format!("wf_trigger={runs}")), "{target}");
    }
}
