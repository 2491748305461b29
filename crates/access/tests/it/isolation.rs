//! Another tenant's things do not exist.

use access::clients::{ClientFilter, ClientInput, UpdateClient};
use access::keys::{CreateKey, RotateKey, UpdateKey};
use kernel::{Caller, Error, IdRef, Kind, PageRequest};

use crate::bed::Bed;

testkit::engines! {
    async fn another_tenants_id_is_404_everywhere(bed: Bed) {
        let (mine, theirs) = (bed.tenant("Mine").await, bed.tenant("Theirs").await);
        let input = ClientInput { name: "c".into(), external_id: Some("crm-1".into()), ..ClientInput::default() };
        let client = bed.access.create_client(&bed.acting(&theirs), input).await.unwrap().client.id;
        let key = bed.key(&theirs, client).await;
        let own_client = bed.client(&mine, None).await.client.id;
        let partner = bed.admitted(&bed.key(&mine, own_client).await.key).await.unwrap().caller();
        for caller in [bed.acting(&mine), partner] {
            for error in every_operation(&bed, &caller, client, key.info.id).await {
                assert_eq!((error.kind(), error.code()), (Kind::NotFound, "not_found"), "{error:?}");
            }
            let listed = bed.access.list_clients(&caller, ClientFilter::default(), PageRequest::default()).await.unwrap();
            assert_eq!(listed.data.iter().map(|client| client.id).collect::<Vec<_>>(), [own_client]);
        }
        bed.admitted(&key.key).await.unwrap();
        assert_eq!(bed.access.get_client(&bed.acting(&theirs), IdRef::Id(client)).await.unwrap().name, "c");
    }
}

async fn every_operation(bed: &Bed, caller: &Caller, client: kernel::ClientId, key: kernel::KeyId) -> Vec<Error> {
    let access = &bed.access;
    let input = || ClientInput { name: "x".into(), ..ClientInput::default() };
    let create = |client_id: String| CreateKey { client_id, name: "x".into(), ..CreateKey::default() };
    let mut errors = vec![
        access.get_key(caller, key).await.unwrap_err(),
        access.update_key(caller, key, UpdateKey::default()).await.unwrap_err(),
        access.revoke_key(caller, None, key).await.unwrap_err(),
        access.rotate_key(caller, key, RotateKey::default()).await.unwrap_err(),
        access.create_key(caller, create(client.to_string())).await.unwrap_err(),
        access.create_key(caller, create("ext:crm-1".into())).await.unwrap_err(),
    ];
    for reference in [IdRef::Id(client), IdRef::External("crm-1".into())] {
        errors.extend([
            access.get_client(caller, reference.clone()).await.unwrap_err(),
            access.replace_client(caller, reference.clone(), input()).await.unwrap_err(),
            access.update_client(caller, reference.clone(), UpdateClient::default()).await.unwrap_err(),
            access.rotate_client_secret(caller, reference.clone(), access::clients::RotateClientSecret::default()).await.unwrap_err(),
            access.delete_client(caller, reference.clone()).await.unwrap_err(),
            access.list_keys(caller, reference.clone(), PageRequest::default()).await.unwrap_err(),
            access.revoke_key(caller, Some(reference), key).await.unwrap_err(),
        ]);
    }
    errors
}
