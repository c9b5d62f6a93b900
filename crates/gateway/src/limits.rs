use crate::client_ip::limit_key;
use doorward_base::{ApiError, Clock, InstanceId, codes};
use doorward_wire::Rate;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many callers are remembered at most, per limit. Beyond it those that called longest ago are forgotten, so that
/// memory stays flat however many addresses somebody has.
const MAX_KEYS: u64 = 200_000;

/// By whom calls are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(InstanceId, Option<IpAddr>),
    Instance(InstanceId),
}

/// The counters of all callers of one limit, in bounded memory.
struct Bounded(moka::sync::Cache<Key, Arc<InMemoryState>>);

impl StateStore for Bounded {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.get_with_by_ref(key, Arc::default).measure_and_replace(&NotKeyed::NonKey, f)
    }
}

/// Time for limits: monotonic, so that a step of the wall clock neither opens nor closes anything; a frozen clock in tests.
#[derive(Clone)]
enum LimitClock {
    Monotonic(Instant),
    Frozen(Clock),
}

impl governor::clock::Clock for LimitClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let since = match self {
            Self::Monotonic(start) => start.elapsed(),
            Self::Frozen(clock) => Duration::from_millis(clock.now().unsigned_abs()),
        };
        Nanos::from(since)
    }
}

struct Limit {
    limiter: RateLimiter<Key, Bounded, LimitClock, NoOpMiddleware<Nanos>>,
    clock: LimitClock,
}

impl Limit {
    /// `calls` at once, and then as many again evenly over `per`.
    fn new(calls: u32, per: Duration, clock: &LimitClock) -> Option<Self> {
        Self::of(MAX_KEYS, calls, per, clock)
    }

    fn of(max_keys: u64, calls: u32, per: Duration, clock: &LimitClock) -> Option<Self> {
        let burst = NonZeroU32::new(calls)?;
        let quota = Quota::with_period(per / calls)?.allow_burst(burst);
        let keys = moka::sync::Cache::builder().max_capacity(max_keys).time_to_idle(per * 2 + Duration::from_secs(60)).build();
        Some(Self { limiter: RateLimiter::new(quota, Bounded(keys), clock.clone()), clock: clock.clone() })
    }

    fn check(&self, key: &Key) -> Result<(), ApiError> {
        self.limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            ApiError::new(codes::TOO_MANY_REQUESTS).retry_after(wait.as_secs() + 1)
        })
    }
}

/// The limits of a server. The figures are those that Clerk publishes, where it does: 5 sign-ins or sign-ups started and
/// 3 attempts in 10 seconds, and 1,000 Backend calls in 10 seconds, 100 on development instances.
pub(crate) struct Limits {
    frontend: Option<Limit>,
    sign_in: Option<Limit>,
    sign_up: Option<Limit>,
    attempt: Option<Limit>,
    send: Option<Limit>,
    backend_development: Option<Limit>,
    backend_production: Option<Limit>,
}

impl Limits {
    pub(crate) fn new(clock: &Clock) -> Self {
        let clock = if clock.is_frozen() { LimitClock::Frozen(clock.clone()) } else { LimitClock::Monotonic(Instant::now()) };
        let ten = Duration::from_secs(10);
        Self {
            frontend: Limit::new(300, ten, &clock),
            sign_in: Limit::new(5, ten, &clock),
            sign_up: Limit::new(5, ten, &clock),
            attempt: Limit::new(3, ten, &clock),
            send: Limit::new(5, ten, &clock),
            backend_development: Limit::new(100, ten, &clock),
            backend_production: Limit::new(1000, ten, &clock),
        }
    }

    /// Counts a call. A caller without an address is counted as one caller, never let through uncounted.
    ///
    /// # Errors
    /// `too_many_requests` with the seconds to wait.
    pub(crate) fn check(&self, rate: Rate, instance: &InstanceId, development: bool, ip: Option<IpAddr>) -> Result<(), ApiError> {
        let (limit, key) = match rate {
            Rate::Unlimited | Rate::Mint => return Ok(()),
            Rate::Frontend => (&self.frontend, None),
            Rate::SignInCreate => (&self.sign_in, None),
            Rate::SignUpCreate => (&self.sign_up, None),
            Rate::Attempt => (&self.attempt, None),
            Rate::Send => (&self.send, None),
            Rate::Backend if development => (&self.backend_development, Some(Key::Instance(instance.clone()))),
            Rate::Backend => (&self.backend_production, Some(Key::Instance(instance.clone()))),
        };
        let key = key.unwrap_or_else(|| Key::Address(instance.clone(), ip.map(limit_key)));
        match limit {
            Some(limit) => limit.check(&key),
            None => Err(ApiError::internal("a limit of zero calls")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> (Limits, Clock) {
        let clock = Clock::frozen(1_800_000_000_000);
        (Limits::new(&clock), clock)
    }

    fn sign_in(limits: &Limits, instance: &str, ip: &str) -> bool {
        limits.check(Rate::SignInCreate, &InstanceId::from(instance), false, ip.parse().ok()).is_ok()
    }

    #[test]
    fn five_sign_ins_in_ten_seconds_and_then_a_wait() {
        let (limits, clock) = limits();
        assert!((0..5).all(|_| sign_in(&limits, "ins_1", "192.0.2.1")));
        let refused = limits.check(Rate::SignInCreate, &InstanceId::from("ins_1"), false, "192.0.2.1".parse().ok()).unwrap_err();
        assert_eq!(refused.code().code, "too_many_requests");
        assert!(refused.retry_after_seconds().unwrap() >= 1);
        assert!(sign_in(&limits, "ins_2", "192.0.2.1"), "another instance counts apart");
        assert!(sign_in(&limits, "ins_1", "192.0.2.2"), "another address counts apart");
        clock.advance(10_000);
        assert!(sign_in(&limits, "ins_1", "192.0.2.1"));
    }

    #[test]
    fn fault_049_callers_without_an_address_are_counted_too() {
        let (limits, _) = limits();
        let call = || limits.check(Rate::Attempt, &InstanceId::from("ins_1"), false, None).is_ok();
        assert_eq!([call(), call(), call(), call()], [true, true, true, false]);
    }

    #[test]
    fn fault_053_a_limit_of_zero_lets_nobody_through() {
        let clock = Clock::frozen(1_800_000_000_000);
        let zero = || Limit::new(0, Duration::from_secs(10), &LimitClock::Frozen(clock.clone()));
        let none = Limits { frontend: zero(), sign_in: zero(), sign_up: zero(), attempt: zero(), send: zero(), ..Limits::new(&clock) };
        let none = Limits { backend_development: zero(), backend_production: zero(), ..none };
        let rates = [Rate::Frontend, Rate::SignInCreate, Rate::SignUpCreate, Rate::Attempt, Rate::Send, Rate::Backend];
        for _ in 0..2 {
            for (rate, development) in rates.into_iter().flat_map(|rate| [(rate, false), (rate, true)]) {
                for ip in [None, "192.0.2.1".parse().ok()] {
                    assert!(none.check(rate, &InstanceId::from("ins_1"), development, ip).is_err(), "{rate:?} {development} {ip:?}");
                }
            }
            clock.advance(60_000);
        }
    }

    #[test]
    fn fault_052_a_race_lets_no_more_through_than_the_limit() {
        let (limits, _) = limits();
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..200).map(|_| scope.spawn(|| usize::from(sign_in(&limits, "ins_1", "192.0.2.1")))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(passed, 5);
    }

    #[test]
    fn fault_052_however_many_callers_there_are_only_so_many_are_kept() {
        let clock = LimitClock::Monotonic(Instant::now());
        let limit = Limit::of(1000, 5, Duration::from_secs(10), &clock).unwrap();
        for n in 0..10_000_u32 {
            let ip = IpAddr::from(n.to_be_bytes());
            limit.check(&Key::Address(InstanceId::from("ins_1"), Some(ip))).unwrap();
        }
        let Bounded(kept) = limit.limiter.into_state_store();
        kept.run_pending_tasks();
        assert!((1..=1000).contains(&kept.entry_count()), "{}", kept.entry_count());
    }
}
