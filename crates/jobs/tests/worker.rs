//! The worker on a database of its own, with a clock that is moved by hand and a mail server that is told how to fail.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use doorward_base::{Clock, InstanceId, JobId, Rng};
use doorward_core::crypto::Sealer;
use doorward_core::instance::{Instances, NewInstance};
use doorward_core::keys::Environment;
use doorward_core::mail::{self, Mail};
use doorward_core::outbound::{Answering, Outbound, OutboundRequest, OutboundResponse};
use doorward_core::password::Passwords;
use doorward_core::settings::Settings;
use doorward_core::sms::{self, Channel, Sms};
use doorward_core::{App, Scope, instance};
use doorward_jobs::{Message, Options, SendError, SendFuture, SmsGateway, Transport, Worker};
use doorward_store::db::DbOptions;
use doorward_store::{Db, jobs};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const START: i64 = 1_700_000_000_000;

/// Fails as it was told, then delivers.
#[derive(Default)]
struct FakeServer {
    failures: Mutex<Vec<SendError>>,
    delivered: Mutex<Vec<(String, String)>>,
    tries: Mutex<usize>,
    hangs: bool,
}

impl Transport for FakeServer {
    fn send<'a>(&'a self, message: &'a Message) -> SendFuture<'a> {
        Box::pin(async move {
            *self.tries.lock().unwrap() += 1;
            if self.hangs {
                std::future::pending::<()>().await;
            }
            if let Some(error) = self.failures.lock().unwrap().pop() {
                return Err(error);
            }
            self.delivered.lock().unwrap().push((message.id.to_string(), message.to.clone()));
            Ok(())
        })
    }
}

struct Setting {
    app: Arc<App>,
    server: Arc<FakeServer>,
    _database: Database,
}

/// A database of the test's own: a file, or a schema on the PostgreSQL that the suite was given.
enum Database {
    File(tempfile::TempDir),
    Schema { server: String, name: String },
}

impl Database {
    async fn new() -> Self {
        if std::env::var("DOORWARD_TEST_DATABASE").as_deref() != Ok("postgres") {
            return Self::File(tempfile::tempdir().unwrap());
        }
        let server = std::env::var("DOORWARD_TEST_POSTGRES_URL").unwrap();
        let name = format!("jobs_{}", Rng::system().alphanumeric(12).to_lowercase());
        execute(&server, format!("CREATE SCHEMA {name}")).await;
        Self::Schema { server, name }
    }

    fn url(&self) -> String {
        match self {
            Self::File(directory) => format!("sqlite://{}", directory.path().join("jobs.db").display()),
            Self::Schema { server, name } => {
                let sign = if server.contains('?') { '&' } else { '?' };
                format!("{server}{sign}options=-csearch_path%3D{name}")
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Schema { server, name } = self {
            let (server, text) = (server.clone(), format!("DROP SCHEMA {name} CASCADE"));
            let work = move || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(execute(&server, text));
            std::thread::spawn(work).join().unwrap();
        }
    }
}

async fn execute(url: &str, text: String) {
    let db = connect(url.to_owned(), 1).await;
    db.exec(doorward_store::sql!(text)).await.unwrap();
    db.close().await;
}

async fn connect(url: String, max_connections: u32) -> Db {
    Db::connect(&DbOptions { url, max_connections, acquire_timeout: Duration::from_secs(5) }, &Rng::seeded(1)).await.unwrap()
}

async fn setting(server: FakeServer) -> Setting {
    let database = Database::new().await;
    let db = connect(database.url(), 3).await;
    doorward_store::migrate(&db, START).await.unwrap();
    let app = App {
        db,
        clock: Clock::frozen(START),
        rng: Rng::seeded(1),
        sealer: Sealer::new(&[7; 32]).unwrap(),
        passwords: Passwords::new(1, 1),
        instances: Instances::default(),
        outbound: std::sync::Arc::new(doorward_core::outbound::Nowhere),
        provider_documents: Default::default(),
        atlas: Default::default(),
        outbox: Arc::default(),
    };
    Setting { app: Arc::new(app), server: Arc::new(server), _database: database }
}

impl Setting {
    fn worker(&self) -> Worker {
        let options = Options { job_timeout: Duration::from_millis(100), ..Options::default() };
        Worker::new(self.app.clone(), Some(self.server.clone()), options)
    }

    async fn instance(&self, environment: Environment) -> InstanceId {
        let new = NewInstance {
            environment,
            name: "Test".to_owned(),
            key_host: format!("{}.example.com", environment.as_str()),
            hosts: vec![format!("{}.example.com", environment.as_str())],
            scheme: "https".to_owned(),
            settings: Settings::default(),
        };
        instance::create(&self.app, new).await.unwrap().id
    }

    async fn enqueue(&self, environment: Environment) -> InstanceId {
        let id = self.instance(environment).await;
        self.enqueue_for(&id).await;
        id
    }

    async fn enqueue_for(&self, id: &InstanceId) {
        let instance = instance::by_id(&self.app, id).await.unwrap().unwrap();
        let scope = Scope { app: self.app.clone(), instance, now: self.app.clock.now() };
        let it = Mail {
            to: "ada@example.com".to_owned(),
            from_name: "Doorward".to_owned(),
            from_local: None,
            reply_to_local: None,
            subject: "424242 is your Doorward code".to_owned(),
            text: "Your code is:\n\n    424242\n".to_owned(),
            html: None,
            inbox: scope.instance.is_development(),
            told: Default::default(),
        };
        let mut tx = self.app.db.begin().await.unwrap();
        mail::enqueue(&scope, &mut tx, &it).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn waiting(&self) -> i64 {
        jobs::backlog(&self.app.db).await.unwrap()
    }

    /// What the database holds of the jobs, as text.
    async fn rows(&self) -> Vec<(i64, bool, bool, String, String)> {
        let rows = self.app.db.all(doorward_store::sql!("SELECT * FROM jobs ORDER BY created_at, id")).await.unwrap();
        let read = |row: &doorward_store::Row| {
            let ended = |column| row.opt_int(column).unwrap().is_some();
            let error = row.opt_text("last_error").unwrap().unwrap_or_default();
            (row.int("attempts").unwrap(), ended("done_at"), ended("failed_at"), error, row.text("sealed").unwrap())
        };
        rows.iter().map(read).collect()
    }
}

fn later() -> SendError {
    SendError::Retry("smtp: 421".to_owned())
}

#[tokio::test]
async fn a_development_mail_goes_to_the_inbox_once_and_nowhere_else() {
    let it = setting(FakeServer::default()).await;
    let id = it.enqueue(Environment::Development).await;
    assert_eq!(it.worker().run_due().await.unwrap(), 1);
    let inbox = jobs::inbox(&it.app.db, &id, 10).await.unwrap();
    assert_eq!(inbox.len(), 1);
    assert!(inbox[0].subject.starts_with("424242") && inbox[0].recipient == "ada@example.com");
    assert_eq!(*it.server.tries.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_message_for_nobody_is_dropped_at_once() {
    let it = setting(FakeServer::default()).await;
    let id = it.enqueue(Environment::Development).await;
    it.app.db.exec(doorward_store::sql!("UPDATE jobs SET kind = $1", mail::NOBODYS_JOB_KIND)).await.unwrap();
    assert_eq!(it.worker().run_due().await.unwrap(), 1);
    let (attempts, done, failed, _, sealed) = it.rows().await.remove(0);
    assert_eq!((attempts, done, failed, sealed.as_str()), (1, true, false, ""));
    assert!(jobs::inbox(&it.app.db, &id, 10).await.unwrap().is_empty());
    assert_eq!(*it.server.tries.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_second_delivery_to_the_inbox_changes_nothing() {
    let it = setting(FakeServer::default()).await;
    let id = it.enqueue(Environment::Development).await;
    let sealed = it.rows().await[0].4.clone();
    it.worker().run_due().await.unwrap();
    it.app.db.exec(doorward_store::sql!("UPDATE jobs SET done_at = NULL, sealed = $1, run_at = 0", sealed)).await.unwrap();
    assert_eq!(it.worker().run_due().await.unwrap(), 1);
    assert_eq!(jobs::inbox(&it.app.db, &id, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn fault_145_a_server_that_is_down_for_a_while_gets_the_mail_afterwards_once() {
    let it = setting(FakeServer { failures: Mutex::new(vec![later(), later()]), ..FakeServer::default() }).await;
    it.enqueue(Environment::Production).await;
    let worker = it.worker();
    for pause in [0, 6_000, 12_000] {
        assert_eq!(worker.run_due().await.unwrap(), usize::from(pause == 0), "not before its time");
        it.app.clock.advance(pause);
        if pause != 0 {
            assert_eq!(worker.run_due().await.unwrap(), 1);
        }
    }
    assert_eq!(it.server.delivered.lock().unwrap().len(), 1);
    let (attempts, done, failed, _, sealed) = it.rows().await.remove(0);
    assert_eq!((attempts, done, failed, sealed.as_str()), (3, true, false, ""), "and the code is wiped");
    it.app.clock.advance(3_600_000);
    assert_eq!(worker.run_due().await.unwrap(), 0);
}

#[tokio::test]
async fn fault_145_a_server_that_stays_down_makes_no_endless_backlog() {
    let it = setting(FakeServer { failures: Mutex::new((0..20).map(|_| later()).collect()), ..FakeServer::default() }).await;
    it.enqueue(Environment::Production).await;
    let worker = it.worker();
    let mut minutes = 0;
    while it.waiting().await > 0 {
        it.app.clock.advance(60_000);
        worker.run_due().await.unwrap();
        minutes += 1;
        assert!(minutes < 30);
    }
    let (attempts, done, failed, error, sealed) = it.rows().await.remove(0);
    assert_eq!((attempts, done, failed, error.as_str(), sealed.as_str()), (8, false, true, "smtp: 421", ""));
    assert_eq!(*it.server.tries.lock().unwrap(), 8);
}

#[tokio::test]
async fn a_refused_recipient_is_not_tried_again() {
    let failures = Mutex::new(vec![SendError::Permanent("smtp: 550".to_owned())]);
    let it = setting(FakeServer { failures, ..FakeServer::default() }).await;
    it.enqueue(Environment::Production).await;
    it.worker().run_due().await.unwrap();
    assert_eq!((it.waiting().await, *it.server.tries.lock().unwrap()), (0, 1));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_for_now() {
    let it = setting(FakeServer { hangs: true, ..FakeServer::default() }).await;
    it.enqueue(Environment::Production).await;
    it.worker().run_due().await.unwrap();
    assert_eq!(it.rows().await.remove(0).3, "not done in time");
    assert_eq!(it.waiting().await, 1);
}

#[tokio::test]
async fn two_workers_share_the_work_and_a_dead_ones_lease_ends() {
    let it = setting(FakeServer::default()).await;
    let id = it.instance(Environment::Production).await;
    for _ in 0..6 {
        it.enqueue_for(&id).await;
    }
    // The first worker took one and died.
    let taken = jobs::take_due(&it.app.db, START, START + 60_000, 1).await.unwrap();
    let (a, b) = (it.worker(), it.worker());
    let (a, b) = tokio::join!(a.run_due(), b.run_due());
    assert_eq!(a.unwrap() + b.unwrap(), 5);
    it.app.clock.advance(61_000);
    assert_eq!(it.worker().run_due().await.unwrap(), 1);
    let delivered = it.server.delivered.lock().unwrap().clone();
    let mut ids: Vec<String> = delivered.into_iter().map(|(id, _)| id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "each once");
    assert!(ids.contains(&taken[0].id.to_string()));
}

#[tokio::test]
async fn a_job_that_kills_its_worker_each_time_is_given_up() {
    let it = setting(FakeServer::default()).await;
    it.enqueue(Environment::Production).await;
    for n in 0..8 {
        jobs::take_due(&it.app.db, START + n * 10, START + n * 10, 1).await.unwrap();
    }
    it.app.clock.advance(120_000);
    it.worker().run_due().await.unwrap();
    assert_eq!((it.waiting().await, *it.server.tries.lock().unwrap()), (0, 0));
}

#[tokio::test]
async fn mail_that_cannot_go_anywhere_says_so() {
    let it = setting(FakeServer::default()).await;
    it.enqueue(Environment::Production).await;
    Worker::new(it.app.clone(), None, Options::default()).run_due().await.unwrap();
    assert_eq!(it.rows().await.remove(0).3, "no mail transport is configured");
}

/// Answers as it was told, and keeps what it was called with.
struct FakeGateway {
    status: u16,
    calls: Mutex<Vec<OutboundRequest>>,
}

impl Outbound for FakeGateway {
    fn send(&self, request: OutboundRequest) -> Answering<'_> {
        self.calls.lock().unwrap().push(request);
        Box::pin(async {
            Ok(OutboundResponse { status: self.status, headers: Vec::new(), body: b"no such number: +12024560143".to_vec() })
        })
    }
}

/// Sends one text message through a gateway that answers with `status`; answers the gateway, and the job's row.
async fn send_text(gateway: SmsGateway, status: u16, channel: Channel) -> (Arc<FakeGateway>, (i64, bool, bool, String, String)) {
    let mut it = setting(FakeServer::default()).await;
    let fake = Arc::new(FakeGateway { status, calls: Mutex::default() });
    Arc::get_mut(&mut it.app).unwrap().outbound = fake.clone();
    let id = it.instance(Environment::Production).await;
    let instance = instance::by_id(&it.app, &id).await.unwrap().unwrap();
    let scope = Scope { app: it.app.clone(), instance, now: it.app.clock.now() };
    let text =
        Sms { to: "+12024560143".to_owned(), text: "424242 is your code".to_owned(), channel, inbox: false, told: Default::default() };
    let mut tx = it.app.db.begin().await.unwrap();
    sms::enqueue(&scope, &mut tx, &text).await.unwrap();
    tx.commit().await.unwrap();
    it.worker().with_sms(Some(gateway)).run_due().await.unwrap();
    let row = it.rows().await.remove(0);
    (fake, row)
}

fn twilio() -> SmsGateway {
    SmsGateway::Twilio {
        url: "https://api.twilio.com".parse().unwrap(),
        account_sid: "AC1".to_owned(),
        auth_token: "secret".into(),
        from: "+12024560100".to_owned(),
        whatsapp_from: Some("+12024560111".to_owned()),
    }
}

#[tokio::test]
async fn a_text_message_goes_through_the_gateway() {
    let (gateway, row) = send_text(twilio(), 201, Channel::Sms).await;
    let call = gateway.calls.lock().unwrap().remove(0);
    assert_eq!(call.url.as_str(), "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
    assert_eq!(String::from_utf8(call.body).unwrap(), "To=%2B12024560143&From=%2B12024560100&Body=424242+is+your+code");
    assert!(call.headers.contains(&("authorization".to_owned(), "Basic QUMxOnNlY3JldA==".to_owned())));
    assert!(row.1, "done");
    let (gateway, _) = send_text(twilio(), 201, Channel::Whatsapp).await;
    let call = gateway.calls.lock().unwrap().remove(0);
    assert!(String::from_utf8(call.body).unwrap().starts_with("To=whatsapp%3A%2B12024560143&From=whatsapp%3A%2B12024560111&"));
}

#[tokio::test]
async fn a_server_of_ones_own_gets_the_text_signed() {
    let gateway = SmsGateway::Webhook { url: "https://sms.example.com/send".parse().unwrap(), secret: "whsec_c2VjcmV0".into() };
    let (gateway, _) = send_text(gateway, 204, Channel::Sms).await;
    let call = gateway.calls.lock().unwrap().remove(0);
    let header = |name: &str| call.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!((body["to"].as_str(), body["id"].as_str()), (Some("+12024560143"), Some(header("webhook-id").as_str())));
    let seconds = header("webhook-timestamp").parse().unwrap();
    let expected = doorward_core::signed_webhook::signature(b"secret", &header("webhook-id"), seconds, &call.body);
    assert_eq!(header("webhook-signature"), expected);
}

#[tokio::test]
async fn what_a_gateway_refuses_is_given_up_and_what_it_cannot_do_now_is_tried_again() {
    let (_, row) = send_text(twilio(), 400, Channel::Sms).await;
    assert_eq!((row.2, row.3.as_str()), (true, "the gateway refused: 400"));
    for status in [429, 503] {
        let (_, row) = send_text(twilio(), status, Channel::Sms).await;
        assert_eq!((row.1, row.2, row.3), (false, false, format!("the gateway answered {status}")));
    }
}

#[tokio::test]
async fn an_unknown_job_waits_for_a_build_that_knows_it() {
    let it = setting(FakeServer::default()).await;
    let mut tx = it.app.db.begin().await.unwrap();
    jobs::insert(&mut tx, &InstanceId::from("ins_1"), &JobId::from("job_1"), "telegram", "x", START).await.unwrap();
    tx.commit().await.unwrap();
    it.worker().run_due().await.unwrap();
    assert_eq!(it.waiting().await, 1);
}

#[tokio::test]
async fn a_running_worker_wakes_up_for_new_work_and_stops_when_told() {
    let it = setting(FakeServer::default()).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let options = Options { poll: Duration::from_secs(3600), ..Options::default() };
    let running = tokio::spawn(Worker::new(it.app.clone(), Some(it.server.clone()), options).run(stopped));
    it.enqueue(Environment::Production).await;
    it.app.outbox.notify_one();
    for _ in 0..500 {
        if it.waiting().await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(it.server.delivered.lock().unwrap().len(), 1);
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_expired_goes_and_what_waits_stays() {
    let it = setting(FakeServer::default()).await;
    it.enqueue(Environment::Development).await;
    it.worker().run_due().await.unwrap();
    let id = it.enqueue(Environment::Production).await;
    assert_eq!(doorward_jobs::sweep(&it.app.db, START + 6 * 86_400_000).await.unwrap(), 0);
    assert_eq!(doorward_jobs::sweep(&it.app.db, START + 8 * 86_400_000).await.unwrap(), 2, "the job that was done, and its message");
    assert_eq!(it.waiting().await, 1, "{id}");
}
