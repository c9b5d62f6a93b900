use crate::mail::{SendError, Transport, deliver};
use crate::sms::SmsGateway;
use crate::{backoff, sweep};
use doorward_core::{App, mail, sms};
use doorward_store::jobs::{self, JobRecord};
use doorward_store::{Db, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How a worker goes about it.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often to look for work that nobody announced: another node's, or a retry.
    pub poll: Duration,
    /// For how long a job is this worker's. Longer than [`Options::job_timeout`], or two would do the same job.
    pub lease: Duration,
    /// How long one job may take.
    pub job_timeout: Duration,
    /// Jobs done side by side.
    pub concurrency: i64,
    /// Tries before a job is given up.
    pub max_attempts: i64,
    /// How often to delete what expired.
    pub sweep_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(5),
            lease: Duration::from_secs(60),
            job_timeout: Duration::from_secs(40),
            concurrency: 8,
            max_attempts: 8,
            sweep_every: Duration::from_secs(600),
        }
    }
}

/// Does what is in the outbox.
#[derive(Clone)]
pub struct Worker {
    app: Arc<App>,
    transport: Option<Arc<dyn Transport>>,
    sms: Option<Arc<SmsGateway>>,
    options: Options,
}

impl Worker {
    /// A worker that sends mail over `transport`. Without one, only the development inbox gets mail.
    pub fn new(app: Arc<App>, transport: Option<Arc<dyn Transport>>, options: Options) -> Self {
        describe();
        Self { app, transport, sms: None, options }
    }

    /// Sends text messages through `gateway`. Without one, only the development inbox gets them.
    #[must_use]
    pub fn with_sms(self, gateway: Option<SmsGateway>) -> Self {
        Self { sms: gateway.map(Arc::new), ..self }
    }

    /// Works until `stop` holds true or its sender is gone. What was begun is finished.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut sweep_at = Instant::now() + self.options.sweep_every;
        while !*stop.borrow() {
            match self.run_due().await {
                // A full round: there may be more.
                Ok(done) if done >= self.options.concurrency.unsigned_abs() as usize => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(error = %error, "the outbox cannot be read"),
            }
            if Instant::now() >= sweep_at {
                self.sweep().await;
                sweep_at = Instant::now() + self.options.sweep_every;
            }
            self.measure().await;
            tokio::select! {
                changed = stop.changed() => if changed.is_err() { return },
                () = self.app.outbox.notified() => {}
                () = tokio::time::sleep(self.options.poll) => {}
            }
        }
    }

    /// Does what is due now, up to as many jobs as may run side by side. Answers how many it took.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn run_due(&self) -> Result<usize, StoreError> {
        let now = self.app.clock.now();
        if !jobs::any_due(&self.app.db, now).await? {
            return Ok(0);
        }
        let lease_until = now + i64::try_from(self.options.lease.as_millis()).unwrap_or(i64::MAX / 2);
        let taken = jobs::take_due(&self.app.db, now, lease_until, self.options.concurrency).await?;
        let count = taken.len();
        let mut running = JoinSet::new();
        for job in taken {
            let worker = self.clone();
            running.spawn(async move { worker.perform(job).await });
        }
        while let Some(ended) = running.join_next().await {
            if let Err(error) = ended {
                // Its lease ends by itself, and it is tried again.
                tracing::error!(error = %error, "a job panicked");
            }
        }
        Ok(count)
    }

    async fn perform(&self, job: JobRecord) {
        let outcome = if job.attempts > self.options.max_attempts {
            // Its tries ended without a word: the process died each time.
            Err(SendError::Permanent("every try was cut off".to_owned()))
        } else {
            let timeout = SendError::Retry("not done in time".to_owned());
            tokio::time::timeout(self.options.job_timeout, self.dispatch(&job)).await.unwrap_or(Err(timeout))
        };
        if let Err(error) = self.record(&job, outcome).await {
            tracing::error!(job = %job.id, kind = %job.kind, error = %error, "the outcome of a job could not be written");
        }
    }

    async fn dispatch(&self, job: &JobRecord) -> Result<(), SendError> {
        match job.kind.as_str() {
            mail::JOB_KIND => deliver(&self.app, self.transport.as_deref(), job).await,
            sms::JOB_KIND => crate::sms::deliver(&self.app, self.sms.as_deref(), job).await,
            mail::NOBODYS_JOB_KIND => Ok(()),
            // A newer node may have written it, and will do it.
            _ => Err(SendError::Retry("this build does not know this kind of job".to_owned())),
        }
    }

    async fn record(&self, job: &JobRecord, outcome: Result<(), SendError>) -> Result<(), StoreError> {
        let (db, now) = (&self.app.db, self.app.clock.now());
        let (what, error) = match outcome {
            Ok(()) => {
                count("doorward_jobs_delivered_total", job);
                tracing::debug!(job = %job.id, kind = %job.kind, instance = %job.instance_id, "job done");
                return self.done(db, job).await;
            }
            Err(SendError::Retry(error)) if job.attempts < self.options.max_attempts => {
                count("doorward_jobs_retried_total", job);
                let at = backoff::next(now, job.attempts, &self.app.rng);
                jobs::retry(db, &job.id, &error, at).await?;
                ("job failed and will be tried again", error)
            }
            Err(SendError::Retry(error) | SendError::Permanent(error)) => {
                count("doorward_jobs_failed_total", job);
                jobs::failed(db, &job.id, &error, now).await?;
                ("job failed for good", error)
            }
        };
        tracing::warn!(job = %job.id, kind = %job.kind, instance = %job.instance_id, attempt = job.attempts, error, "{what}");
        Ok(())
    }

    /// Marks a job done, with some patience: what is not marked is done twice.
    async fn done(&self, db: &Db, job: &JobRecord) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            match jobs::done(db, &job.id, self.app.clock.now()).await {
                Err(_) if tries < 3 => tokio::time::sleep(Duration::from_millis(200 << tries)).await,
                outcome => return outcome,
            }
            tries += 1;
        }
    }

    async fn sweep(&self) {
        match sweep::sweep(&self.app.db, self.app.clock.now()).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "deleted what expired"),
            Err(error) => tracing::warn!(error = %error, "what expired could not be deleted"),
        }
    }

    async fn measure(&self) {
        if let Ok(waiting) = jobs::backlog(&self.app.db).await {
            #[allow(clippy::cast_precision_loss, reason = "a gauge is a float, and a backlog below 2^53")]
            metrics::gauge!("doorward_jobs_backlog").set(waiting as f64);
        }
    }
}

fn count(name: &'static str, job: &JobRecord) {
    // The kind is one of ours unless another build wrote it; whatever it is must not become a label.
    let kind = [mail::JOB_KIND, sms::JOB_KIND].into_iter().find(|kind| *kind == job.kind).unwrap_or("unknown");
    metrics::counter!(name, "kind" => kind).increment(1);
}

fn describe() {
    metrics::describe_gauge!("doorward_jobs_backlog", "Jobs of the outbox that wait, retries included");
    metrics::describe_counter!("doorward_jobs_delivered_total", "Jobs that were done");
    metrics::describe_counter!("doorward_jobs_retried_total", "Tries of jobs that failed and are repeated");
    metrics::describe_counter!("doorward_jobs_failed_total", "Jobs that were given up");
}
