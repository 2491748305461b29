//! Group commit: a function that fails undoes itself and nobody else.

use kernel::{Error, Scope};
use store::Batcher;

use crate::bed::{Bed, add, count, scope};

testkit::engines! {
    async fn a_failing_function_undoes_itself_alone(bed: Bed) {
        let tenant = bed.tenant();
        let mut tasks = Vec::new();
        for id in 0..200_i64 {
            let store = bed.store.clone();
            tasks.push(tokio::spawn(async move {
                store.write(scope(tenant), move |tx| {
                    add(tx, tenant, id)?;
                    match id % 3 {
                        0 => Err(Error::conflict("on_purpose", "no")),
                        1 => add(tx, tenant, id), // the same key again: a statement error
                        _ => Ok(id),
                    }
                }).await
            }));
        }
        let mut kept = 0;
        for (id, task) in tasks.into_iter().enumerate() {
            match (id % 3, task.await.unwrap()) {
                (0, Err(error)) => assert_eq!(error.code(), "on_purpose"),
                (1, Err(error)) => assert!(store::is_unique_violation(&error), "{error:?}"),
                (2, Ok(_)) => kept += 1,
                (_, other) => panic!("{id}: {other:?}"),
            }
        }
        let rows = bed.store.read(scope(tenant), count).await.unwrap();
        assert_eq!(rows, kept);
    }

    async fn a_panicking_function_undoes_itself_alone(bed: Bed) {
        let tenant = bed.tenant();
        let failed = bed.store.write(scope(tenant), move |tx| { add(tx, tenant, 1)?; panic!("on purpose") }).await;
        let failed: kernel::Result<()> = failed;
        assert_eq!(failed.unwrap_err().code(), "internal");
        bed.store.write(scope(tenant), move |tx| add(tx, tenant, 2)).await.unwrap();
        assert_eq!(bed.store.read(scope(tenant), count).await.unwrap(), 1);
    }

    async fn many_rows_are_inserted_whatever_their_number(bed: Bed) {
        let tenant = bed.tenant();
        for rows in [1_i64, 7, 8, 9, 31, 32, 255, 300, 1000] {
            let inserted = bed.store.write(scope(tenant), move |tx| {
                tx.exec("DELETE FROM notes WHERE tenant_id = ?1", &[tenant.into()])?;
                let values: Vec<_> = (0..rows).flat_map(|id| [tenant.into(), id.into()]).collect();
                tx.insert_rows("INSERT INTO notes (tenant_id, id) VALUES", 2, &values, "ON CONFLICT DO NOTHING")
            }).await.unwrap();
            assert_eq!(i64::try_from(inserted).unwrap(), rows);
            assert_eq!(bed.store.read(scope(tenant), count).await.unwrap(), rows);
        }
    }

    async fn a_batch_fails_item_by_item(bed: Bed) {
        let tenant = bed.tenant();
        let batcher = Batcher::start(bed.store.clone(), Scope::system("test"), 64, 2, move |tx, ids: &[i64]| {
            ids.iter().map(|id| if *id == 13 { Err(Error::conflict("unlucky", "no")) } else { add(tx, tenant, *id) }).collect()
        });
        let tasks: Vec<_> = (0..100_i64).map(|id| { let b = batcher.clone(); tokio::spawn(async move { b.submit(id).await }) }).collect();
        for (id, task) in (0..).zip(tasks) {
            match task.await.unwrap() {
                Ok(answer) => assert_eq!(answer, id),
                Err(error) => assert_eq!((id, error.code()), (13, "unlucky")),
            }
        }
        assert_eq!(bed.store.read(scope(tenant), count).await.unwrap(), 99);
    }

    async fn readers_cannot_write(bed: Bed) {
        let tenant = bed.tenant();
        assert!(bed.store.read(scope(tenant), move |tx| add(tx, tenant, 1)).await.is_err());
    }
}
