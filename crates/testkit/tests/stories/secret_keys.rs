//! Secret keys: several at a time, known by their last use, withdrawn one by one.

use doorward_base::Secret;
use doorward_core::instance;
use doorward_core::keys::Environment;
use doorward_testkit::{Options, START, TestServer};
use std::time::Duration;

async fn works(server: &TestServer, key: &Secret) -> bool {
    let answer = server.backend_as(key, "GET", "/v1/instance", None).await;
    assert!(answer.status == 200 || answer.code() == "clerk_key_invalid", "{}", answer.text);
    answer.status == 200
}

async fn last_used(server: &TestServer) -> Vec<(String, Option<i64>)> {
    let keys = doorward_store::instances::secret_keys(&server.app.db, &server.instance.id).await.unwrap();
    keys.into_iter().map(|key| (key.name, key.last_used_at)).collect()
}

#[tokio::test]
async fn of_the_keys_of_a_production_instance_only_hashes_are_kept() {
    let server = TestServer::with(Options { environment: Environment::Production, ..Options::default() }).await;
    let instance = instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    assert!(works(&server, &server.instance.secret_key).await);
    let rotated = instance::rotate_secret_key(&server.app, &instance).await.unwrap();
    assert!(works(&server, &rotated).await && !works(&server, &server.instance.secret_key).await);
    let kept = doorward_store::instances::secret_keys(&server.app.db, &instance.id).await.unwrap();
    assert_eq!(kept.iter().map(|key| key.sealed.as_str()).collect::<Vec<_>>(), ["", ""]);
    assert!(instance::reveal_secret_key(&server.app, &instance.id).await.unwrap().is_none());
}

#[tokio::test]
async fn keys_work_side_by_side_until_one_is_withdrawn() {
    let server = TestServer::start().await;
    let instance = instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    let first = server.instance.secret_key.clone();
    server.advance(Duration::from_secs(1));
    let (id, second) = instance::create_secret_key(&server.app, &instance, "ci").await.unwrap();
    assert!(second.expose().starts_with("sk_test_"), "leak scanners know the prefix");
    assert!(works(&server, &first).await && works(&server, &second).await);
    assert_eq!(instance::reveal_secret_key(&server.app, &instance.id).await.unwrap().unwrap().expose(), first.expose());
    let kept = doorward_store::instances::secret_keys(&server.app.db, &server.instance.id).await.unwrap();
    assert_eq!((kept[0].sealed.as_str(), &kept[0].hint), ("", &second.expose()[second.expose().len() - 4..].to_owned()));

    instance::revoke_secret_key(&server.app, &instance.id, &id).await.unwrap();
    assert!(works(&server, &first).await && !works(&server, &second).await);
    assert!(instance::revoke_secret_key(&server.app, &instance.id, &id).await.is_err(), "it is withdrawn");
    let only = kept[1].id.clone();
    assert!(instance::revoke_secret_key(&server.app, &instance.id, &only).await.unwrap_err().contains("only one"));
    assert!(works(&server, &first).await);
    let other = server.another_instance("other.example.test").await;
    assert!(instance::revoke_secret_key(&server.app, &other.id, &only).await.is_err(), "another instance's key");
    assert!(instance::create_secret_key(&server.app, &instance, "").await.is_err());
}

#[tokio::test]
async fn the_last_use_of_a_key_is_known_give_or_take_an_hour() {
    let server = TestServer::start().await;
    let key = server.instance.secret_key.clone();
    assert_eq!(last_used(&server).await, [("first".to_owned(), None)]);
    for (minutes, seen) in [(0, START), (30, START), (31, START + 61 * 60_000)] {
        server.advance(Duration::from_secs(60 * minutes));
        // What is remembered of a key for some seconds spares the database.
        server.app.instances.clear();
        assert!(works(&server, &key).await && works(&server, &key).await);
        assert_eq!(last_used(&server).await, [("first".to_owned(), Some(seen))], "after {minutes} minutes more");
    }
    assert!(!works(&server, &"sk_test_unknown".into()).await);
}
