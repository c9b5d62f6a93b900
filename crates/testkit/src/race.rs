use crate::{Answer, Browser};
use std::net::SocketAddr;
use tokio::task::JoinSet;

/// What is told of a sign-in or a sign-up that somebody else has moved on at the same moment: by how far that one was.
pub const TOO_LATE: [(u16, &str); 5] = [
    (400, "verification_already_verified"),
    (400, "verification_failed"),
    (400, "client_state_invalid"),
    (403, "resource_forbidden"),
    // Who signed in has a new token: the one from before is nobody's.
    (404, "resource_not_found"),
];

/// Sends the same form a hundred times at once, by turns to each of two nodes. One gets through, and is answered with its browser;
/// all others must be refused by one of the errors `told`.
pub async fn race(
    nodes: [SocketAddr; 2],
    browser: &Browser,
    path: &str,
    fields: &[(&str, &str)],
    told: &[(u16, &str)],
) -> (Browser, Answer) {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut tries = JoinSet::new();
    for n in 0..100 {
        let (mut browser, path, body) = (browser.clone().on_node(nodes[n % 2]), path.to_owned(), body.clone());
        tries.spawn(async move {
            let answer = browser.send("POST", &path, Some(("application/x-www-form-urlencoded", body))).await;
            (browser, answer)
        });
    }
    let (mut won, lost): (Vec<_>, Vec<_>) = tries.join_all().await.into_iter().partition(|(_, answer)| answer.status == 200);
    for (_, answer) in &lost {
        assert!(told.contains(&(answer.status, answer.code())), "{path}: {} {}", answer.status, answer.text);
    }
    assert_eq!((won.len(), lost.len()), (1, 99), "{path}: {:?}", lost.first().map(|(_, answer)| &answer.text));
    won.remove(0)
}
